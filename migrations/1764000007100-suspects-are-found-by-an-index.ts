import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A worker looks for steps that crashed others twice a second; there are hardly ever any, and it read the whole queue. */
export class SuspectsAreFoundByAnIndex1764000007100 implements MigrationInterface {
  readonly name = 'SuspectsAreFoundByAnIndex1764000007100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE INDEX ix_steps_suspect ON steps (tool_id, lane, due_at, id)
      WHERE crashes >= 2 AND state IN ('ready', 'confirming') AND lease_owner IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_steps_suspect`);
  }
}
