import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { requireChanged } from '../platform/http/versions.js';
import { newId } from '../platform/ids/new-id.js';
import { seesField } from '../platform/roles/fields.js';
import { keepWithin, reaches, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Acknowledgements } from './acknowledgements/acknowledgements.service.js';
import { isKnownAs, isKnownSince, NOT_THERE, type KnowledgeAge } from './encryption/encryption-filter.js';
import type { EncryptionState } from './encryption/encryption-states.js';
import { Replacements } from './spares/replacements.service.js';
import { CAN_BE_GIVEN } from './spares/can-be-given.js';
import { ReturnRecords } from './returns/return-records.service.js';
import { Departures } from './departures.service.js';
import { isAway, KEEPS_ITS_HOLDER, refuseUnless, type CHANGED_STATES, type DeviceState } from './device-states.js';
import { Device } from './device.entity.js';
import { ObservationsService, type AgedObservation } from './observations.service.js';

export type NewDevice = Pick<Device, 'assetTag' | 'serial' | 'modelId'> &
  Partial<Pick<Device, 'imageVersionId' | 'siteId' | 'purchasedOn' | 'warrantyUntil'>> & {
    state?: Extract<DeviceState, 'ordered' | 'in_stock'>;
  };

export type DeviceChange = Partial<
  Pick<Device, 'assetTag' | 'modelId' | 'imageVersionId' | 'siteId' | 'purchasedOn' | 'warrantyUntil' | 'working'>
> & { state?: (typeof CHANGED_STATES)[number] };

export interface DevicesFilter {
  state?: DeviceState;
  holderId?: string;
  modelId?: string;
  siteId?: string;
  /** Used for longer than the model is meant to be. */
  pastLifetime?: 'true';
  /** Only what can really be given. */
  spare?: 'true';
  /** In use, and its disk is so as far as anybody knows. */
  encryption?: EncryptionState;
  /** In use, and what is known of its disk is so old. */
  encryptionSeen?: KnowledgeAge;
  /** Part of the asset tag or the serial number. */
  search?: string;
}

/** What was known of a device at the moment it was reported lost. */
export interface LostDevice {
  device: Device;
  /** It was lost or stolen already. */
  wasAway: boolean;
  /** Newest knowledge of its disk's encryption, with its age; null: nobody ever looked. */
  diskEncryption: AgedObservation | null;
  imageVersion: AgedObservation | null;
  lastOnline: AgedObservation | null;
}

/** The only writer of `devices`, but for what a loss keeps on the shelf (`Replacements`). */
@Injectable()
export class DevicesService {
  constructor(
    private readonly observations: ObservationsService,
    private readonly acknowledgements: Acknowledgements,
    private readonly returns: ReturnRecords,
    private readonly replacements: Replacements,
    private readonly departures: Departures,
    private readonly audit: AuditService,
  ) {}

