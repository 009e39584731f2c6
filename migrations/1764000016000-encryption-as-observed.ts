import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATES = `'encrypted', 'converting', 'suspended', 'not_encrypted', 'unknown'`;

/**
 * Observations of disk encryption tell of volumes, of who looked and why nothing was seen; and a row a device holds what is
 * known now. The version before goes on writing `encrypting`, which is `converting`, and the trigger takes its rows too.
 */
export class EncryptionAsObserved1764000016000 implements MigrationInterface {
  readonly name = 'EncryptionAsObserved1764000016000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE device_observations
        ADD COLUMN agent text,
        ADD COLUMN agent_version text,
        ADD COLUMN why text,
        ADD COLUMN volumes jsonb,
        DROP CONSTRAINT ck_device_observations_value,
        ADD CONSTRAINT ck_device_observations_value CHECK (kind <> 'disk_encryption' OR value IN (${STATES}, 'encrypting'))`);
    await db.query(`
      CREATE INDEX ix_device_observations_encryption ON device_observations (device_id, observed_at, id)
      WHERE kind = 'disk_encryption' AND value <> 'unknown'`);
    await db.query(`
      CREATE TABLE device_encryption (
        device_id uuid NOT NULL,
        state text NOT NULL,
        observation_id uuid,
        observed_at timestamptz,
        in_vain_at timestamptz,
        CONSTRAINT pk_device_encryption PRIMARY KEY (device_id),
        CONSTRAINT fk_device_encryption_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT ck_device_encryption_state CHECK (state IN (${STATES}) AND (state = 'unknown') = (observed_at IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_device_encryption_observed_at ON device_encryption (observed_at)`);
    await db.query(`
      CREATE FUNCTION device_encryption_is_newest() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.value = 'unknown' THEN
          INSERT INTO device_encryption AS known (device_id, state, in_vain_at)
          VALUES (NEW.device_id, 'unknown', NEW.observed_at)
          ON CONFLICT (device_id) DO UPDATE SET in_vain_at = EXCLUDED.in_vain_at
          WHERE known.in_vain_at IS NULL OR known.in_vain_at < EXCLUDED.in_vain_at;
        ELSE
          INSERT INTO device_encryption AS known (device_id, state, observation_id, observed_at)
          VALUES (NEW.device_id, CASE NEW.value WHEN 'encrypting' THEN 'converting' ELSE NEW.value END, NEW.id, NEW.observed_at)
          ON CONFLICT (device_id) DO UPDATE
          SET state = EXCLUDED.state, observation_id = EXCLUDED.observation_id, observed_at = EXCLUDED.observed_at
          WHERE known.observed_at IS NULL
            OR (known.observed_at, known.observation_id) < (EXCLUDED.observed_at, EXCLUDED.observation_id);
        END IF;
        RETURN NULL;
      END $$`);
    await db.query(`
      CREATE TRIGGER device_encryption_is_newest AFTER INSERT ON device_observations
      FOR EACH ROW WHEN (NEW.kind = 'disk_encryption') EXECUTE FUNCTION device_encryption_is_newest()`);
    await db.query(`
      INSERT INTO device_encryption (device_id, state, observation_id, observed_at, in_vain_at)
      SELECT seen.device_id, COALESCE(CASE answer.value WHEN 'encrypting' THEN 'converting' ELSE answer.value END, 'unknown'),
        answer.id, answer.observed_at, seen.in_vain_at
      FROM (
        SELECT device_id, max(observed_at) FILTER (WHERE value = 'unknown') AS in_vain_at
        FROM device_observations WHERE kind = 'disk_encryption' GROUP BY device_id
      ) seen LEFT JOIN LATERAL (
        SELECT id, value, observed_at FROM device_observations o
        WHERE o.device_id = seen.device_id AND kind = 'disk_encryption' AND value <> 'unknown'
        ORDER BY observed_at DESC, id DESC LIMIT 1
      ) answer ON true`);
  }

  /** What was seen as converting stays in the log, which nobody rewrites: the constraint is for new rows only then. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER device_encryption_is_newest ON device_observations`);
    await db.query(`DROP FUNCTION device_encryption_is_newest()`);
    await db.query(`DROP TABLE device_encryption`);
    await db.query(`DROP INDEX ix_device_observations_encryption`);
    await db.query(`
      ALTER TABLE device_observations
        DROP COLUMN agent,
        DROP COLUMN agent_version,
        DROP COLUMN why,
        DROP COLUMN volumes,
        DROP CONSTRAINT ck_device_observations_value,
        ADD CONSTRAINT ck_device_observations_value CHECK (kind <> 'disk_encryption'
          OR value IN ('encrypted', 'encrypting', 'suspended', 'not_encrypted', 'unknown')) NOT VALID`);
  }
}
