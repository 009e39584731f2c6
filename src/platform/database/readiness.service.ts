import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Problem } from '../errors/problem.js';
import { within } from '../lifecycle/within.js';
import { pendingMigrations } from './migration-state.js';

const DEADLINE_MS = 2_000;

/** Whether PostgreSQL answers, and has all the tables that this code expects. */
@Injectable()
export class DatabaseReadiness {
  constructor(private readonly db: DataSource) {}

  /**
   * Asks at once and waits 2 s at most: a pool without a free connection isn't ready either.
   * @throws Problem `unavailable`
   */
  async require(): Promise<void> {
    await this.ask().catch((error: unknown) => {
      if (error instanceof Problem) throw error;
      throw new Problem('unavailable', `The database did not answer within ${DEADLINE_MS / 1000} seconds.`);
    });
  }

  private async ask(): Promise<void> {
    const pending = await within(DEADLINE_MS, pendingMigrations(this.db));
    if (pending.length > 0) {
      throw new Problem(
        'unavailable',
        `The database lacks ${pending.length} migrations. Run \`quartermaster migrate up\`.`,
      );
    }
  }
}
