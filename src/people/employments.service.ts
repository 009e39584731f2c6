import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
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
    return tx.findOne(Employment, { where: { source, sourceId }, lock: { mode: 'pessimistic_write' } });
  }

  async forPerson(tx: EntityManager, personId: string): Promise<Employment[]> {
    return tx.find(Employment, { where: { personId }, order: { startsAt: 'ASC', id: 'ASC' } });
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
    const id = before?.id ?? newId();
    if (before) {
      const endAppliedAt = endAppliedAtOf(before, endsAt);
      await tx.update(Employment, { id }, { ...facts, startsAt, endsAt, endAppliedAt, version: () => 'version + 1' });
    } else {
      await tx.insert(Employment, { ...facts, id, startsAt, endsAt });
    }
    await this.audit.record(tx, actor, before ? 'employment.changed' : 'employment.created', {
      subject: { kind: 'person', id: from.personId },
      facts: {
        employmentId: id,
        source: from.source,
        startDate: from.startDate,
        endDate: from.endDate,
        zone: from.zone,
      },
      personal: { department: from.department, ...(from.title === null ? {} : { title: from.title }) },
    });
    if (!before) return tx.findOneByOrFail(Employment, { id });
    const endAppliedAt = endAppliedAtOf(before, endsAt);
    return Object.assign(new Employment(), before, facts, {
      startsAt,
      endsAt,
      endAppliedAt,
      version: before.version + 1,
    });
  }

  /** Employed again under the same id: the start has to be applied once more. */
  async restart(tx: EntityManager, id: string): Promise<Employment> {
    await tx.update(Employment, { id }, { startAppliedAt: null, endAppliedAt: null });
    return tx.findOneByOrFail(Employment, { id });
  }

  async markStartApplied(tx: EntityManager, id: string, at: Date): Promise<void> {
    await tx.update(Employment, { id }, { startAppliedAt: at });
  }

  async markEndApplied(tx: EntityManager, id: string, at: Date): Promise<void> {
    await tx.update(Employment, { id }, { endAppliedAt: at });
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
      .where('employment.end_applied_at IS NULL AND employment.ends_at <= :now', { now })
      .orderBy('employment.endsAt')
      .limit(limit)
      .setLock('pessimistic_write')
      .setOnLocked('skip_locked')
      .getMany();
  }
}

/** The employments that stand at an instant: begun and not over. */
export function employedAt(employments: readonly Employment[], now: Date): Employment[] {
  return employments.filter(({ startsAt, endsAt }) => startsAt <= now && (endsAt === null || endsAt > now));
}

/** An end that was moved isn't applied yet. */
function endAppliedAtOf(before: Employment, endsAt: Date | null): Date | null {
  return before.endsAt?.getTime() === endsAt?.getTime() ? before.endAppliedAt : null;
}
