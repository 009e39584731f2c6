import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When an HR system's newest event came is found by an index: the inbox only grows. It doesn't begin with the source: plans
 * that are kept from when the inbox was empty would take it for the one that finds an employee's events.
 */
export class TheNewestEventOfAnHrSource1764000028000 implements MigrationInterface {
  readonly name = 'TheNewestEventOfAnHrSource1764000028000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE INDEX ix_inbox_events_newest ON inbox_events (received_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_inbox_events_newest`);
  }
}
