import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A part of a name or an address is found among a million people without reading them all. The extension is trusted, so
 * that the database's owner may make it; where it isn't installed, or may not be made, the search reads the table.
 */
export class SearchAmongManyPeople1764000005000 implements MigrationInterface {
  readonly name = 'SearchAmongManyPeople1764000005000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$
      BEGIN
        IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') THEN
          CREATE EXTENSION IF NOT EXISTS pg_trgm;
          CREATE INDEX ix_people_search ON people USING gin (
            (display_name || E'\\n' || given_name || ' ' || family_name || E'\\n' || corporate_email) gin_trgm_ops);
        ELSE
          RAISE WARNING 'pg_trgm is not installed: a search among very many people will be slow';
        END IF;
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'pg_trgm may not be made by this role: a search among very many people will be slow';
      END $$`);
    await db.query(`CREATE INDEX ix_people_status ON people (status, id)`);
    await db.query(`CREATE INDEX ix_employments_department ON employments (lower(department))`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_employments_department`);
    await db.query(`DROP INDEX ix_people_status`);
    // The extension stays: somebody else's index may need it by now.
    await db.query(`DROP INDEX IF EXISTS ix_people_search`);
  }
}
