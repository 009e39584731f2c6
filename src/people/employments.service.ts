import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { SqlStatement } from '../platform/audit/audit-statement.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { prepared } from '../platform/database/prepared.js';
import { readEntities } from '../platform/database/read-entities.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Employment } from './employment.entity.js';
import { endOfLocalDay, startOfLocalDay } from './start-instant.js';

/** An employment as its HR source tells it; instants are made from the local dates here. */
export interface EmploymentFromSource {
  personId: string;
  source: string;
  sourceId: string;
  department: string;
  title: string | null;
  employmentType: string;
  location: string | null;
  zone: string;
  /** First day, `YYYY-MM-DD` in `zone`. */
  startDate: string;
  /** Last day, `YYYY-MM-DD` in `zone`: access ends when it is over. Null: no end is known. */
  endDate: string | null;
  /** For a leave that counts at once: overrides the end of the last day. */
  endsAt?: Date;
  lastEventAt: Date;
  lastEventSequence: number;
}

/** The only writer of `employments`. Whether an event is newer than the last one is decided by `orderOf`, before. */
@Injectable()
export class EmploymentsService {
  constructor(private readonly audit: AuditService) {}

  /** Locks what it finds: two events about one employment are taken one after the other. */
  async lockBySource(tx: EntityManager, source: string, sourceId: string): Promise<Employment | null> {
    const [found] = await readEntities(tx, Employment, `WHERE source = $1 AND source_id = $2 FOR UPDATE`, [
      source,
      sourceId,
    ]);
    return found ?? null;
  }

  async forPerson(tx: EntityManager, personId: string): Promise<Employment[]> {
    return readEntities(tx, Employment, `WHERE person_id = $1 ORDER BY starts_at, id`, [personId]);
  }

  /**
   * Writes what the source says. A changed end is not applied yet, so its mark is taken off; a changed start keeps
   * its mark: whoever has begun doesn't begin again.
   * @param known what `lockBySource` answered in this transaction
   */
  async upsert(
    tx: EntityManager,
    actor: Actor,
    from: EmploymentFromSource,
    known?: Employment | null,
  ): Promise<Employment> {
    const { endsAt: endsAtOnce, ...facts } = from;
    const startsAt = startOfLocalDay(from.startDate, from.zone);
    const endsAt = from.endDate === null ? null : (endsAtOnce ?? endOfLocalDay(from.endDate, from.zone));
    const before = known === undefined ? await this.lockBySource(tx, from.source, from.sourceId) : known;
    const after = Object.assign(new Employment(), facts, {
      id: before?.id ?? newId(),
      startsAt,
      startAppliedAt: before?.startAppliedAt ?? null,
      endsAt,
      ...(before ? endMarksOf(before, endsAt) : { endAppliedAt: null, endHeldAt: null }),
      version: before ? before.version + 1 : 1,
    });
    await this.audit.recordChange(tx, writing(after), actor, before ? 'employment.changed' : 'employment.created', {
      subject: { kind: 'person', id: from.personId },
      facts: {
        employmentId: after.id,
        source: from.source,
        startDate: from.startDate,
        endDate: from.endDate,
        zone: from.zone,
      },
      ...(before && {
        before: { startDate: before.startDate, endDate: before.endDate, zone: before.zone },
        after: { startDate: from.startDate, endDate: from.endDate, zone: from.zone },
      }),
      personal: { department: from.department, ...(from.title === null ? {} : { title: from.title }) },
    });
    return after;
  }

  /** Employed again under the same id: the start has to be applied once more. */
  async restart(tx: EntityManager, id: string): Promise<Employment> {
    await tx.update(Employment, { id }, { startAppliedAt: null, endAppliedAt: null, endHeldAt: null });
    return tx.findOneByOrFail(Employment, { id });
  }

  async markStartApplied(tx: EntityManager, id: string, at: Date): Promise<void> {
    await tx.query(prepared(`UPDATE employments SET start_applied_at = $2 WHERE id = $1`), [id, at]);
  }

