import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Who read a recovery key, by the actor's id and with whose approval; and which keys are to be replaced. The version
 * before leaves both out of what it writes: its readings count by name.
 */
export class RecoveryKeysAreRotated1764000014100 implements MigrationInterface {
  readonly name = 'RecoveryKeysAreRotated1764000014100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE recovery_key_reveals
        ADD COLUMN revealed_by_id text,
        ADD COLUMN approval_id uuid,
        ADD CONSTRAINT fk_recovery_key_reveals_approval FOREIGN KEY (approval_id) REFERENCES approvals (id)`);
    await db.query(`CREATE INDEX ix_recovery_key_reveals_at ON recovery_key_reveals (revealed_at)`);
    await db.query(`
      CREATE TABLE recovery_key_rotations (
        recovery_key_id uuid NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT now(),
        because text NOT NULL,
        CONSTRAINT pk_recovery_key_rotations PRIMARY KEY (recovery_key_id),
        CONSTRAINT fk_recovery_key_rotations_key FOREIGN KEY (recovery_key_id) REFERENCES recovery_keys (id),
        CONSTRAINT ck_recovery_key_rotations_because CHECK (because IN ('revealed', 'handed_back'))
      )`);
    await db.query(`
      CREATE TRIGGER recovery_key_rotations_are_history BEFORE UPDATE OR DELETE ON recovery_key_rotations
      FOR EACH ROW EXECUTE FUNCTION recovery_keys_are_history()`);
    // What was read before this version is as well known as what is read after it.
    await db.query(`
      INSERT INTO recovery_key_rotations (recovery_key_id, asked_at, because)
      SELECT recovery_key_id, min(revealed_at), 'revealed' FROM recovery_key_reveals GROUP BY recovery_key_id`);
    // By a trigger, so that no way of giving a device on can forget it. Whoever had it may know the key.
    await db.query(`
      CREATE FUNCTION recovery_key_outlives_holder() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO recovery_key_rotations (recovery_key_id, because)
        SELECT DISTINCT ON (k.protects) k.id, 'handed_back' FROM recovery_keys k WHERE k.device_id = NEW.id
        ORDER BY k.protects, k.id DESC
        ON CONFLICT (recovery_key_id) DO NOTHING;
        RETURN NULL;
      END $$`);
    await db.query(`
      CREATE TRIGGER recovery_key_outlives_holder AFTER UPDATE OF holder_id ON devices
      FOR EACH ROW WHEN (OLD.holder_id IS NOT NULL AND NEW.holder_id IS DISTINCT FROM OLD.holder_id)
      EXECUTE FUNCTION recovery_key_outlives_holder()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER recovery_key_outlives_holder ON devices`);
    await db.query(`DROP FUNCTION recovery_key_outlives_holder()`);
    await db.query(`DROP TABLE recovery_key_rotations`);
    await db.query(`DROP INDEX ix_recovery_key_reveals_at`);
    await db.query(`ALTER TABLE recovery_key_reveals DROP COLUMN approval_id, DROP COLUMN revealed_by_id`);
  }
}
