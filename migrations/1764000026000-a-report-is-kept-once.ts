import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What an agent or a device manager tells again is known again: by device, kind, source and the time as they told it, which
 * `observed_at` isn't when their clock is ahead. Rows of earlier versions, and those of the API, have no such time.
 */
export class AReportIsKeptOnce1764000026000 implements MigrationInterface {
  readonly name = 'AReportIsKeptOnce1764000026000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE device_observations ADD COLUMN told_at timestamptz`);
    await db.query(`
      CREATE UNIQUE INDEX ux_device_observations_told ON device_observations (device_id, kind, source, told_at)
      WHERE told_at IS NOT NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ux_device_observations_told`);
    await db.query(`ALTER TABLE device_observations DROP COLUMN told_at`);
  }
}
