import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { JoinersService } from '../joiners/joiners.service.js';
import { LeaversService } from '../leavers/leavers.service.js';
import { MoversService } from '../movers/movers.service.js';
import type { Employment } from '../people/employment.entity.js';
import { employedAt, EmploymentsService } from '../people/employments.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { isDatabaseAway } from '../platform/database/database-problem.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';

/** Starts and ends of employments whose instant has come, by the database's clock. */
@Injectable()
export class DueEmployments {
  constructor(
    private readonly db: DataSource,
    private readonly employments: EmploymentsService,
    private readonly joiners: JoinersService,
    private readonly leavers: LeaversService,
    private readonly movers: MoversService,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * All that are due, each in a transaction of its own. One that fails holds up no other: its error is thrown when the
   * rest is applied.
   */
  async applyDue(): Promise<number> {
    const failed = new Map<string, unknown>();
    let applied = 0;
    while (await this.applyNext(failed)) applied += 1;
    await this.tell([...failed.keys()]);
    if (failed.size === 0) return applied;
    const [[employmentId, cause] = []] = failed;
    throw new Error(`${failed.size} due employments failed, ${employmentId} among them: ${String(cause)}`, { cause });
  }

  /** False when nothing is due but what failed before. What fails now is noted. */
  private async applyNext(failed: Map<string, unknown>): Promise<boolean> {
    const taken: { id?: string } = {};
    try {
      await inTransaction(this.db, async (tx) => {
        const now = await databaseNow(tx);
        const limit = failed.size + 1;
        const due = [
          ...(await this.employments.takeDueEnds(tx, now, limit)),
          ...(await this.employments.takeDueStarts(tx, now, limit)),
        ];
        const next = due.find(({ id }) => !failed.has(id));
        taken.id = next?.id;
        if (next) await this.applyOne(tx, next, SYSTEM, now);
      });
    } catch (error) {
      if (taken.id === undefined || isDatabaseAway(error)) throw error;
      failed.set(taken.id, error);
    }
    return taken.id !== undefined;
  }

  /** Nobody waits for this work, so nobody would notice: a person is told, until it is applied after all. */
  private async tell(failing: readonly string[]): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      // Applied since, here or by a newer event. What fails in another process at this moment is due still.
      const over = await queryRows<{ key: string }>(
        tx,
        `SELECT dedup_key AS key FROM alerts WHERE kind = 'employment_stuck' AND resolved_at IS NULL AND NOT EXISTS (
           SELECT FROM employments e WHERE dedup_key = 'employment_stuck:' || e.id AND (
             (e.end_applied_at IS NULL AND e.ends_at <= now()) OR (e.start_applied_at IS NULL AND e.starts_at <= now())))`,
      );
      await this.alerts.resolve(
        tx,
        over.map(({ key }) => key),
      );
      for (const id of failing) {
        await this.alerts.raise(tx, {
          dedupKey: `employment_stuck:${id}`,
          kind: 'employment_stuck',
          severity: 'critical',
          owner: 'it-admins',
          message: `The start or end of the employment ${id} has come and can’t be applied. It is tried again; the log of the workers says why.`,
        });
      }
    });
  }

  /** Begins what is due of one employment at an instant, if anything is. The caller holds its lock. */
  async applyOne(
    tx: EntityManager,
    employment: Employment,
    actor: Actor,
    now: Date,
    how: { urgent?: boolean } = {},
  ): Promise<{ employment: Employment; caseId?: string; held?: boolean }> {
    const ended = employment.endsAt !== null && employment.endsAt <= now;
    if (ended && employment.endAppliedAt === null) return this.end(tx, employment, actor, now, how);
    if (!ended && employment.startsAt <= now && employment.startAppliedAt === null) {
      const begun = await this.joiners.begin(tx, employment, actor, now);
      return { employment: Object.assign(employment, { startAppliedAt: now }), ...begun };
    }
    return { employment };
  }

  /** The end of one of several employments takes away what only it gave; of the last one, everything. */
  private async end(
    tx: EntityManager,
    employment: Employment,
    actor: Actor,
    now: Date,
    how: { urgent?: boolean },
  ): Promise<{ employment: Employment; caseId?: string; held?: boolean }> {
    const { id, personId, endDate, zone } = employment;
    if (employment.startAppliedAt === null) await this.employments.markStartApplied(tx, id, now);
    const started = Object.assign(employment, { startAppliedAt: employment.startAppliedAt ?? now });
    const all = await this.employments.forPerson(tx, personId);
    const others = employedAt(
      all.filter((one) => one.id !== id),
      now,
    );
    if (others.length > 0) {
      await this.employments.markEndApplied(tx, id, now);
      const begun = await this.movers.apply(tx, personId, actor, now);
      return { employment: Object.assign(started, { endAppliedAt: now, endHeldAt: null }), ...begun };
    }
    const leave = await this.leavers.begin(tx, personId, actor, { employmentId: id, endDate, zone }, how);
    if (leave.held) {
      await this.employments.markEndHeld(tx, id, now);
      return { employment: Object.assign(started, { endHeldAt: now }), ...leave };
    }
    await this.employments.markEndApplied(tx, id, now);
    return { employment: Object.assign(started, { endAppliedAt: now, endHeldAt: null }), ...leave };
  }
}
