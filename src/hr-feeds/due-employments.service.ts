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

  /** One that is due, if any, in a transaction of its own, again and again: a broken one holds up no other for long. */
  async applyDue(): Promise<number> {
    for (let applied = 0; ; applied += 1) {
      const more = await inTransaction(this.db, async (tx) => {
        const now = await databaseNow(tx);
        const [employment] = [
          ...(await this.employments.takeDueEnds(tx, now, 1)),
          ...(await this.employments.takeDueStarts(tx, now, 1)),
        ];
        if (!employment) return false;
        await this.applyOne(tx, employment.id, SYSTEM);
        return true;
      });
      if (!more) return applied;
    }
  }

  /** Begins what is due of one employment, if anything is. */
  async applyOne(
    tx: EntityManager,
    employmentId: string,
    actor: Actor,
  ): Promise<{ employment: Employment; caseId?: string }> {
    const now = await databaseNow(tx);
    const employment = await tx.findOneByOrFail(Employment, { id: employmentId });
    const ended = employment.endsAt !== null && employment.endsAt <= now;
    if (ended && employment.endAppliedAt === null) {
      const caseId = await this.end(tx, employment, actor, now);
      return { employment: await tx.findOneByOrFail(Employment, { id: employmentId }), ...(caseId && { caseId }) };
    }
    if (!ended && employment.startsAt <= now && employment.startAppliedAt === null) {
      const caseId = await this.joiners.begin(tx, employment, actor, now);
      return { employment: await tx.findOneByOrFail(Employment, { id: employmentId }), caseId };
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
