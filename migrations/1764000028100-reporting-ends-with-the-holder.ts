import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['device_tokens', 'osquery_nodes'];

/**
 * What a machine reports with ends when it leaves the person who had it, and says why it ended. What was ended before, or by
 * the version before beside this one, says nothing. What outlived a holder before this isn't ended by it: nobody would know
 * why those machines fell silent.
 */
export class ReportingEndsWithTheHolder1764000028100 implements MigrationInterface {
  readonly name = 'ReportingEndsWithTheHolder1764000028100';

  async up(db: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await db.query(`
        ALTER TABLE ${table} ADD COLUMN ended_because text, ADD CONSTRAINT ck_${table}_ended_because
          CHECK (ended_because IN ('replaced', 'withdrawn', 'handed_back', 'retired'))`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of TABLES) await db.query(`ALTER TABLE ${table} DROP COLUMN ended_because`);
  }
}
