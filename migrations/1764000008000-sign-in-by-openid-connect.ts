import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who may sign in through an OpenID provider, and what a session then has to know. The version before runs on beside this
 * one: its sessions are those of links, and to it somebody who came by the provider may do nothing.
 */
export class SignInByOpenIdConnect1764000008000 implements MigrationInterface {
  readonly name = 'SignInByOpenIdConnect1764000008000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sign_in_identities (
        id uuid NOT NULL,
        issuer text NOT NULL,
        subject text NOT NULL,
        display_name text NOT NULL,
        person_id uuid,
        admitted_at timestamptz NOT NULL DEFAULT now(),
        withdrawn_at timestamptz,
        CONSTRAINT pk_sign_in_identities PRIMARY KEY (id),
        CONSTRAINT uq_sign_in_identities_subject UNIQUE (issuer, subject),
        CONSTRAINT fk_sign_in_identities_person FOREIGN KEY (person_id) REFERENCES people (id)
      )`);
    await db.query(`CREATE INDEX ix_sign_in_identities_person ON sign_in_identities (person_id)`);
    await db.query(`
      CREATE TABLE used_once (
        digest bytea NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT pk_used_once PRIMARY KEY (digest)
      )`);
    await db.query(`
      ALTER TABLE browser_sessions
        ADD COLUMN identity_id uuid,
        ADD COLUMN authenticated_at timestamptz DEFAULT now(),
        ADD COLUMN last_seen_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN provider_session text,
        ADD COLUMN id_token_secret_id uuid,
        ADD CONSTRAINT fk_browser_sessions_identity FOREIGN KEY (identity_id) REFERENCES sign_in_identities (id),
        ADD CONSTRAINT fk_browser_sessions_id_token FOREIGN KEY (id_token_secret_id) REFERENCES secrets (id) ON DELETE SET NULL`);
    await db.query(`UPDATE browser_sessions SET authenticated_at = created_at`);
    await db.query(`CREATE INDEX ix_browser_sessions_identity ON browser_sessions (identity_id)`);
  }

  async down(db: QueryRunner): Promise<void> {
    // Nobody would know any more who they belong to; sealed ID tokens go with them.
    await db.query(`DELETE FROM secrets WHERE id IN (SELECT id_token_secret_id FROM browser_sessions)`);
    await db.query(`DELETE FROM browser_sessions WHERE identity_id IS NOT NULL`);
    await db.query(`
      ALTER TABLE browser_sessions
        DROP COLUMN id_token_secret_id,
        DROP COLUMN provider_session,
        DROP COLUMN last_seen_at,
        DROP COLUMN authenticated_at,
        DROP COLUMN identity_id`);
    await db.query(`DROP TABLE used_once`);
    await db.query(`DROP TABLE sign_in_identities`);
  }
}
