import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { HeldSteps } from '../cases/held-steps.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { newId } from '../platform/ids/new-id.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import { BrakeLimits } from './brake-limits.service.js';
import { allowedOf, decideBrake, sourceOf, type BrakeKind } from './decide-brake.js';

/** A case of a person that a brake holds. */
export interface HeldCase {
  caseId: string;
  brakeId: string;
  kind: BrakeKind;
}

export interface Change {
  kind: BrakeKind;
  actor: Actor;
  personId: string;
  /** Somebody has to be out at once: a brake that stands doesn't hold it, the limit does. */
  urgent?: boolean;
}

export interface Verdict {
  passes: boolean;
  /** What a brake holds of this person already. */
  held: HeldCase[];
}

/** As many rows are made at once at most; whoever needs more makes more. */
const SLOTS_AT_ONCE = 200;

/** Of a brake `k`: each of its cases was let go, taken out, or closed by something else. */
export const HOLDS_NOTHING = `NOT EXISTS (
  SELECT 1 FROM braked_cases b JOIN cases c ON c.id = b.case_id
  WHERE b.brake_id = k.id AND b.outcome = 'held' AND c.state = 'open')`;

/** Limits of volume, by what is done and by who does it. Always in the caller's transaction, with the person locked. */
@Injectable()
export class Brakes {
  constructor(
    private readonly limits: BrakeLimits,
    private readonly steps: HeldSteps,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /**
   * Whether one more change of this kind passes. What passes takes a slot that nobody used for an hour: one statement,
   * and nobody waits for anybody. Only when no slot is free is the limit asked, one change after the other.
   */
  async admit(tx: EntityManager, change: Change): Promise<Verdict> {
    const first = await this.takeSlot(tx, change);
    if (first.passes || (first.standing && !change.urgent)) return first;
    const { kind, actor } = change;
    const source = sourceOf(actor);
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 1))`, [`brake ${kind} ${source}`]);
    // Whoever held the lock before may have made slots.
    const second = await this.takeSlot(tx, change);
    if (second.passes) return second;
    const volume = await this.volume(tx, kind, source);
    const { standing } = second;
    const limit = await this.limits.of(tx, kind);
    if (decideBrake({ ...volume, standing, urgent: change.urgent ?? false }, limit) === 'hold') return second;
    const room = Math.min(allowedOf(limit, volume.staff) - volume.recent, SLOTS_AT_ONCE);
    await this.makeSlots(tx, kind, source, room);
    if (room < 1) await this.countOnce(tx, kind, source);
    return { ...second, passes: true };
  }

  /** Notes that the case's steps are held, and tells people of it once. */
  async hold(tx: EntityManager, { kind, actor, personId }: Change, caseId: string): Promise<void> {
    const source = sourceOf(actor);
    const brake = (await this.addTo(tx, kind, source)) ?? (await this.begin(tx, kind, source));
    await tx.query(`INSERT INTO braked_cases (case_id, brake_id, person_id) VALUES ($1, $2, $3)`, [
      caseId,
      brake.id,
      personId,
    ]);
    const key = alertKey(brake.id);
    const message = this.messageOf(kind, nameOf(actor, source), brake);
    await this.alerts.raise(tx, {
      dedupKey: key,
      kind: 'brake_held',
      severity: 'critical',
      owner: 'it-admins',
      message,
    });
    if (brake.held > 1) await this.alerts.reword(tx, key, message);
  }

  /** What brakes hold of a person. */
  async heldOf(tx: EntityManager, personId: string): Promise<HeldCase[]> {
    return queryRows<HeldCase>(
      tx,
      `SELECT b.case_id AS "caseId", b.brake_id AS "brakeId", k.kind FROM braked_cases b JOIN brakes k ON k.id = b.brake_id
       WHERE b.person_id = $1 AND b.outcome = 'held'`,
      [personId],
    );
  }

  /** A newer decision about the person takes the case out of its brake: it won't be done. */
  async drop(tx: EntityManager, held: HeldCase, actor: Actor, reason: string): Promise<void> {
    await this.steps.drop(tx, held.caseId, actor, reason);
    await this.takenOut(tx, held);
  }

  /** Of those that were held for a person, what a newer decision replaced: its case has closed. */
  async replaced(tx: EntityManager, held: readonly HeldCase[]): Promise<void> {
    if (held.length === 0) return;
    const closed = await queryRows<{ id: string }>(tx, `SELECT id FROM cases WHERE id = ANY($1) AND state = 'closed'`, [
      held.map(({ caseId }) => caseId),
    ]);
    for (const one of held.filter(({ caseId }) => closed.some(({ id }) => id === caseId))) await this.takenOut(tx, one);
  }

  /** The case is no matter of the brake any more. */
  async takenOut(tx: EntityManager, { caseId, brakeId }: HeldCase): Promise<void> {
    await tx.query(`UPDATE braked_cases SET outcome = 'taken_out', ended_at = now() WHERE case_id = $1`, [caseId]);
    await this.endIfEmpty(tx, brakeId);
  }

  /** A brake that holds nothing more ends. */
  async endIfEmpty(tx: EntityManager, brakeId: string): Promise<void> {
    // Locked first: whoever adds a case at this moment is seen by the count below.
    await tx.query(`SELECT 1 FROM brakes WHERE id = $1 FOR UPDATE`, [brakeId]);
    const emptied = await queryRows(
      tx,
      `UPDATE brakes k SET state = 'emptied', ended_at = now(), ended_by = $2
       WHERE k.id = $1 AND k.state = 'standing' AND ${HOLDS_NOTHING} RETURNING k.id`,
      [brakeId, SYSTEM.name],
    );
    if (emptied.length > 0) await this.ended(tx, brakeId);
  }

  /** Nobody needs to decide about the brake any more. */
  async ended(tx: EntityManager, brakeId: string): Promise<void> {
    await this.alerts.resolve(tx, [alertKey(brakeId), overdueKey(brakeId)]);
  }

  private async takeSlot(
    tx: EntityManager,
    { kind, actor, personId, urgent = false }: Change,
  ): Promise<Verdict & { standing: boolean }> {
    const [seen] = await queryRows<{ passes: boolean; standing: boolean; held: HeldCase[] | null }>(
      tx,
      prepared(`WITH standing AS (
         SELECT 1 FROM brakes WHERE kind = $1 AND source = $2 AND state = 'standing'
       ), free AS (
         SELECT id FROM brake_slots
         WHERE kind = $1 AND source = $2 AND used_at <= now() - interval '1 hour' AND valid_until > now()
           AND ($4 OR NOT EXISTS (SELECT 1 FROM standing))
         ORDER BY used_at LIMIT 1 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE brake_slots s SET used_at = now() FROM free WHERE s.id = free.id RETURNING s.id
       )
       SELECT EXISTS (SELECT 1 FROM taken) AS passes, EXISTS (SELECT 1 FROM standing) AS standing,
         (SELECT jsonb_agg(jsonb_build_object('caseId', b.case_id, 'brakeId', b.brake_id, 'kind', k.kind))
          FROM braked_cases b JOIN brakes k ON k.id = b.brake_id
          WHERE b.person_id = $3 AND b.outcome = 'held') AS held`),
      [kind, sourceOf(actor), personId, urgent],
    );
    if (!seen) throw new Error('a statement without FROM answers one row');
    return { ...seen, held: seen.held ?? [] };
  }

  /** What passed within the hour or is about to: nobody found a slot free, so each that counts is in use. */
  private async volume(tx: EntityManager, kind: BrakeKind, source: string): Promise<{ recent: number; staff: number }> {
    const [volume] = await queryRows<{ recent: number; staff: number }>(
      tx,
      `SELECT (SELECT count(*)::int FROM brake_slots WHERE kind = $1 AND source = $2
           AND (valid_until > now() OR used_at > now() - interval '1 hour')) AS recent,
         (SELECT count(*)::int FROM people WHERE status = 'active') AS staff`,
      [kind, source],
    );
    if (!volume) throw new Error('a statement without FROM answers one row');
    return volume;
  }

  /** The first of them is taken by the change that asked. */
  private async makeSlots(tx: EntityManager, kind: BrakeKind, source: string, count: number): Promise<void> {
    await tx.query(
      `DELETE FROM brake_slots
       WHERE kind = $1 AND source = $2 AND valid_until <= now() AND used_at <= now() - interval '1 hour'`,
      [kind, source],
    );
    await tx.query(
      `INSERT INTO brake_slots (id, kind, source, used_at, valid_until)
       SELECT s.id, $1, $2, CASE WHEN s.place = 1 THEN now() ELSE '-infinity'::timestamptz END, now() + interval '1 day'
       FROM unnest($3::uuid[]) WITH ORDINALITY AS s (id, place)`,
      [kind, source, Array.from({ length: count }, () => newId())],
    );
  }

  /** It passed where the limit has no room: it counts for its hour, and leaves no room behind. */
  private async countOnce(tx: EntityManager, kind: BrakeKind, source: string): Promise<void> {
    await tx.query(
      `INSERT INTO brake_slots (id, kind, source, used_at, valid_until) VALUES ($1, $2, $3, now(), now())`,
      [newId(), kind, source],
    );
  }

  private async addTo(tx: EntityManager, kind: BrakeKind, source: string): Promise<Counted | undefined> {
    const [brake] = await queryRows<Counted>(
      tx,
      `UPDATE brakes SET held = held + 1 WHERE kind = $1 AND source = $2 AND state = 'standing'
       RETURNING id, held, allowed, staff`,
      [kind, source],
    );
    return brake;
  }

  private async begin(tx: EntityManager, kind: BrakeKind, source: string): Promise<Counted> {
    const { staff } = await this.volume(tx, kind, source);
    const allowed = allowedOf(await this.limits.of(tx, kind), staff);
    const id = newId();
    const [brake] = await queryRows<Counted>(
      tx,
      `INSERT INTO brakes AS k (id, kind, source, allowed, staff) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (kind, source) WHERE state = 'standing' DO UPDATE SET held = k.held + 1
       RETURNING k.id, k.held, k.allowed, k.staff`,
      [id, kind, source, allowed, staff],
    );
    if (!brake) throw new Error('an upsert answers its row');
    if (brake.id === id) {
      await this.audit.record(tx, SYSTEM, 'brake.began', {
        subject: { kind: 'brake', id },
        facts: { kind, source, allowed, staff },
      });
    }
    return brake;
  }

  private messageOf(kind: BrakeKind, who: string, { id, held, allowed, staff }: Counted): string {
    const what = `${who} exceeded the limit of ${allowed} ${kind} an hour (${staff} active people).`;
    const where = `${this.config.publicUrl}/v1/brakes/${id}`;
    return `${what} ${held} held, nothing of them is done until two people decide: quartermaster brakes show ${id}, ${where}`;
  }
}

interface Counted {
  id: string;
  held: number;
  allowed: number;
  staff: number;
}

/** The key of what reminds people of a brake. */
export function overdueKey(brakeId: string): string {
  return `brake_overdue:${brakeId}`;
}

function alertKey(brakeId: string): string {
  return `brake_held:${brakeId}`;
}

/** With the name of somebody whom the source tells by an id only. */
function nameOf({ name }: Actor, source: string): string {
  return /^(user|person):/.test(source) ? `${name} (${source})` : source;
}
