import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { newId } from '../../platform/ids/new-id.js';
import { keepWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Replacements } from '../spares/replacements.service.js';
import { DeviceReturn } from './device-return.entity.js';
import { OUTSTANDING, refuseReturnUnless, type ReturnState } from './return-states.js';

/** A return with what people call its device. */
export type KnownReturn = DeviceReturn & { assetTag: string };

export interface ReturnsFilter {
  state?: ReturnState | undefined;
  outstanding?: boolean | undefined;
  overdue?: boolean | undefined;
  personId?: string | undefined;
  deviceId?: string | undefined;
}

/** One that is outstanding, for whoever reminds people of it. */
export interface OutstandingReturn {
  id: string;
  state: ReturnState;
  assetTag: string;
  askedAt: Date;
  receivedAt: Date | null;
  personName: string;
  email: string;
  hasLeft: boolean;
}

/** SQL, of a return `r`: asked for, or received and left lying, before the last three days. */
const OVERDUE = `r.state IN ('asked', 'sent', 'received') AND coalesce(r.received_at, r.asked_at) < now() - interval '3 days'`;

type Wanted = Pick<DeviceReturn, 'deviceId' | 'personId'> & Partial<Pick<DeviceReturn, 'caseId' | 'siteId'>>;

/** The only writer of `device_returns`. */
@Injectable()
export class ReturnRecords {
  constructor(
    private readonly audit: AuditService,
    private readonly replacements: Replacements,
  ) {}

  async ask(tx: EntityManager, actor: Actor, wanted: Wanted): Promise<KnownReturn> {
    const id = newId();
    await tx.insert(DeviceReturn, { ...wanted, id, askedBy: actor.name });
    await this.audit.record(tx, actor, 'device.return-asked', {
      subject: { kind: 'device', id: wanted.deviceId },
      ...(wanted.caseId && { caseId: wanted.caseId }),
      facts: { returnId: id, personId: wanted.personId },
    });
    return this.get(tx, id);
  }

  /**
   * Everything that somebody has: they leave. What was asked for before belongs to this leave from now on, and what was kept
   * for them is free again. The caller holds the person's lock, so that nothing more is given to them.
   */
  async askLeaver(tx: EntityManager, actor: Actor, personId: string, caseId: string): Promise<void> {
    const devices = await queryRows<{ id: string; siteId: string | null }>(
      tx,
      prepared(`SELECT d.id, d.site_id AS "siteId" FROM devices d
       WHERE d.holder_id = $1 AND d.state = 'assigned' ORDER BY d.id FOR UPDATE`),
      [personId],
    );
    for (const { id: deviceId, siteId } of devices) {
      const outstanding = await this.outstandingFor(tx, deviceId);
      if (outstanding) await tx.update(DeviceReturn, { id: outstanding.id }, { caseId });
      else await this.ask(tx, actor, { deviceId, personId, caseId, siteId });
    }
    await this.replacements.freeLeaver(tx, actor, personId, caseId);
  }

  /**
   * @param change what the new state needs
   * @throws Problem `conflict` for a move that isn't allowed
   */
  async move(
    tx: EntityManager,
    actor: Actor,
    { id, deviceId, caseId, state: from }: DeviceReturn,
    to: ReturnState,
    { change, facts = {}, reason }: Move,
  ): Promise<KnownReturn> {
    refuseReturnUnless(from, to);
    await tx.update(DeviceReturn, { id }, { ...change, state: to });
    await this.audit.record(tx, actor, `device.return-${to.replace('_', '-')}`, {
      subject: { kind: 'device', id: deviceId },
      ...(caseId && { caseId }),
      facts: { returnId: id, ...facts },
      ...(reason !== undefined && { reason }),
    });
    return this.get(tx, id);
  }

  /** It is back on the shelf in one act, with nothing said about its condition. */
  async finishAtOnce(tx: EntityManager, actor: Actor, outstanding: DeviceReturn): Promise<void> {
    const received =
      outstanding.state === 'received'
        ? outstanding
        : await this.move(tx, actor, outstanding, 'received', { change: receivedBy(actor) });
    await this.move(tx, actor, received, 'inspected', {
      change: { ...inspectedBy(actor), condition: 'not_stated', wiped: 'unknown' },
      facts: { condition: 'not_stated', wiped: 'unknown' },
    });
  }

