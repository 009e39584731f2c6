import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Entries get a place in a Merkle tree, and signed checkpoints tell how large it was and what was in it. */
export class TheAuditLogIsSealed1764000006000 implements MigrationInterface {
  readonly name = 'TheAuditLogIsSealed1764000006000';

  async up(db: QueryRunner): Promise<void> {
    // What the sealer has to remember, and its key once `quartermaster init` has made one. Only the sealer locks the row.
    await db.query(`
      CREATE TABLE audit_log (
        id smallint NOT NULL,
        size bigint NOT NULL DEFAULT 0,
        frontier bytea NOT NULL,
        key_name text,
        public_key bytea,
        secret_id uuid,
        CONSTRAINT pk_audit_log PRIMARY KEY (id),
        CONSTRAINT ck_audit_log_single CHECK (id = 1),
        CONSTRAINT ck_audit_log_key CHECK (num_nulls(key_name, public_key, secret_id) IN (0, 3))
      )`);
    await db.query(`INSERT INTO audit_log (id, frontier) VALUES (1, '')`);
    await db.query(`
      CREATE TABLE audit_checkpoints (
        size bigint NOT NULL,
        note text NOT NULL,
        sealed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_audit_checkpoints PRIMARY KEY (size)
      )`);
    await db.query(`
      CREATE FUNCTION audit_checkpoints_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'checkpoints of the audit log are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER audit_checkpoints_are_history BEFORE UPDATE OR DELETE ON audit_checkpoints
      FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_are_history()`);
    await db.query(`CREATE INDEX ix_audit_entries_unsealed ON audit_entries (at, id) WHERE leaf_index IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_audit_entries_unsealed`);
    await db.query(`DROP TABLE audit_checkpoints`);
    await db.query(`DROP FUNCTION audit_checkpoints_are_history()`);
    await db.query(`DROP TABLE audit_log`);
  }
}
