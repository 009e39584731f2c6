import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A computer of which its manager can't tell ends no round any more: it is counted. */
export class RoundsCountWhatWasNotRead1764000026100 implements MigrationInterface {
  readonly name = 'RoundsCountWhatWasNotRead1764000026100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE device_manager_rounds ADD COLUMN unread integer NOT NULL DEFAULT 0`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE device_manager_rounds DROP COLUMN unread`);
  }
}
