import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Problem } from '../../platform/errors/problem.js';
import { requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { DevicesService } from '../devices.service.js';
import type { DeviceReturn } from './device-return.entity.js';
import {
  inspectedBy,
  receivedBy,
  ReturnRecords,
  sentNow,
  writtenOffBy,
  type KnownReturn,
} from './return-records.service.js';
import { OUTSTANDING } from './return-states.js';

export interface Inspection {
  condition: 'good' | 'worn' | 'faulty';
  wiped: 'yes' | 'no' | 'unknown';
  accessories: string | null;
  findings: string | null;
}

/** Getting a device back. It counts as the person's until somebody received it and somebody inspected it. */
@Injectable()
export class Returns {
  constructor(
    private readonly devices: DevicesService,
    private readonly records: ReturnRecords,
  ) {}

  /** @throws Problem `not-found`; `conflict` when nobody has the device, or it is asked for already */
  async ask(tx: EntityManager, actor: Actor, deviceId: string, siteId: string | null): Promise<KnownReturn> {
    await requireWithin(tx, actor, 'held device', deviceId);
    const device = await this.devices.lock(tx, deviceId);
    if (device.state !== 'assigned' || device.holderId === null) {
      throw new Problem('conflict', 'Nobody has this device, so there is nobody to ask for it.');
    }
    if (await this.records.outstandingFor(tx, deviceId)) {
      throw new Problem('conflict', 'This device is asked for already. See GET /v1/returns?outstanding=true.');
    }
    await this.devices.refuseUnknown(tx, { siteId });
    return this.records.ask(tx, actor, { deviceId, personId: device.holderId, siteId: siteId ?? device.siteId });
  }

  /** It is on its way. @throws Problem `not-found`, `conflict` */
  async send(tx: EntityManager, actor: Actor, id: string, tracking: string | null): Promise<KnownReturn> {
    const outstanding = await this.lock(tx, actor, id);
    return this.records.move(tx, actor, outstanding, 'sent', {
      change: { ...sentNow(), tracking },
      facts: { tracking },
    });
  }

  /** It is here. It counts as theirs still, since nobody has looked at it. @throws Problem `not-found`, `conflict`, `invalid-request` */
  async receive(tx: EntityManager, actor: Actor, id: string, siteId: string): Promise<KnownReturn> {
    const outstanding = await this.lock(tx, actor, id);
    await this.devices.refuseUnknown(tx, { siteId });
    const received = await this.records.move(tx, actor, outstanding, 'received', {
      change: { ...receivedBy(actor), receivedSiteId: siteId },
      facts: { siteId },
    });
    await this.devices.cameBack(tx, actor, outstanding.deviceId, siteId);
    return received;
  }

  /** Somebody looked at it: it leaves the person, for the shelf or, when it is faulty, for the workshop. @throws Problem `not-found`, `conflict` */
  async inspect(tx: EntityManager, actor: Actor, id: string, found: Inspection): Promise<KnownReturn> {
    const outstanding = await this.lock(tx, actor, id);
    const { condition, wiped } = found;
    const inspected = await this.records.move(tx, actor, outstanding, 'inspected', {
      change: { ...inspectedBy(actor), ...found },
      facts: { condition, wiped },
      ...(found.findings !== null && { reason: found.findings }),
    });
    await this.devices.putAway(tx, actor, outstanding.deviceId, {
      working: condition !== 'faulty',
      caseId: outstanding.caseId,
    });
    return inspected;
  }

  /** Nobody will get it back, and this person answers for that: the device is lost. @throws Problem `not-found`, `conflict` once it was received */
  async writeOff(tx: EntityManager, actor: Actor, id: string, reason: string): Promise<KnownReturn> {
    const outstanding = await this.lock(tx, actor, id);
    const writtenOff = await this.records.move(tx, actor, outstanding, 'written_off', {
      change: { ...writtenOffBy(actor), reason },
      reason,
    });
    await this.devices.markLost(tx, actor, outstanding.deviceId, outstanding.caseId ?? undefined);
    return writtenOff;
  }

  /**
   * The device first, as everywhere; then its return, as it is then.
   * @throws Problem `conflict` when an outstanding one is of a device that they don't have any more
   */
  private async lock(tx: EntityManager, actor: Actor, id: string): Promise<DeviceReturn> {
    await requireWithin(tx, actor, 'return', id);
    const found = await this.records.find(tx, id);
    if (!found) throw new Problem('not-found', 'There is no return with this id.');
    const device = await this.devices.lock(tx, found.deviceId);
    const locked = (await this.records.find(tx, id)) ?? found;
    if (OUTSTANDING.includes(locked.state) && device.holderId !== locked.personId) {
      const detail =
        'They don’t have this device any more. POST /v1/devices/:id/return ends what is outstanding and puts it on the shelf, whoever has it.';
      throw new Problem('conflict', detail);
    }
    return locked;
  }
}
