import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Keys that wrap data keys, each wrapped itself by a provider. Until the first rotation there is none, and the
 * installation's own key wraps: so does the version before, which runs on beside this one. The lock lets a key be
 * retired only when nobody is about to seal under it; who comes too late starts its transaction again.
 */
export class SealingKeys1764000012000 implements MigrationInterface {
  readonly name = 'SealingKeys1764000012000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sealing_keys (
        fingerprint text NOT NULL,
        ring text NOT NULL,
        provider text NOT NULL,
        key_name text NOT NULL,
        wrapped bytea,
        state text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        retired_at timestamptz,
        CONSTRAINT pk_sealing_keys PRIMARY KEY (fingerprint),
        CONSTRAINT ck_sealing_keys_ring CHECK (ring IN ('standard', 'recovery')),
        CONSTRAINT ck_sealing_keys_state CHECK (state IN ('current', 'opening', 'retired')),
        CONSTRAINT ck_sealing_keys_retired CHECK ((state = 'retired') = (retired_at IS NOT NULL))
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_sealing_keys_current ON sealing_keys (ring) WHERE state = 'current'`);
    await db.query(`CREATE INDEX ix_secrets_key_fingerprint ON secrets (key_fingerprint)`);
    await db.query(`
      CREATE FUNCTION secrets_under_a_living_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_advisory_xact_lock_shared(7154882050);
        IF EXISTS (SELECT FROM sealing_keys WHERE fingerprint = NEW.key_fingerprint AND state = 'retired') THEN
          RAISE EXCEPTION 'the sealing key % is retired: nothing is sealed under it any more', NEW.key_fingerprint
            USING ERRCODE = 'serialization_failure';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER secrets_under_a_living_key BEFORE INSERT OR UPDATE OF key_fingerprint ON secrets
      FOR EACH ROW EXECUTE FUNCTION secrets_under_a_living_key()`);
  }

  /** Refuses while a secret needs one of these keys: without them it would never open again. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM secrets s JOIN sealing_keys k ON k.fingerprint = s.key_fingerprint
                   WHERE k.wrapped IS NOT NULL OR k.ring = 'recovery') THEN
          RAISE EXCEPTION 'secrets are sealed under keys that only this version knows; it can''t be taken back';
        END IF;
      END $$`);
    await db.query(`DROP TRIGGER secrets_under_a_living_key ON secrets`);
    await db.query(`DROP FUNCTION secrets_under_a_living_key()`);
    await db.query(`DROP INDEX ix_secrets_key_fingerprint`);
    await db.query(`DROP TABLE sealing_keys`);
  }
}
