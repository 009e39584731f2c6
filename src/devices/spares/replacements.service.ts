import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { keepWithin } from '../../platform/roles/within-reach.js';
import { SYSTEM, type Actor } from '../../platform/sign-in/actor.js';
import { CAN_BE_GIVEN } from './can-be-given.js';
import { DeviceReplacement } from './device-replacement.entity.js';

export interface LeadTime {
  lossCaseId: string;
  lostDeviceId: string;
  personId: string;
  lostAt: Date;
  reservedDeviceId: string | null;
  replacementDeviceId: string | null;
  replacedAt: Date | null;
  /** When the replacement was first seen after it was given. */
  checkedInAt: Date | null;
  /** From the loss to that. */
  leadSeconds: number | null;
}

export interface LeadTimes {
  losses: number;
  /** Those whose replacement has checked in. */
  measured: number;
  medianSeconds: number | null;
  p95Seconds: number | null;
}

/** What an observation tells of the replacement itself: that somebody has it and it works. */
const CHECKED_IN = `(SELECT min(o.observed_at) FROM device_observations o
  WHERE o.device_id = r.replacement_device_id AND o.observed_at >= r.replaced_at)`;
const LEAD = `EXTRACT(EPOCH FROM ${CHECKED_IN} - r.lost_at)`;

/** The only writer of `device_replacements`: what replaces a lost device, and how long that took. */
@Injectable()
export class Replacements {
  constructor(private readonly audit: AuditService) {}

  /**
   * A device was lost: starts the clock, and keeps a spare for the person, where there is one and they haven't left. One statement, that waits
   * for nobody's lock: it comes with the decision to cut access, and must not hold it up. At the lost one's site and of
   * its model when it can be, otherwise any.
   * @returns the device that is kept
   */
  async begin(
    tx: EntityManager,
    actor: Actor,
    { caseId, lostDeviceId, personId }: { caseId: string; lostDeviceId: string; personId: string },
  ): Promise<string | null> {
    const [begun] = await queryRows<{ reserved: string | null }>(
      tx,
      `WITH spare AS (
         SELECT d.id FROM devices d JOIN device_models m ON m.id = d.model_id
         LEFT JOIN devices lost ON lost.id = $2
         WHERE ${CAN_BE_GIVEN} AND EXISTS (SELECT FROM people p WHERE p.id = $3 AND p.status <> 'left')
         ORDER BY d.site_id IS NOT DISTINCT FROM lost.site_id DESC, d.model_id = lost.model_id DESC, d.id
         LIMIT 1 FOR UPDATE OF d SKIP LOCKED
       ), kept AS (
         UPDATE devices SET state = 'reserved', reserved_for_id = $3, reserved_for_case_id = $1, state_changed_at = now(),
           version = version + 1
         FROM spare WHERE devices.id = spare.id RETURNING devices.id
       )
       INSERT INTO device_replacements (loss_case_id, lost_device_id, person_id, reserved_device_id)
       VALUES ($1, $2, $3, (SELECT id FROM kept)) RETURNING reserved_device_id AS reserved`,
      [caseId, lostDeviceId, personId],
    );
    const reserved = begun?.reserved ?? null;
    if (reserved !== null) {
      await this.audit.record(tx, actor, 'device.reserved', {
        subject: { kind: 'device', id: reserved },
        caseId,
        facts: { reservedForId: personId },
      });
    }
    return reserved;
  }

  /**
   * Somebody was given a device: it replaces what they lost first, and what else was kept for that loss is free again. The
   * caller holds the person's lock: of two that are given at once, each replaces one loss.
   */
  async given(tx: EntityManager, personId: string, deviceId: string): Promise<void> {
    const [loss] = await queryRows<{ id: string }>(
      tx,
      `UPDATE device_replacements SET replacement_device_id = $2, replaced_at = now() WHERE loss_case_id = (
         SELECT loss_case_id FROM device_replacements WHERE person_id = $1 AND replacement_device_id IS NULL
         ORDER BY lost_at LIMIT 1) RETURNING loss_case_id AS id`,
      [personId, deviceId],
    );
    if (loss) await this.free(tx, SYSTEM, personId, { ofLoss: loss.id, caseId: loss.id });
  }

  /** They leave: what is kept for them, for whatever reason, is free again. */
  async freeLeaver(tx: EntityManager, actor: Actor, personId: string, caseId: string): Promise<void> {
    await this.free(tx, actor, personId, { ofLoss: null, caseId });
  }

  /** @param ofLoss what is kept for this loss; null: all of it. It is on record in the case. */
  private async free(
    tx: EntityManager,
    actor: Actor,
    personId: string,
    { ofLoss, caseId }: { ofLoss: string | null; caseId: string },
  ): Promise<void> {
    const freed = await queryRows<{ id: string }>(
      tx,
      prepared(`UPDATE devices SET state = 'in_stock', reserved_for_id = NULL, reserved_for_case_id = NULL,
         state_changed_at = now(), version = version + 1
       WHERE reserved_for_id = $1 AND state = 'reserved' AND ($2::uuid IS NULL OR reserved_for_case_id = $2) RETURNING id`),
      [personId, ofLoss],
    );
    await this.audit.recordAll(
      tx,
      actor,
      'device.reservation-ended',
      freed.map(({ id }) => ({ subject: { kind: 'device', id }, caseId })),
    );
  }

  /** Newest losses first. */
  async list(
    tx: EntityManager,
    actor: Actor,
    { since, before, limit }: { since: Date | null; before: string | null; limit: number },
  ): Promise<LeadTime[]> {
    const query = losses(tx, actor, since)
      .select('r.loss_case_id', 'lossCaseId')
      .addSelect('r.lost_device_id', 'lostDeviceId')
      .addSelect('r.person_id', 'personId')
      .addSelect('r.lost_at', 'lostAt')
      .addSelect('r.reserved_device_id', 'reservedDeviceId')
      .addSelect('r.replacement_device_id', 'replacementDeviceId')
      .addSelect('r.replaced_at', 'replacedAt')
      .addSelect(CHECKED_IN, 'checkedInAt')
      .addSelect(`${LEAD}::float8`, 'leadSeconds')
      .orderBy('r.loss_case_id', 'DESC')
      .limit(limit);
    if (before) query.andWhere('r.loss_case_id < :before', { before });
    return query.getRawMany<LeadTime>();
  }

  /** Over all losses since then that the actor reaches. */
  async summary(tx: EntityManager, actor: Actor, since: Date | null): Promise<LeadTimes> {
    const summary = await losses(tx, actor, since)
      .select('count(*)::int', 'losses')
      .addSelect(`count(${LEAD})::int`, 'measured')
      .addSelect(`percentile_cont(0.5) WITHIN GROUP (ORDER BY ${LEAD}::float8)`, 'medianSeconds')
      .addSelect(`percentile_cont(0.95) WITHIN GROUP (ORDER BY ${LEAD}::float8)`, 'p95Seconds')
      .getRawOne<LeadTimes>();
    if (!summary) throw new Error('PostgreSQL counts nothing');
    return summary;
  }
}

function losses(tx: EntityManager, actor: Actor, since: Date | null) {
  const query = tx.createQueryBuilder(DeviceReplacement, 'r');
  keepWithin(query, actor, 'replacement');
  if (since) query.andWhere('r.lost_at >= :since', { since });
  return query;
}
