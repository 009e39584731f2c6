import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The audit log's tree is kept in tiles, so that proofs cost little, and it is known how far it is published where. */
export class TheAuditLogIsPublished1764000011000 implements MigrationInterface {
  readonly name = 'TheAuditLogIsPublished1764000011000';

  async up(db: QueryRunner): Promise<void> {
    // Made from the entries; what is read here is always held against a signed checkpoint.
    await db.query(`
      CREATE TABLE audit_tile_roots (
        level smallint NOT NULL,
        index bigint NOT NULL,
        hash bytea NOT NULL,
        CONSTRAINT pk_audit_tile_roots PRIMARY KEY (level, index)
      )`);
    await db.query(`
      CREATE TABLE audit_publications (
        target text NOT NULL,
        size bigint NOT NULL DEFAULT 0,
        published_at timestamptz,
        failing_since timestamptz,
        problem text,
        lease_owner uuid,
        lease_until timestamptz,
        CONSTRAINT pk_audit_publications PRIMARY KEY (target),
        CONSTRAINT ck_audit_publications_failing CHECK ((failing_since IS NULL) = (problem IS NULL)),
        CONSTRAINT ck_audit_publications_lease CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE audit_publications`);
    await db.query(`DROP TABLE audit_tile_roots`);
  }
}
