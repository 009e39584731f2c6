import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DeviceException } from './device-exception.entity.js';
import { Device } from './device.entity.js';

export interface NewException {
  /** Who answers for it. */
  ownerId: string;
  reason: string;
  /** Its last day. */
  endsOn: string;
}

/** An exception that stands, with what people call its device. */
export type StandingException = Pick<
  DeviceException,
  'id' | 'deviceId' | 'ownerId' | 'reason' | 'endsOn' | 'grantedBy' | 'grantedAt'
> & { assetTag: string; overdue: boolean };

/** So that somebody can be told. */
type OverdueException = StandingException & { ownerEmail: string; ownerHasLeft: boolean };

/** What has passed its last day by the database's clock. */
const OVERDUE = 'exception.ends_on < current_date';

/** The only writer of `device_exceptions`. */
@Injectable()
export class DeviceExceptions {
  constructor(private readonly audit: AuditService) {}

  /**
   * Tolerates a device that isn't standard, in place of the exception that stands.
   * @throws Problem `not-found`; `conflict` for a device of a standard model; `invalid-request` for an unknown owner or a day that is over
   */
  async grant(tx: EntityManager, actor: Actor, deviceId: string, want: NewException): Promise<StandingException> {
    await requireWithin(tx, actor, 'device', deviceId);
    const [device] = await queryRows<{ standard: boolean; isOver: boolean; hasOwner: boolean }>(
      tx,
      `SELECT m.standard, $2::date < current_date AS "isOver",
         EXISTS (SELECT FROM people p WHERE p.id = $3 AND p.status <> 'left') AS "hasOwner"
       FROM devices d JOIN device_models m ON m.id = d.model_id WHERE d.id = $1 FOR UPDATE OF d`,
      [deviceId, want.endsOn, want.ownerId],
    );
    if (!device) throw new Problem('not-found', 'There is no device with this id.');
    if (device.standard) throw new Problem('conflict', 'The device’s model is standard: it needs no exception.');
    if (device.isOver) throw invalid('/endsOn', 'This day is over. Say until when it is tolerated.');
    if (!device.hasOwner) throw invalid('/ownerId', 'There is nobody here with this id who could answer for it.');
    await this.endStanding(tx, deviceId);
    const id = newId();
    await tx.insert(DeviceException, { ...want, id, deviceId, grantedBy: actor.name });
    await this.audit.record(tx, actor, 'device-exception.granted', {
      subject: { kind: 'device', id: deviceId },
      facts: { exceptionId: id, ownerId: want.ownerId, endsOn: want.endsOn },
      reason: want.reason,
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` for a device without a standing exception */
  async end(tx: EntityManager, actor: Actor, deviceId: string): Promise<void> {
    await requireWithin(tx, actor, 'device', deviceId);
    const ended = await this.endStanding(tx, deviceId);
    if (ended.length === 0) throw new Problem('not-found', 'This device has no exception that stands.');
    await this.audit.recordAll(
      tx,
      actor,
      'device-exception.ended',
      ended.map(({ id }) => ({ subject: { kind: 'device', id: deviceId }, facts: { exceptionId: id } })),
    );
  }

  /** Those that stand, by id. @param overdue only those that have passed their last day */
  async list(
    tx: EntityManager,
    actor: Actor,
    { overdue }: { overdue?: boolean | undefined },
    page: { after: string | null; limit: number },
  ): Promise<StandingException[]> {
    const query = standing(tx).limit(page.limit);
    keepWithin(query, actor, 'device');
    if (page.after) query.andWhere('exception.id > :after', { after: page.after });
    if (overdue !== undefined) query.andWhere(overdue ? OVERDUE : `NOT (${OVERDUE})`);
    return query.getRawMany<StandingException>();
  }

  /** Those overdue, of devices that are still here, and who answers for each. At most 200 of them. */
  async overdue(tx: EntityManager): Promise<OverdueException[]> {
    return standing(tx)
      .innerJoin('people', 'owner', 'owner.id = exception.owner_id')
      .addSelect('owner.corporate_email', 'ownerEmail')
      .addSelect(`owner.status = 'left'`, 'ownerHasLeft')
      .andWhere(OVERDUE)
      .andWhere(`device.state NOT IN ('retired', 'disposed')`)
      .limit(200)
      .getRawMany<OverdueException>();
  }

  private async get(tx: EntityManager, id: string): Promise<StandingException> {
    const found = await standing(tx).andWhere('exception.id = :id', { id }).getRawOne<StandingException>();
    if (!found) throw new Error('the exception is gone');
    return found;
  }

  private async endStanding(tx: EntityManager, deviceId: string): Promise<{ id: string }[]> {
    return queryRows<{ id: string }>(
      tx,
      `UPDATE device_exceptions SET ended_at = now() WHERE device_id = $1 AND ended_at IS NULL RETURNING id`,
      [deviceId],
    );
  }
}

function standing(tx: EntityManager) {
  return tx
    .createQueryBuilder(Device, 'device')
    .innerJoin('device_exceptions', 'exception', 'exception.device_id = device.id AND exception.ended_at IS NULL')
    .select('exception.id', 'id')
    .addSelect('exception.device_id', 'deviceId')
    .addSelect('exception.owner_id', 'ownerId')
    .addSelect('exception.reason', 'reason')
    .addSelect('exception.ends_on::text', 'endsOn')
    .addSelect('exception.granted_by', 'grantedBy')
    .addSelect('exception.granted_at', 'grantedAt')
    .addSelect('device.asset_tag', 'assetTag')
    .addSelect(OVERDUE, 'overdue')
    .orderBy('exception.id');
}

function invalid(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer, detail }]);
}
