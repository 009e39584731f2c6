import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A step that one person said they did names them now, as one that two people answer for did before: what was done on a
 * word is never taken for shown. For earlier ones the name stands in the audit log.
 */
export class WordsStayWithTheirSteps1764000024000 implements MigrationInterface {
  readonly name = 'WordsStayWithTheirSteps1764000024000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE steps s SET attested_by = e.facts ->> 'attestedBy', attested_by_id = e.actor_id, attested_at = s.confirmed_at
      FROM audit_entries e
      WHERE e.step_id = s.id AND e.action = 'step.done' AND e.facts ->> 'attestedBy' IS NOT NULL
        AND s.state = 'done' AND s.attested_by IS NULL`);
  }

  /** What the names say is true: they stay. */
  async down(): Promise<void> {
    // Nothing was added but these.
  }
}