  /** @throws Problem `conflict` when the asset tag or the serial number is taken, `invalid-request` for an unknown model, image or site */
  async create(tx: EntityManager, actor: Actor, want: NewDevice): Promise<Device> {
    await this.refuseUnknown(tx, want);
    const id = newId();
    const { state = 'in_stock', warrantyUntil = null, purchasedOn = null } = want;
    const covered = warrantyUntil ?? (purchasedOn && (await this.warrantyEnd(tx, want.modelId, purchasedOn)));
    const inserted = await tx
      .createQueryBuilder()
      .insert()
      .into(Device)
      .values({ ...want, id, state, warrantyUntil: covered })
      .orIgnore()
      .returning('id')
      .execute();
    if (!isInserted(inserted.raw)) {
      throw new Problem('conflict', 'There is a device with this asset tag or serial number already.');
    }
    await this.audit.record(tx, actor, 'device.created', {
      subject: { kind: 'device', id },
      facts: { assetTag: want.assetTag, modelId: want.modelId, state },
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
    const { state = device.state, ...fields } = change;
    if (state !== device.state) {
      refuseUnless(device.state, state);
      if (!KEEPS_ITS_HOLDER.has(state) && (await this.returns.outstandingFor(tx, id))) {
        throw new Problem('conflict', 'Its return is outstanding: receive and inspect it, or write it off.');
      }
      await this.move(tx, actor, device, state);
    }
    await tx.update(Device, { id }, { ...fields, version: () => 'version + 1' });
    const after = await this.get(tx, id);
    const names = Object.keys(change) as (keyof DeviceChange)[];
    await this.audit.record(tx, actor, 'device.changed', {
      subject: { kind: 'device', id },
      facts: { ...change },
      before: Object.fromEntries(names.map((name) => [name, device[name]])),
      after: Object.fromEntries(names.map((name) => [name, after[name]])),
    });
    return after;
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Device> {
    return known(await tx.findOneBy(Device, { id }));
  }

  /** @throws Problem `not-found` */
  async byTag(tx: EntityManager, actor: Actor, assetTag: string): Promise<Device> {
    const device = await tx.findOneBy(Device, { assetTag });
    if (!device || !(await reaches(tx, actor, 'device', device.id))) {
      throw new Problem('not-found', 'There is no device with this asset tag.');
    }
    return device;
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
    const { state, holderId, modelId, siteId, pastLifetime, spare, encryption, encryptionSeen, search } = filter;
    if (state) query.andWhere('device.state = :state', { state });
    if (holderId) query.andWhere('device.holder_id = :holderId', { holderId });
    if (modelId) query.andWhere('device.model_id = :modelId', { modelId });
    if (siteId) query.andWhere('device.site_id = :siteId', { siteId });
    if (pastLifetime) query.andWhere(PAST_LIFETIME);
    if (spare) query.andWhere(SPARE);
    if (encryption) query.andWhere(isKnownAs(encryption));
    if (encryptionSeen) query.andWhere(isKnownSince(encryptionSeen));
    if (search) {
      const pattern = `%${search.replaceAll(/[\\%_]/g, '\\$&')}%`;
      const bySerial = seesField(actor, 'device.serial') ? ' OR device.serial ILIKE :pattern' : '';
      query.andWhere(`(device.asset_tag ILIKE :pattern${bySerial})`, { pattern });
    }
    return query.getMany();
  }

  /** Keeps a device in stock for somebody. @throws Problem `conflict` in another state, when it is faulty, or for who has left */
  async reserve(tx: EntityManager, actor: Actor, id: string, personId: string): Promise<Device> {
    await requireWithin(tx, actor, 'device', id);
    await requireWithin(tx, actor, 'whole person', personId);
    await this.lockReceiver(tx, personId);
    const device = await this.lock(tx, id);
    if (device.state === 'reserved' && device.reservedForId === personId) return device;
    refuseUnless(device.state, 'reserved');
    await this.refuseUnfit(tx, device);
    await this.move(tx, actor, device, 'reserved', { reservedForId: personId });
    await this.audit.record(tx, actor, 'device.reserved', {
      subject: { kind: 'device', id },
      facts: { reservedForId: personId },
    });
    return this.get(tx, id);
  }

  /**
   * Gives a device to somebody, who is asked to sign for it: one in stock, or one that is kept for them. Again to the same person changes nothing.
   * @throws Problem `conflict` in another state, for one that is kept for somebody else, is faulty, or isn't standard and no exception stands,
   * and for who has left
   */
  async assign(tx: EntityManager, actor: Actor, id: string, personId: string, caseId?: string): Promise<Device> {
    await requireWithin(tx, actor, 'device', id);
    await requireWithin(tx, actor, 'whole person', personId);
    await this.lockReceiver(tx, personId);
    const device = await this.lock(tx, id);
    if (device.state === 'assigned' && device.holderId === personId) return device;
    refuseUnless(device.state, 'assigned');
    if (device.state === 'reserved' && device.reservedForId !== personId) {
      throw new Problem('conflict', 'This device is kept for somebody else. Put it back in stock first.');
    }
    await this.refuseUnfit(tx, device);
    await this.move(tx, actor, device, 'assigned', { holderId: personId });
    await this.audit.record(tx, actor, 'device.assigned', {
      subject: { kind: 'device', id },
      caseId,
      facts: { holderId: personId },
    });
    await this.acknowledgements.ask(tx, actor, id, personId);
    await this.replacements.given(tx, personId, id);
    return this.get(tx, id);
  }

  /**
   * Back on the shelf in one act: from its holder, or found after it was lost. One in stock stays there. A return that is
   * outstanding ends with it, received and inspected by the same person, with nothing said about its condition.
   */
  async takeBack(tx: EntityManager, actor: Actor, id: string, caseId?: string): Promise<Device> {
    await requireWithin(tx, actor, 'held device', id);
    const device = await this.lock(tx, id);
    const outstanding = await this.returns.outstandingFor(tx, id);
    if (outstanding) await this.returns.finishAtOnce(tx, actor, outstanding);
    if (device.state === 'in_stock') return device;
    return this.leavesPerson(tx, actor, device, 'in_stock', caseId);
  }

  /** It is at a site again. One that was lost is found; whose it is, or was, stays. */
  async cameBack(tx: EntityManager, actor: Actor, id: string, siteId: string): Promise<void> {
    const device = await this.lock(tx, id);
    if (isAway(device.state)) {
      await this.move(tx, actor, device, 'found');
      await this.audit.record(tx, actor, 'device.found', { subject: { kind: 'device', id }, facts: { siteId } });
    }
    await tx.update(Device, { id }, { siteId, version: () => 'version + 1' });
  }

  /** Somebody has inspected it: it leaves the person, for the shelf or for the workshop. */
  async putAway(
    tx: EntityManager,
    actor: Actor,
    id: string,
    { working, caseId }: { working: boolean; caseId: string | null },
  ): Promise<void> {
    const device = await this.lock(tx, id);
    await tx.update(Device, { id }, { working });
    await this.leavesPerson(tx, actor, device, working ? 'in_stock' : 'in_repair', caseId ?? undefined);
  }

  private async leavesPerson(
    tx: EntityManager,
    actor: Actor,
    device: Device,
    to: 'in_stock' | 'in_repair',
    caseId?: string,
  ): Promise<Device> {
    refuseUnless(device.state, to);
    await this.move(tx, actor, device, to);
    await this.audit.record(tx, actor, 'device.returned', {
      subject: { kind: 'device', id: device.id },
      caseId,
      facts: { from: device.state, holderId: device.holderId },
    });
    return this.get(tx, device.id);
  }

  /**
   * Marks it lost and tells what is known of it at this moment. It keeps its holder: whose access it endangers.
   * A repeated report changes nothing.
   */
  async markLost(tx: EntityManager, actor: Actor, id: string, caseId?: string): Promise<LostDevice> {
    const device = await this.lock(tx, id);
    const wasAway = isAway(device.state);
    if (!wasAway) {
      refuseUnless(device.state, 'lost');
      await this.move(tx, actor, device, 'lost');
    }
    const lost: LostDevice = {
      device: await this.get(tx, id),
      wasAway,
      diskEncryption: await this.observations.latest(tx, id, 'disk_encryption'),
      imageVersion: await this.observations.latest(tx, id, 'image_version'),
      lastOnline: await this.observations.latest(tx, id, 'last_online'),
    };
    if (!wasAway) {
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

  /** Who had a lost one last stays known; everywhere else a device that isn't with somebody is nobody's. */
  private async move(
    tx: EntityManager,
    actor: Actor,
    { id, holderId }: Device,
    state: DeviceState,
    whose: Partial<Pick<Device, 'holderId' | 'reservedForId'>> = {},
  ): Promise<void> {
    await tx.update(
      Device,
      { id },
      {
        state,
        holderId: KEEPS_ITS_HOLDER.has(state) ? holderId : null,
        reservedForId: null,
        reservedForCaseId: null,
        ...whose,
        stateChangedAt: () => 'now()',
        version: () => 'version + 1',
      },
    );
    const leavesPerson = holderId !== null && !KEEPS_ITS_HOLDER.has(state);
    if (leavesPerson) await this.acknowledgements.drop(tx, id);
    if (state === 'retired') await this.departures.tell(tx, actor, { deviceId: id, because: 'retired' });
    else if (leavesPerson) await this.departures.tell(tx, actor, { deviceId: id, because: 'handed_back' });
  }

  /** Before the device, as a loss and a leave do: who is given something now doesn't leave before that is written. */
  private async lockReceiver(tx: EntityManager, personId: string): Promise<void> {
    const [person] = await queryRows<{ hasLeft: boolean }>(
      tx,
      `SELECT status = 'left' AS "hasLeft" FROM people WHERE id = $1 FOR UPDATE`,
      [personId],
    );
    if (!person) throw noSuch('personId', 'person');
    if (person.hasLeft)
      throw new Problem('conflict', 'This person has left: nothing is kept for them or given to them.');
  }

  /** What is faulty, or neither standard nor tolerated, is given to nobody. */
  private async refuseUnfit(tx: EntityManager, { id, working }: Device): Promise<void> {
    if (!working) throw new Problem('conflict', 'This device is faulty. Have it mended, and say that it works again.');
    const [unfit] = await tx.query<unknown[]>(
      `SELECT FROM devices d JOIN device_models m ON m.id = d.model_id
       WHERE d.id = $1 AND NOT m.standard AND NOT EXISTS (
         SELECT FROM device_exceptions e WHERE e.device_id = d.id AND e.ended_at IS NULL AND e.ends_on >= current_date)`,
      [id],
    );
    if (!unfit) return;
    const detail =
      'Its model isn’t standard, and no exception stands: POST /v1/devices/:id/exception says who answers for it.';
    throw new Problem('conflict', detail);
  }

  private async warrantyEnd(tx: EntityManager, modelId: string, purchasedOn: string): Promise<string | null> {
    const [model] = await queryRows<{ until: string | null }>(
      tx,
      `SELECT ($2::date + make_interval(months => warranty_months))::date::text AS until FROM device_models WHERE id = $1`,
      [modelId, purchasedOn],
    );
    return model?.until ?? null;
  }

  /** @throws Problem `invalid-request` for an id of nothing that is there */
  async refuseUnknown(
    tx: EntityManager,
    refs: { [Name in keyof typeof REFERENCES]?: string | null | undefined },
  ): Promise<void> {
    for (const [name, { table, called }] of Object.entries(REFERENCES)) {
      const id = refs[name as keyof typeof REFERENCES];
      if (!id) continue;
      const [found] = await tx.query<unknown[]>(`SELECT FROM ${table} WHERE id = $1`, [id]);
      if (!found) throw noSuch(name, called);
    }
  }
}

/** Rows of other features that a device names, by id alone. */
const REFERENCES = {
  modelId: { table: 'device_models', called: 'device model' },
  imageVersionId: { table: 'image_versions', called: 'image version' },
  siteId: { table: 'sites', called: 'site' },
} as const;

const SPARE = `EXISTS (SELECT FROM devices d JOIN device_models m ON m.id = d.model_id WHERE d.id = device.id AND ${CAN_BE_GIVEN})`;

const PAST_LIFETIME = `device.state NOT IN ${NOT_THERE} AND EXISTS (
  SELECT FROM device_models m WHERE m.id = device.model_id
    AND device.purchased_on + make_interval(months => m.lifetime_months) <= current_date)`;

function noSuch(name: string, called: string): Problem {
  const detail = `There is no ${called} with this id.`;
  return new Problem('invalid-request', detail, [{ pointer: `/${name}`, detail }]);
}

function isInserted(raw: unknown): boolean {
  return Array.isArray(raw) && raw.length > 0;
}

function known(device: Device | null): Device {
  if (!device) throw new Problem('not-found', 'There is no device with this id.');
  return device;
}
