import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { requireChanged } from '../platform/http/versions.js';
import { newId } from '../platform/ids/new-id.js';
import { seesField } from '../platform/roles/fields.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { refuseUnless, type DeviceState } from './device-states.js';
import { Device } from './device.entity.js';
import { ObservationsService, type AgedObservation } from './observations.service.js';

export interface NewDevice {
  assetTag: string;
  serial: string;
  modelId: string;
  imageVersionId: string | null;
}

export interface DeviceChange {
  assetTag?: string;
  imageVersionId?: string | null;
  /** To the workshop, back from it, or out of use; giving out, returning and losing have commands of their own. */
  state?: Extract<DeviceState, 'in_stock' | 'in_repair' | 'retired'>;
}

export interface DevicesFilter {
  state?: DeviceState;
  holderId?: string;
  modelId?: string;
  /** Part of the asset tag or the serial number. */
  search?: string;
}

/** What was known of a device at the moment it was reported lost. */
export interface LostDevice {
  device: Device;
  /** Newest knowledge of its disk's encryption, with its age; null: nobody ever looked. */
  diskEncryption: AgedObservation | null;
  imageVersion: AgedObservation | null;
  lastOnline: AgedObservation | null;
}

/** The only writer of `devices`. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly observations: ObservationsService,
    private readonly audit: AuditService,
  ) {}

  /** @throws Problem `conflict` when the asset tag or the serial number is taken, `invalid-request` for an unknown model or image */
  async create(tx: EntityManager, actor: Actor, want: NewDevice): Promise<Device> {
    await this.refuseUnknown(tx, want);
    const id = newId();
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(Device)
      .values({ ...want, id, state: 'in_stock' })
      .orIgnore()
      .returning('id')
      .execute();
    if (!isInserted(inserted.raw)) {
      throw new Problem('conflict', 'There is a device with this asset tag or serial number already.');
    }
    await this.audit.record(tx, actor, 'device.created', {
      subject: { kind: 'device', id },
      facts: { assetTag: want.assetTag, modelId: want.modelId },
    });
    return this.get(tx, id);
  }

  async update(
    tx: EntityManager,
    actor: Actor,
    id: string,
    change: DeviceChange,
    expectedVersion: number,
  ): Promise<Device> {
    await requireWithin(tx, actor, 'held device', id);
    const device = await this.lock(tx, id);
    requireChanged(device.version === expectedVersion ? 1 : 0);
    await this.refuseUnknown(tx, change);
    if (change.assetTag !== undefined && change.assetTag !== device.assetTag) {
      const taken = await tx.existsBy(Device, { assetTag: change.assetTag });
      if (taken) throw new Problem('conflict', 'There is a device with this asset tag already.');
    }
    const { state = device.state, assetTag = device.assetTag, imageVersionId = device.imageVersionId } = change;
    if (state !== device.state) {
      refuseUnless(device.state, state);
      await this.move(tx, id, state, null);
    }
    await tx.update(Device, { id }, { assetTag, imageVersionId, version: () => 'version + 1' });
    await this.audit.record(tx, actor, 'device.changed', {
      subject: { kind: 'device', id },
      facts: { ...change },
      before: { state: device.state, assetTag: device.assetTag, imageVersionId: device.imageVersionId },
      after: { state, assetTag, imageVersionId },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Device> {
    return known(await tx.findOneBy(Device, { id }));
  }

  /** @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<Device> {
    return known(await tx.findOne(Device, { where: { id }, lock: { mode: 'pessimistic_write' } }));
  }

  /** The devices that somebody has, and the lost ones that they had. */
  async forPerson(tx: EntityManager, personId: string): Promise<Device[]> {
    return tx.find(Device, { where: { holderId: personId }, order: { id: 'ASC' } });
  }

  async list(
    tx: EntityManager,
    actor: Actor,
    filter: DevicesFilter,
    page: { after: string | null; limit: number },
  ): Promise<Device[]> {
    const query = tx.createQueryBuilder(Device, 'device').orderBy('device.id').limit(page.limit);
    keepWithin(query, actor, 'device');
    if (page.after) query.andWhere('device.id > :after', { after: page.after });
    const { state, holderId, modelId, search } = filter;
    if (state) query.andWhere('device.state = :state', { state });
    if (holderId) query.andWhere('device.holder_id = :holderId', { holderId });
    if (modelId) query.andWhere('device.model_id = :modelId', { modelId });
    if (search) {
      const pattern = `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
      const bySerial = seesField(actor, 'device.serial') ? ' OR device.serial ILIKE :pattern' : '';
      query.andWhere(`(device.asset_tag ILIKE :pattern${bySerial})`, { pattern });
    }
    return query.getMany();
  }

  /** Gives a device in stock to somebody. Again to the same person changes nothing. */
  async assign(tx: EntityManager, actor: Actor, id: string, personId: string, caseId?: string): Promise<Device> {
    await requireWithin(tx, actor, 'device', id);
    await requireWithin(tx, actor, 'whole person', personId);
    const device = await this.lock(tx, id);
    if (device.state === 'assigned' && device.holderId === personId) return device;
    refuseUnless(device.state, 'assigned');
    const [person] = await tx.query<unknown[]>('SELECT FROM people WHERE id = $1', [personId]);
    if (!person) throw unknownReference('/personId', 'There is no person with this id.');
    await this.move(tx, id, 'assigned', personId);
    await this.audit.record(tx, actor, 'device.assigned', {
      subject: { kind: 'device', id },
      caseId,
      facts: { holderId: personId },
    });
    return this.get(tx, id);
  }

  /** Back on the shelf: from its holder, or found after it was lost. One in stock stays there. */
  async takeBack(tx: EntityManager, actor: Actor, id: string, caseId?: string): Promise<Device> {
    await requireWithin(tx, actor, 'held device', id);
    const device = await this.lock(tx, id);
    if (device.state === 'in_stock') return device;
    refuseUnless(device.state, 'in_stock');
    await this.move(tx, id, 'in_stock', null);
    await this.audit.record(tx, actor, 'device.returned', {
      subject: { kind: 'device', id },
      caseId,
      facts: { from: device.state, holderId: device.holderId },
    });
    return this.get(tx, id);
  }

  /**
   * Marks it lost and tells what is known of it at this moment. It keeps its holder: whose access it endangers.
   * A repeated report changes nothing.
   */
  async markLost(tx: EntityManager, actor: Actor, id: string, caseId?: string): Promise<LostDevice> {
    const device = await this.lock(tx, id);
    if (device.state !== 'lost') {
      refuseUnless(device.state, 'lost');
      await this.move(tx, id, 'lost', device.holderId);
    }
    const lost: LostDevice = {
      device: await this.get(tx, id),
      diskEncryption: await this.observations.latest(tx, id, 'disk_encryption'),
      imageVersion: await this.observations.latest(tx, id, 'image_version'),
      lastOnline: await this.observations.latest(tx, id, 'last_online'),
    };
    if (device.state !== 'lost') {
      await this.audit.record(tx, actor, 'device.lost', {
        subject: { kind: 'device', id },
        caseId,
        facts: {
          holderId: device.holderId,
          diskEncryption: lost.diskEncryption?.value ?? 'unknown',
          diskEncryptionAgeSeconds: lost.diskEncryption?.ageSeconds ?? null,
        },
      });
    }
    return lost;
  }

  private async move(tx: EntityManager, id: string, state: DeviceState, holderId: string | null): Promise<void> {
    await tx.update(Device, { id }, { state, holderId, stateChangedAt: () => 'now()', version: () => 'version + 1' });
  }

  private async refuseUnknown(
    tx: EntityManager,
    refs: { modelId?: string; imageVersionId?: string | null },
  ): Promise<void> {
    if (refs.modelId) {
      const [model] = await tx.query<unknown[]>('SELECT FROM device_models WHERE id = $1', [refs.modelId]);
      if (!model) throw unknownReference('/modelId', 'There is no device model with this id.');
    }
    if (refs.imageVersionId) {
      const [version] = await tx.query<unknown[]>('SELECT FROM image_versions WHERE id = $1', [refs.imageVersionId]);
      if (!version) throw unknownReference('/imageVersionId', 'There is no image version with this id.');
    }
  }
}

function unknownReference(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer, detail }]);
}

function isInserted(raw: unknown): boolean {
  return Array.isArray(raw) && raw.length > 0;
}

function known(device: Device | null): Device {
  if (!device) throw new Problem('not-found', 'There is no device with this id.');
  return device;
}
