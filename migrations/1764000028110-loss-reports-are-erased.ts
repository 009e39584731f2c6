import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What people told at `/lost` is erased some time after it was decided; the decision stays. An address that was erased is an
 * empty text, as the version before can read it.
 */
export class LossReportsAreErased1764000028110 implements MigrationInterface {
  readonly name = 'LossReportsAreErased1764000028110';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE loss_reports ADD COLUMN erased_at timestamptz, ADD CONSTRAINT ck_loss_reports_erased
        CHECK (erased_at IS NULL OR (state <> 'waiting' AND email = ''
          AND COALESCE(phone, words, from_address, reason) IS NULL))`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE loss_reports DROP COLUMN erased_at`);
  }
}
