import type { MigrationInterface, QueryRunner } from 'typeorm';

/** osquery's agents: the secrets that they enrol with, the nodes that enrolled, and what is installed on devices. */
export class Osquery1764000016100 implements MigrationInterface {
  readonly name = 'Osquery1764000016100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE osquery_enrolment_secrets (
        id uuid NOT NULL,
        name text NOT NULL,
        secret_hash bytea NOT NULL,
        uses integer NOT NULL,
        used integer NOT NULL DEFAULT 0,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_osquery_enrolment_secrets PRIMARY KEY (id),
        CONSTRAINT uq_osquery_enrolment_secrets_hash UNIQUE (secret_hash),
        CONSTRAINT ck_osquery_enrolment_secrets_used CHECK (used BETWEEN 0 AND uses)
      )`);
    await db.query(`
      CREATE TABLE osquery_nodes (
        id uuid NOT NULL,
        key_hash bytea NOT NULL,
        secret_id uuid NOT NULL,
        device_id uuid,
        host_identifier text NOT NULL,
        hardware_uuid text,
        serial text,
        hostname text,
        os text,
        agent_version text,
        enrolled_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz,
        online_noted_at timestamptz,
        asked_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT pk_osquery_nodes PRIMARY KEY (id),
        CONSTRAINT uq_osquery_nodes_key UNIQUE (key_hash),
        CONSTRAINT fk_osquery_nodes_secret FOREIGN KEY (secret_id) REFERENCES osquery_enrolment_secrets (id),
        CONSTRAINT fk_osquery_nodes_device FOREIGN KEY (device_id) REFERENCES devices (id)
      )`);
    for (const column of ['hardware_uuid', 'serial', 'device_id']) {
      await db.query(
        `CREATE UNIQUE INDEX ux_osquery_nodes_${column} ON osquery_nodes (${column}) WHERE ended_at IS NULL`,
      );
    }
    await db.query(`
      CREATE TABLE device_packages (
        device_id uuid NOT NULL,
        packages jsonb NOT NULL,
        source text NOT NULL,
        observed_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_packages PRIMARY KEY (device_id),
        CONSTRAINT fk_device_packages_device FOREIGN KEY (device_id) REFERENCES devices (id)
      )`);
  }

  /** Agents enrol again with a new secret when the tables come back. */
  async down(db: QueryRunner): Promise<void> {
    for (const table of ['device_packages', 'osquery_nodes', 'osquery_enrolment_secrets']) {
      await db.query(`DROP TABLE ${table}`);
    }
  }
}
