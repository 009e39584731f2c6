import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A token is somebody's, or a service's that somebody answers for. Older tokens keep the text that they have. */
export class OwnersOfTokens1764000009300 implements MigrationInterface {
  readonly name = 'OwnersOfTokens1764000009300';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE service_principals (
        id uuid NOT NULL,
        name text NOT NULL,
        owner_person_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_service_principals PRIMARY KEY (id),
        CONSTRAINT uq_service_principals_name UNIQUE (name),
        CONSTRAINT fk_service_principals_owner FOREIGN KEY (owner_person_id) REFERENCES people (id)
      )`);
    await db.query(`CREATE INDEX ix_service_principals_owner ON service_principals (owner_person_id)`);
    await db.query(`
      ALTER TABLE api_tokens
        ADD COLUMN owner_person_id uuid,
        ADD COLUMN service_principal_id uuid,
        ADD COLUMN bound_to text,
        ADD CONSTRAINT fk_api_tokens_owner FOREIGN KEY (owner_person_id) REFERENCES people (id),
        ADD CONSTRAINT fk_api_tokens_service FOREIGN KEY (service_principal_id) REFERENCES service_principals (id),
        ADD CONSTRAINT ck_api_tokens_one_owner CHECK (owner_person_id IS NULL OR service_principal_id IS NULL)`);
    await db.query(`CREATE INDEX ix_api_tokens_owner ON api_tokens (owner_person_id) WHERE revoked_at IS NULL`);
    // Who may make tokens may see them: that was one scope before, and nothing asked for it.
    for (const holder of ['api_tokens', 'sign_in_links', 'browser_sessions']) {
      await db.query(
        `UPDATE ${holder} SET scopes = scopes || '{tokens:read}'::text[] WHERE 'tokens:write' = ANY(scopes)`,
      );
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const holder of ['api_tokens', 'sign_in_links', 'browser_sessions']) {
      await db.query(`UPDATE ${holder} SET scopes = array_remove(scopes, 'tokens:read')`);
    }
    await db.query(`DROP INDEX ix_api_tokens_owner`);
    await db.query(`
      ALTER TABLE api_tokens
        DROP CONSTRAINT ck_api_tokens_one_owner,
        DROP CONSTRAINT fk_api_tokens_service,
        DROP CONSTRAINT fk_api_tokens_owner,
        DROP COLUMN bound_to,
        DROP COLUMN service_principal_id,
        DROP COLUMN owner_person_id`);
    await db.query(`DROP TABLE service_principals`);
  }
}
