import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When an HR system's newest event came is found by an index: the inbox only grows. */
export class TheNewestEventOfAnHrSource1764000028000 implements MigrationInterface {
  readonly name = 'TheNewestEventOfAnHrSource1764000028000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE INDEX ix_inbox_events_newest ON inbox_events (source, received_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_inbox_events_newest`);
  }
}
