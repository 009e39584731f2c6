import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { JoinersService } from '../joiners/joiners.service.js';
import { LeaversService } from '../leavers/leavers.service.js';
import { MoversService } from '../movers/movers.service.js';
import { Employment } from '../people/employment.entity.js';
import { employedAt, EmploymentsService } from '../people/employments.service.js';
import { databaseNow } from '../platform/database/database-now.js';
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
  ) {}

  /**
   * All that are due, each in a transaction of its own. One that fails holds up no other: its error is thrown when the
   * rest is applied.
   */
  async applyDue(): Promise<number> {
    const failed = new Map<string, unknown>();
    let applied = 0;
    while (await this.applyNext(failed)) applied += 1;
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
      if (taken.id === undefined) throw error;
      failed.set(taken.id, error);
    }
    return taken.id !== undefined;
  }

  /** Begins what is due of one employment at an instant, if anything is. The caller holds its lock. */
  async applyOne(
    tx: EntityManager,
    employment: Employment,
    actor: Actor,
    now: Date,
  ): Promise<{ employment: Employment; caseId?: string }> {
    const { id } = employment;
    const ended = employment.endsAt !== null && employment.endsAt <= now;
    if (ended && employment.endAppliedAt === null) {
      const caseId = await this.end(tx, employment, actor, now);
      return { employment: await tx.findOneByOrFail(Employment, { id }), ...(caseId && { caseId }) };
    }
    if (!ended && employment.startsAt <= now && employment.startAppliedAt === null) {
      const caseId = await this.joiners.begin(tx, employment, actor, now);
      return { employment: await tx.findOneByOrFail(Employment, { id }), caseId };
    }
    return { employment };
  }

  /** The end of one of several employments takes away what only it gave; of the last one, everything. */
  private async end(tx: EntityManager, employment: Employment, actor: Actor, now: Date): Promise<string | undefined> {
    if (employment.startAppliedAt === null) await this.employments.markStartApplied(tx, employment.id, now);
    await this.employments.markEndApplied(tx, employment.id, now);
    const others = employedAt(await this.employments.forPerson(tx, employment.personId), now);
    if (others.length > 0) return this.movers.apply(tx, employment.personId, actor, now);
    return this.leavers.begin(tx, employment.personId, actor, {
      employmentId: employment.id,
      endDate: employment.endDate,
      zone: employment.zone,
    });
  }
}
