import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a person leaves as proof of what they did by hand, and tools where another person has to confirm it. New columns
 * are empty or false: the version before runs on beside this one.
 */
export class EvidenceAndASecondPerson1764000007000 implements MigrationInterface {
  readonly name = 'EvidenceAndASecondPerson1764000007000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE tools ADD COLUMN requires_second_person boolean NOT NULL DEFAULT false`);
    await db.query(`
      ALTER TABLE steps
        ADD COLUMN attested_by text,
        ADD COLUMN attested_by_id text,
        ADD COLUMN attested_at timestamptz,
        ADD CONSTRAINT ck_steps_attested CHECK
          ((attested_by IS NULL) = (attested_by_id IS NULL) AND (attested_by IS NULL) = (attested_at IS NULL))`);
    await db.query(`
      CREATE TABLE step_evidence (
        step_id uuid NOT NULL,
        sha256 text NOT NULL,
        file_name text NOT NULL,
        bytes integer NOT NULL,
        secret_id uuid NOT NULL,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_step_evidence PRIMARY KEY (step_id, sha256),
        CONSTRAINT fk_step_evidence_step FOREIGN KEY (step_id) REFERENCES steps (id),
        CONSTRAINT fk_step_evidence_secret FOREIGN KEY (secret_id) REFERENCES secrets (id),
        CONSTRAINT ck_step_evidence_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        CONSTRAINT ck_step_evidence_bytes CHECK (bytes > 0)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE step_evidence`);
    await db.query(`
      ALTER TABLE steps
        DROP CONSTRAINT ck_steps_attested,
        DROP COLUMN attested_at,
        DROP COLUMN attested_by_id,
        DROP COLUMN attested_by`);
    await db.query(`ALTER TABLE tools DROP COLUMN requires_second_person`);
  }
}
