import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who asked for a case, and who took a grant of it over by trying it again. Null: not known, as of older cases. */
export class WhoAsked1764000009200 implements MigrationInterface {
  readonly name = 'WhoAsked1764000009200';

  async up(db: QueryRunner): Promise<void> {
    for (const table of ['cases', 'steps']) {
      await db.query(`
        ALTER TABLE ${table}
          ADD COLUMN requested_by text,
          ADD COLUMN requested_by_kind text,
          ADD CONSTRAINT ck_${table}_requested_by CHECK ((requested_by IS NULL) = (requested_by_kind IS NULL))`);
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of ['steps', 'cases']) {
      await db.query(`
        ALTER TABLE ${table}
          DROP CONSTRAINT ck_${table}_requested_by,
          DROP COLUMN requested_by_kind,
          DROP COLUMN requested_by`);
    }
  }
}