  async markEndApplied(tx: EntityManager, id: string, at: Date): Promise<void> {
    await tx.query(prepared(`UPDATE employments SET end_applied_at = $2, end_held_at = NULL WHERE id = $1`), [id, at]);
  }

  /** The end has come and a brake holds what follows from it: nobody begins it again. */
  async markEndHeld(tx: EntityManager, id: string, at: Date): Promise<void> {
    await tx.query(`UPDATE employments SET end_held_at = $2 WHERE id = $1`, [id, at]);
  }

  /** What a brake held of the person's ends is carried out. */
  async applyHeldEnds(tx: EntityManager, personId: string): Promise<void> {
    await tx.query(
      `UPDATE employments SET end_applied_at = now(), end_held_at = NULL WHERE person_id = $1 AND end_held_at IS NOT NULL`,
      [personId],
    );
  }

  /** Starts that have come and aren't applied, earliest first, locked; what another process has locked is left to it. */
  async takeDueStarts(tx: EntityManager, now: Date, limit: number): Promise<Employment[]> {
    return tx
      .createQueryBuilder(Employment, 'employment')
      .where('employment.start_applied_at IS NULL AND employment.starts_at <= :now', { now })
      .orderBy('employment.startsAt')
      .limit(limit)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
  }

  /** Ends that have come and aren't applied; as `takeDueStarts`. */
  async takeDueEnds(tx: EntityManager, now: Date, limit: number): Promise<Employment[]> {
    return tx
      .createQueryBuilder(Employment, 'employment')
      .where('employment.end_applied_at IS NULL AND employment.end_held_at IS NULL AND employment.ends_at <= :now', {
        now,
      })
      .orderBy('employment.endsAt')
      .limit(limit)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
  }
}

/** An employment is written whole, whether it is there or not; the caller holds the lock of one that is. */
function writing(employment: Employment): SqlStatement {
  const { id, personId, source, sourceId, department, title, employmentType, location, zone } = employment;
  const { startDate, startsAt, endDate, endsAt, endAppliedAt, endHeldAt } = employment;
  const { lastEventAt, lastEventSequence, version } = employment;
  return {
    sql: `
    INSERT INTO employments (id, person_id, source, source_id, department, title, employment_type, location, zone,
      start_date, starts_at, end_date, ends_at, end_applied_at, end_held_at, last_event_at, last_event_sequence, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT ON CONSTRAINT pk_employments DO UPDATE
    SET person_id = EXCLUDED.person_id, department = EXCLUDED.department, title = EXCLUDED.title,
      employment_type = EXCLUDED.employment_type, location = EXCLUDED.location, zone = EXCLUDED.zone,
      start_date = EXCLUDED.start_date, starts_at = EXCLUDED.starts_at, end_date = EXCLUDED.end_date,
      ends_at = EXCLUDED.ends_at, end_applied_at = EXCLUDED.end_applied_at, end_held_at = EXCLUDED.end_held_at,
      last_event_at = EXCLUDED.last_event_at, last_event_sequence = EXCLUDED.last_event_sequence, version = EXCLUDED.version`,
    parameters: [
      id,
      personId,
      source,
      sourceId,
      department,
      title,
      employmentType,
      location,
      zone,
      startDate,
      startsAt,
      endDate,
      endsAt,
      endAppliedAt,
      endHeldAt,
      lastEventAt,
      lastEventSequence,
      version,
    ],
  };
}

/** The employments that stand at an instant: begun and not over; one whose end a brake holds goes on. */
export function employedAt(employments: readonly Employment[], now: Date): Employment[] {
  return employments.filter(
    ({ startsAt, endsAt, endHeldAt }) => startsAt <= now && (endsAt === null || endsAt > now || endHeldAt !== null),
  );
}

/** An end that was moved isn't applied yet, and not held. */
function endMarksOf(before: Employment, endsAt: Date | null): Pick<Employment, 'endAppliedAt' | 'endHeldAt'> {
  const { endAppliedAt, endHeldAt } = before;
  const isSame = before.endsAt?.getTime() === endsAt?.getTime();
  return isSame ? { endAppliedAt, endHeldAt } : { endAppliedAt: null, endHeldAt: null };
}
