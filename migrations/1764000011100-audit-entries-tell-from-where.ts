import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Audit entries tell from where something was done, with which approval, and what was before and after. The version
 * before seals such entries as it knows them: `leaf_version` says which form was sealed.
 */
export class AuditEntriesTellFromWhere1764000011100 implements MigrationInterface {
  readonly name = 'AuditEntriesTellFromWhere1764000011100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE audit_entries ADD COLUMN context jsonb, ADD COLUMN leaf_version smallint`);
    await db.query(historyFunction(`'leaf_index' - 'leaf_hash' - 'leaf_version'`));
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(historyFunction(`'leaf_index' - 'leaf_hash'`));
    await db.query(`ALTER TABLE audit_entries DROP COLUMN leaf_version, DROP COLUMN context`);
  }
}

/** @param sealed the columns that the sealer may fill in, once */
function historyFunction(sealed: string): string {
  return `
    CREATE OR REPLACE FUNCTION audit_entries_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND OLD.leaf_index IS NULL
         AND (to_jsonb(NEW) - ${sealed}) = (to_jsonb(OLD) - ${sealed}) THEN
        RETURN NEW;
      END IF;
      RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
    END $$`;
}
