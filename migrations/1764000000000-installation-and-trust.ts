import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The installation itself, its sealed secrets, who may call it, and the audit log. */
export class InstallationAndTrust1764000000000 implements MigrationInterface {
  readonly name = 'InstallationAndTrust1764000000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE installation (
        id smallint NOT NULL,
        epoch integer NOT NULL DEFAULT 1,
        key_fingerprint text NOT NULL,
        environment text NOT NULL,
        revoke_only boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_installation PRIMARY KEY (id),
        CONSTRAINT ck_installation_single CHECK (id = 1),
        CONSTRAINT ck_installation_environment CHECK (environment IN ('production', 'test'))
      )`);
    await db.query(`
      CREATE TABLE secrets (
        id uuid NOT NULL,
        purpose text NOT NULL,
        version integer NOT NULL DEFAULT 1,
        key_fingerprint text NOT NULL,
        wrapped_key bytea NOT NULL,
        sealed bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_secrets PRIMARY KEY (id)
      )`);
    await db.query(`
      CREATE TABLE api_tokens (
        id uuid NOT NULL,
        name text NOT NULL,
        token_hash bytea NOT NULL,
        scopes text[] NOT NULL,
        owner text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_api_tokens PRIMARY KEY (id),
        CONSTRAINT uq_api_tokens_hash UNIQUE (token_hash)
      )`);
    await db.query(`
      CREATE TABLE sign_in_links (
        id uuid NOT NULL,
        token_hash bytea NOT NULL,
        actor_name text NOT NULL,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        CONSTRAINT pk_sign_in_links PRIMARY KEY (id),
        CONSTRAINT uq_sign_in_links_hash UNIQUE (token_hash)
      )`);
    await db.query(`
      CREATE TABLE browser_sessions (
        id uuid NOT NULL,
        token_hash bytea NOT NULL,
        actor_name text NOT NULL,
        scopes text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_browser_sessions PRIMARY KEY (id),
        CONSTRAINT uq_browser_sessions_hash UNIQUE (token_hash)
      )`);
    await db.query(`
      CREATE TABLE idempotency_keys (
        actor_id text NOT NULL,
        key text NOT NULL,
        route text NOT NULL,
        body_digest bytea NOT NULL,
        locked_until timestamptz,
        status integer,
        response jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor_id, key)
      )`);
    await db.query(`
      CREATE TABLE audit_entries (
        id uuid NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        action text NOT NULL,
        actor_kind text NOT NULL,
        actor_id text NOT NULL,
        subject_kind text,
        subject_id text,
        case_id uuid,
        step_id uuid,
        facts jsonb NOT NULL DEFAULT '{}',
        commitments jsonb NOT NULL DEFAULT '{}',
        leaf_index bigint,
        leaf_hash bytea,
        CONSTRAINT pk_audit_entries PRIMARY KEY (id),
        CONSTRAINT uq_audit_entries_leaf UNIQUE (leaf_index)
      )`);
    await db.query(`CREATE INDEX ix_audit_entries_case ON audit_entries (case_id)`);
    await db.query(`CREATE INDEX ix_audit_entries_subject ON audit_entries (subject_id)`);
    await db.query(`
      CREATE TABLE audit_personal_fields (
        entry_id uuid NOT NULL,
        name text NOT NULL,
        salt bytea NOT NULL,
        value text NOT NULL,
        CONSTRAINT pk_audit_personal_fields PRIMARY KEY (entry_id, name),
        CONSTRAINT fk_audit_personal_fields_entry FOREIGN KEY (entry_id) REFERENCES audit_entries (id)
      )`);
    // An entry is history: only the sealer may complete it, once; personal fields may be erased, never edited.
    await db.query(`
      CREATE FUNCTION audit_entries_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.leaf_index IS NULL
           AND (to_jsonb(NEW) - 'leaf_index' - 'leaf_hash') = (to_jsonb(OLD) - 'leaf_index' - 'leaf_hash') THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER audit_entries_are_history BEFORE UPDATE OR DELETE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION audit_entries_are_history()`);
    await db.query(`
      CREATE FUNCTION audit_personal_fields_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'personal fields of the audit log are erased, never edited' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER audit_personal_fields_are_history BEFORE UPDATE ON audit_personal_fields
      FOR EACH ROW EXECUTE FUNCTION audit_personal_fields_are_history()`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'audit_personal_fields',
      'audit_entries',
      'idempotency_keys',
      'browser_sessions',
      'sign_in_links',
      'api_tokens',
      'secrets',
      'installation',
    ]) {
      await db.query(`DROP TABLE ${table}`);
    }
    await db.query(`DROP FUNCTION audit_entries_are_history()`);
    await db.query(`DROP FUNCTION audit_personal_fields_are_history()`);
  }
}
