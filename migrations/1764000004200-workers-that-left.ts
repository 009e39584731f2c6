import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A worker that was told to stop says so; one that is gone without that died. */
export class WorkersThatLeft1764000004200 implements MigrationInterface {
  readonly name = 'WorkersThatLeft1764000004200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE workers ADD COLUMN left_at timestamptz`);
    // Those from before this migration aren't mourned.
    await db.query(`UPDATE workers SET left_at = gone_at WHERE gone_at IS NOT NULL`);
    await db.query(`CREATE INDEX ix_workers_present ON workers (started_at) WHERE gone_at IS NULL`);
    await db.query(`CREATE INDEX ix_workers_gone ON workers (gone_at) WHERE gone_at IS NOT NULL AND left_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_workers_gone`);
    await db.query(`DROP INDEX ix_workers_present`);
    await db.query(`ALTER TABLE workers DROP COLUMN left_at`);
  }
}
