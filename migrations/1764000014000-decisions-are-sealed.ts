import type { MigrationInterface, QueryRunner } from 'typeorm';

/** That somebody approved an act can be proved later, when it is done. The version before leaves the seal out. */
export class DecisionsAreSealed1764000014000 implements MigrationInterface {
  readonly name = 'DecisionsAreSealed1764000014000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE approvals ADD COLUMN decision_seal text`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE approvals DROP COLUMN decision_seal`);
  }
}
