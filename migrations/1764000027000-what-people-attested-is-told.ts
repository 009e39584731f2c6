import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A step that was done on one person's word tells whose it was; until now only its audit entry did, and its evidence took
 * it for shown by the tool. Those whose entries were dropped stay as they are. Nothing is taken back on the way down: the
 * version before knows these columns, and shows who says so.
 */
export class WhatPeopleAttestedIsTold1764000027000 implements MigrationInterface {
  readonly name = 'WhatPeopleAttestedIsTold1764000027000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE steps s SET attested_by = e.facts->>'attestedBy', attested_by_id = e.actor_id, attested_at = s.confirmed_at
      FROM audit_entries e
      WHERE e.step_id = s.id AND e.action = 'step.done' AND e.facts->>'attestedBy' IS NOT NULL
        AND s.state = 'done' AND s.attested_by IS NULL`);
  }

  async down(): Promise<void> {}
}
