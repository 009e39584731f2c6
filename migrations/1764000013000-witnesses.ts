import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Witnesses cosign the audit log's checkpoints; what they signed is kept beside them, and published with them. */
export class Witnesses1764000013000 implements MigrationInterface {
  readonly name = 'Witnesses1764000013000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE audit_cosignatures (
        size bigint NOT NULL,
        key text NOT NULL,
        line text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_audit_cosignatures PRIMARY KEY (size, key),
        CONSTRAINT fk_audit_cosignatures_checkpoint FOREIGN KEY (size) REFERENCES audit_checkpoints (size)
      )`);
    await db.query(`
      CREATE TABLE audit_witnesses (
        id uuid NOT NULL,
        name text NOT NULL,
        public_key bytea NOT NULL,
        url text NOT NULL,
        allow_private_addresses boolean NOT NULL,
        size bigint NOT NULL DEFAULT 0,
        cosigned_at timestamptz,
        ask_after timestamptz NOT NULL DEFAULT now(),
        failing_since timestamptz,
        problem text,
        added_at timestamptz NOT NULL DEFAULT now(),
        removed_at timestamptz,
        CONSTRAINT pk_audit_witnesses PRIMARY KEY (id),
        CONSTRAINT ck_audit_witnesses_failing CHECK ((failing_since IS NULL) = (problem IS NULL))
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_audit_witnesses_name ON audit_witnesses (name) WHERE removed_at IS NULL`);
    await db.query(`ALTER TABLE audit_publications ADD COLUMN cosignatures integer NOT NULL DEFAULT 0`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE audit_publications DROP COLUMN cosignatures`);
    await db.query(`DROP TABLE audit_witnesses`);
    await db.query(`DROP TABLE audit_cosignatures`);
  }
}