  /** The one that is outstanding for a device, locked. */
  async outstandingFor(tx: EntityManager, deviceId: string): Promise<DeviceReturn | null> {
    return tx.findOne(DeviceReturn, {
      where: { deviceId, state: In([...OUTSTANDING]) },
      lock: { mode: 'pessimistic_write' },
    });
  }

  async find(tx: EntityManager, id: string): Promise<DeviceReturn | null> {
    return tx.findOneBy(DeviceReturn, { id });
  }

  /** Of one leave, in the order in which they were asked for. */
  async ofCase(tx: EntityManager, actor: Actor, caseId: string): Promise<KnownReturn[]> {
    const query = tx.createQueryBuilder(DeviceReturn, 'r').where('r.case_id = :caseId', { caseId }).orderBy('r.id');
    keepWithin(query, actor, 'return');
    return withTags(tx, await query.getMany());
  }

  /** Newest first. */
  async list(
    tx: EntityManager,
    actor: Actor,
    { state, outstanding, overdue, personId, deviceId }: ReturnsFilter,
    page: { before: string | null; limit: number },
  ): Promise<KnownReturn[]> {
    const query = tx.createQueryBuilder(DeviceReturn, 'r').orderBy('r.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'return');
    if (page.before) query.andWhere('r.id < :before', { before: page.before });
    if (state) query.andWhere('r.state = :state', { state });
    if (outstanding !== undefined) {
      query.andWhere(`r.state ${outstanding ? '' : 'NOT '}IN (:...outstanding)`, { outstanding: OUTSTANDING });
    }
    if (overdue !== undefined) query.andWhere(overdue ? OVERDUE : `NOT (${OVERDUE})`);
    if (personId) query.andWhere('r.person_id = :personId', { personId });
    if (deviceId) query.andWhere('r.device_id = :deviceId', { deviceId });
    return withTags(tx, await query.getMany());
  }

  /** At most 200, oldest first. */
  async overdue(tx: EntityManager): Promise<OutstandingReturn[]> {
    return queryRows<OutstandingReturn>(
      tx,
      `SELECT r.id, r.state, d.asset_tag AS "assetTag", r.asked_at AS "askedAt", r.received_at AS "receivedAt",
         p.display_name AS "personName", p.corporate_email AS email, p.status = 'left' AS "hasLeft"
       FROM device_returns r JOIN devices d ON d.id = r.device_id JOIN people p ON p.id = r.person_id
       WHERE ${OVERDUE}
       ORDER BY r.asked_at LIMIT 200`,
    );
  }

  private async get(tx: EntityManager, id: string): Promise<KnownReturn> {
    const [known] = await withTags(tx, await tx.findBy(DeviceReturn, { id }));
    if (!known) throw new Error('the return is gone');
    return known;
  }
}

interface Move {
  change: Partial<Omit<DeviceReturn, 'receivedAt' | 'inspectedAt' | 'writtenOffAt' | 'sentAt'>> & Times;
  facts?: Record<string, unknown>;
  reason?: string;
}

type Times = { [Name in 'receivedAt' | 'inspectedAt' | 'writtenOffAt' | 'sentAt']?: () => string };

/** By the database's clock. */
const now = (): string => 'now()';

export function receivedBy({ name }: Actor) {
  return { receivedAt: now, receivedBy: name };
}

export function inspectedBy({ name }: Actor) {
  return { inspectedAt: now, inspectedBy: name };
}

export function writtenOffBy({ name }: Actor) {
  return { writtenOffAt: now, writtenOffBy: name };
}

export function sentNow() {
  return { sentAt: now };
}

async function withTags(tx: EntityManager, returns: DeviceReturn[]): Promise<KnownReturn[]> {
  if (returns.length === 0) return [];
  const tags = await queryRows<{ id: string; assetTag: string }>(
    tx,
    `SELECT id, asset_tag AS "assetTag" FROM devices WHERE id = ANY ($1)`,
    [returns.map(({ deviceId }) => deviceId)],
  );
  return returns.map((one) =>
    Object.assign(one, { assetTag: tags.find(({ id }) => id === one.deviceId)?.assetTag ?? '' }),
  );
}
