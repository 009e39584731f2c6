import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whether a machine was away already when it was reported, so that what was decided in its earlier case still counts; or
 * was back in between, and nothing does. What the version before takes beside this one counts as a loss of its own: what
 * was ordered before is given by nobody then, and a person is told.
 */
export class ReportsOfTheSameLoss1764000027500 implements MigrationInterface {
  readonly name = 'ReportsOfTheSameLoss1764000027500';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE losses ADD COLUMN continues boolean NOT NULL DEFAULT false`);
    // The transaction that took the report wrote this entry exactly when the machine hadn't been away.
    await db.query(`
      UPDATE losses l SET continues = true FROM cases c
      WHERE c.id = l.case_id
        AND EXISTS (SELECT FROM losses e WHERE e.device_id = l.device_id AND e.case_id < l.case_id)
        AND NOT EXISTS (SELECT FROM audit_entries a
          WHERE a.subject_id = l.device_id::text AND a.action = 'device.lost' AND a.at = c.opened_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE losses DROP COLUMN continues`);
  }
}
