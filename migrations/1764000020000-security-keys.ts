import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Security keys of whoever signs in through the provider, and when a session was last shown with one. The version before
 * runs on beside this one: to it a sign-in at the provider is enough, until it is gone.
 */
export class SecurityKeys1764000020000 implements MigrationInterface {
  readonly name = 'SecurityKeys1764000020000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE security_keys (
        id uuid NOT NULL,
        identity_id uuid NOT NULL,
        name text NOT NULL,
        credential_id text NOT NULL,
        public_key bytea NOT NULL,
        counter bigint NOT NULL,
        transports text[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        copied_at timestamptz,
        CONSTRAINT pk_security_keys PRIMARY KEY (id),
        CONSTRAINT uq_security_keys_credential UNIQUE (credential_id),
        CONSTRAINT fk_security_keys_identity FOREIGN KEY (identity_id) REFERENCES sign_in_identities (id)
      )`);
    await db.query(`CREATE INDEX ix_security_keys_identity ON security_keys (identity_id)`);
    await db.query(`
      CREATE TABLE key_challenges (
        session_id uuid NOT NULL,
        purpose text NOT NULL,
        challenge text NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_key_challenges PRIMARY KEY (session_id, purpose),
        CONSTRAINT fk_key_challenges_session FOREIGN KEY (session_id) REFERENCES browser_sessions (id),
        CONSTRAINT ck_key_challenges_purpose CHECK (purpose IN ('register', 'step_up'))
      )`);
    await db.query(`ALTER TABLE browser_sessions ADD COLUMN key_used_at timestamptz`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE browser_sessions DROP COLUMN key_used_at`);
    await db.query(`DROP TABLE key_challenges`);
    await db.query(`DROP TABLE security_keys`);
  }
}
