import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Old entries may be dropped once the log says so; what the tree has to know of them stays. */
export class OldAuditEntriesMayBeDropped1764000011200 implements MigrationInterface {
  readonly name = 'OldAuditEntriesMayBeDropped1764000011200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE audit_log
        ADD COLUMN kept_from bigint NOT NULL DEFAULT 0,
        ADD COLUMN kept_frontier bytea NOT NULL DEFAULT ''`);
    await db.query(`
      CREATE FUNCTION audit_entries_may_be_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.leaf_index < (SELECT kept_from FROM audit_log) THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'audit entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`DROP TRIGGER audit_entries_are_history ON audit_entries`);
    await db.query(`
      CREATE TRIGGER audit_entries_are_history BEFORE UPDATE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION audit_entries_are_history()`);
    await db.query(`
      CREATE TRIGGER audit_entries_may_be_dropped BEFORE DELETE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION audit_entries_may_be_dropped()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER audit_entries_may_be_dropped ON audit_entries`);
    await db.query(`DROP TRIGGER audit_entries_are_history ON audit_entries`);
    await db.query(`
      CREATE TRIGGER audit_entries_are_history BEFORE UPDATE OR DELETE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION audit_entries_are_history()`);
    await db.query(`DROP FUNCTION audit_entries_may_be_dropped()`);
    await db.query(`ALTER TABLE audit_log DROP COLUMN kept_frontier, DROP COLUMN kept_from`);
  }
}
