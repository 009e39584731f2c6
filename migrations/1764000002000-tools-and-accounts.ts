import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tools with what they can bear; accounts with desired beside observed state; the access policy's versions. */
export class ToolsAndAccounts1764000002000 implements MigrationInterface {
  readonly name = 'ToolsAndAccounts1764000002000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE tools (
        id uuid NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        connector text NOT NULL,
        environment text NOT NULL,
        settings jsonb NOT NULL,
        secret_ids jsonb NOT NULL DEFAULT '{}',
        allow_private_addresses boolean NOT NULL DEFAULT false,
        owners text[] NOT NULL,
        own_principal text,
        state text NOT NULL DEFAULT 'active',
        paused_until timestamptz,
        pause_reason text,
        checked_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_tools PRIMARY KEY (id),
        CONSTRAINT uq_tools_key UNIQUE (key),
        CONSTRAINT ck_tools_environment CHECK (environment IN ('production', 'test')),
        CONSTRAINT ck_tools_state CHECK (state IN ('active', 'paused', 'retired')),
        CONSTRAINT ck_tools_owners CHECK (cardinality(owners) > 0)
      )`);
    // What a tool can bear, in two rows that are locked apart: the emergency lane never waits for the other's lock.
    await db.query(`
      CREATE TABLE tool_budgets (
        tool_id uuid NOT NULL,
        share text NOT NULL,
        concurrency integer NOT NULL,
        calls_per_second double precision NOT NULL,
        burst double precision NOT NULL,
        allowance double precision NOT NULL,
        refilled_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_tool_budgets PRIMARY KEY (tool_id, share),
        CONSTRAINT fk_tool_budgets_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT ck_tool_budgets_share CHECK (share IN ('shared', 'reserved')),
        CONSTRAINT ck_tool_budgets_positive CHECK (concurrency > 0 AND calls_per_second > 0 AND burst >= 1)
      )`);
    await db.query(`
      CREATE TABLE accounts (
        id uuid NOT NULL,
        tool_id uuid NOT NULL,
        person_id uuid,
        kind text NOT NULL DEFAULT 'person',
        purpose text NOT NULL DEFAULT 'primary',
        username text NOT NULL,
        external_id text,
        mark text,
        desired_state text NOT NULL,
        observed_state text NOT NULL DEFAULT 'unknown',
        observed_at timestamptz,
        observed_source text,
        live_sessions integer,
        residual_until timestamptz,
        credential_version text,
        credentials_reset_at timestamptz,
        generation bigint NOT NULL DEFAULT 0,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_accounts PRIMARY KEY (id),
        CONSTRAINT fk_accounts_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT fk_accounts_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT uq_accounts_external_id UNIQUE (tool_id, external_id),
        CONSTRAINT uq_accounts_purpose UNIQUE (person_id, tool_id, purpose),
        CONSTRAINT ck_accounts_kind CHECK (kind IN ('person', 'service', 'shared')),
        CONSTRAINT ck_accounts_desired CHECK (desired_state IN ('active', 'suspended', 'absent')),
        CONSTRAINT ck_accounts_observed CHECK (observed_state IN ('unknown', 'absent', 'active', 'suspended')),
        CONSTRAINT ck_accounts_observed_at CHECK (observed_state = 'unknown' OR observed_at IS NOT NULL)
      )`);
    await db.query(`CREATE INDEX ix_accounts_tool ON accounts (tool_id)`);
    await db.query(`
      CREATE TABLE grants (
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        desired text NOT NULL,
        observed text NOT NULL DEFAULT 'unknown',
        observed_at timestamptz,
        generation bigint NOT NULL,
        CONSTRAINT pk_grants PRIMARY KEY (id),
        CONSTRAINT fk_grants_account FOREIGN KEY (account_id) REFERENCES accounts (id),
        CONSTRAINT uq_grants_name UNIQUE (account_id, kind, name),
        CONSTRAINT ck_grants_kind CHECK (kind IN ('group', 'role', 'licence')),
        CONSTRAINT ck_grants_desired CHECK (desired IN ('present', 'absent')),
        CONSTRAINT ck_grants_observed CHECK (observed IN ('unknown', 'present', 'absent'))
      )`);
    await db.query(`
      CREATE TABLE credentials (
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        device_id uuid,
        kind text NOT NULL,
        external_id text,
        state text NOT NULL,
        issued_at timestamptz NOT NULL,
        observed_at timestamptz,
        revoked_at timestamptz,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_account FOREIGN KEY (account_id) REFERENCES accounts (id),
        CONSTRAINT fk_credentials_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('password', 'key', 'certificate', 'token')),
        CONSTRAINT ck_credentials_state CHECK (state IN ('pending', 'live', 'revoked', 'unknown'))
      )`);
    await db.query(`CREATE INDEX ix_credentials_account ON credentials (account_id)`);
    // A password on its way to its person: sealed until a one-time link shows it, once.
    await db.query(`
      CREATE TABLE credential_handovers (
        id uuid NOT NULL,
        credential_id uuid NOT NULL,
        secret_id uuid,
        link_hash bytea,
        link_expires_at timestamptz,
        opened_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_credential_handovers PRIMARY KEY (id),
        CONSTRAINT uq_credential_handovers_credential UNIQUE (credential_id),
        CONSTRAINT uq_credential_handovers_link UNIQUE (link_hash),
        CONSTRAINT fk_credential_handovers_credential FOREIGN KEY (credential_id) REFERENCES credentials (id),
        CONSTRAINT fk_credential_handovers_secret FOREIGN KEY (secret_id) REFERENCES secrets (id),
        CONSTRAINT ck_credential_handovers_opened CHECK (opened_at IS NULL OR secret_id IS NULL)
      )`);
    await db.query(`
      CREATE TABLE sessions (
        id uuid NOT NULL,
        account_id uuid NOT NULL,
        external_id text NOT NULL,
        state text NOT NULL,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_sessions PRIMARY KEY (id),
        CONSTRAINT fk_sessions_account FOREIGN KEY (account_id) REFERENCES accounts (id),
        CONSTRAINT uq_sessions_external_id UNIQUE (account_id, external_id),
        CONSTRAINT ck_sessions_state CHECK (state IN ('live', 'ended'))
      )`);
    await db.query(`
      CREATE TABLE device_enrolments (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        tool_id uuid NOT NULL,
        external_id text NOT NULL,
        state text NOT NULL,
        observed_at timestamptz NOT NULL,
        CONSTRAINT pk_device_enrolments PRIMARY KEY (id),
        CONSTRAINT fk_device_enrolments_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_enrolments_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT uq_device_enrolments_external_id UNIQUE (tool_id, external_id),
        CONSTRAINT ck_device_enrolments_state CHECK (state IN ('enrolled', 'gone', 'unknown'))
      )`);
    await db.query(`
      CREATE TABLE policy_versions (
        id uuid NOT NULL,
        digest text NOT NULL,
        source text NOT NULL,
        document jsonb NOT NULL,
        active boolean NOT NULL,
        activated_at timestamptz NOT NULL DEFAULT now(),
        activated_by text NOT NULL,
        CONSTRAINT pk_policy_versions PRIMARY KEY (id),
        CONSTRAINT uq_policy_versions_digest UNIQUE (digest)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_policy_versions_active ON policy_versions (active) WHERE active`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'policy_versions',
      'device_enrolments',
      'sessions',
      'credential_handovers',
      'credentials',
      'grants',
      'accounts',
      'tool_budgets',
      'tools',
    ]) {
      await db.query(`DROP TABLE ${table}`);
    }
  }
}
