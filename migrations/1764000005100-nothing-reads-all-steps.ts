import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a worker, a sweep or a webhook asks again and again is found by an index, however many steps there are. */
export class NothingReadsAllSteps1764000005100 implements MigrationInterface {
  readonly name = 'NothingReadsAllSteps1764000005100';

  async up(db: QueryRunner): Promise<void> {
    // The sweep looks for steps to quarantine twice a second; there are hardly ever any.
    await db.query(`CREATE INDEX ix_steps_lone_crashes ON steps (lone_crashes) WHERE lone_crashes > 0`);
    // What a dead worker left open.
    await db.query(`CREATE INDEX ix_attempts_open ON attempts (worker_id) WHERE outcome IS NULL`);
    // Whoever plans access asks what is still being taken away from the person.
    await db.query(`
      CREATE INDEX ix_steps_unfinished_revocations ON steps (person_id)
      WHERE effect = 'revoke' AND state NOT IN ('done', 'waived')`);
    // A new user name is held against those that are taken at the tool.
    await db.query(`CREATE INDEX ix_accounts_username ON accounts (tool_id, lower(username) text_pattern_ops)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_accounts_username`);
    await db.query(`DROP INDEX ix_steps_unfinished_revocations`);
    await db.query(`DROP INDEX ix_attempts_open`);
    await db.query(`DROP INDEX ix_steps_lone_crashes`);
  }
}
