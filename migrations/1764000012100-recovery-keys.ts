import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Recovery keys of devices, never overwritten and never gone, and who read one. */
export class RecoveryKeys1764000012100 implements MigrationInterface {
  readonly name = 'RecoveryKeys1764000012100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE recovery_keys (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        protects text NOT NULL,
        secret_id uuid NOT NULL,
        source text NOT NULL,
        kept_by text NOT NULL,
        kept_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_recovery_keys PRIMARY KEY (id),
        CONSTRAINT fk_recovery_keys_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_recovery_keys_secret FOREIGN KEY (secret_id) REFERENCES secrets (id)
      )`);
    await db.query(`CREATE INDEX ix_recovery_keys_device ON recovery_keys (device_id, id)`);
    await db.query(`
      CREATE TABLE recovery_key_reveals (
        id uuid NOT NULL,
        recovery_key_id uuid NOT NULL,
        reason text NOT NULL,
        revealed_by text NOT NULL,
        revealed_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_recovery_key_reveals PRIMARY KEY (id),
        CONSTRAINT fk_recovery_key_reveals_key FOREIGN KEY (recovery_key_id) REFERENCES recovery_keys (id)
      )`);
    await db.query(`CREATE INDEX ix_recovery_key_reveals_key ON recovery_key_reveals (recovery_key_id)`);
    await db.query(`
      CREATE FUNCTION recovery_keys_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'recovery keys and who read them stay as they are';
      END $$`);
    for (const table of ['recovery_keys', 'recovery_key_reveals']) {
      await db.query(`
        CREATE TRIGGER ${table}_are_history BEFORE UPDATE OR DELETE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION recovery_keys_are_history()`);
    }
  }

  /** Refuses while there is a key: a disk may open with nothing else. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM recovery_keys) THEN
          RAISE EXCEPTION 'there are recovery keys that only this version keeps; it can''t be taken back';
        END IF;
      END $$`);
    await db.query(`DROP TABLE recovery_key_reveals`);
    await db.query(`DROP TABLE recovery_keys`);
    await db.query(`DROP FUNCTION recovery_keys_are_history()`);
  }
}
