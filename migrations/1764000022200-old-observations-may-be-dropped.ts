import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Observations from before a horizon may be dropped, and the database goes on refusing to delete any other. Of each device
 * of which some were dropped it is kept since when all of them are there. The first round is a day after this migration,
 * so that whoever wants to keep more has the time to say so.
 */
export class OldObservationsMayBeDropped1764000022200 implements MigrationInterface {
  readonly name = 'OldObservationsMayBeDropped1764000022200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE observation_retention (
        id smallint NOT NULL,
        kept_from timestamptz NOT NULL DEFAULT '-infinity',
        next_at timestamptz NOT NULL,
        CONSTRAINT pk_observation_retention PRIMARY KEY (id),
        CONSTRAINT ck_observation_retention_single CHECK (id = 1)
      )`);
    await db.query(`INSERT INTO observation_retention (id, next_at) VALUES (1, now() + interval '1 day')`);
    await db.query(`
      CREATE TABLE dropped_observations (
        device_id uuid NOT NULL,
        kept_from timestamptz NOT NULL,
        CONSTRAINT pk_dropped_observations PRIMARY KEY (device_id)
      )`);
    await db.query(`
      CREATE FUNCTION observations_may_be_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF GREATEST(OLD.observed_at, OLD.recorded_at) < (SELECT kept_from FROM observation_retention) THEN
          RETURN OLD;
        END IF;
        RAISE EXCEPTION 'an observation is never deleted before its time' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`DROP TRIGGER observations_are_history ON device_observations`);
    await db.query(`
      CREATE TRIGGER observations_are_history BEFORE UPDATE ON device_observations
      FOR EACH ROW EXECUTE FUNCTION observations_are_history()`);
    await db.query(`
      CREATE TRIGGER observations_may_be_dropped BEFORE DELETE ON device_observations
      FOR EACH ROW EXECUTE FUNCTION observations_may_be_dropped()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER observations_may_be_dropped ON device_observations`);
    await db.query(`DROP TRIGGER observations_are_history ON device_observations`);
    await db.query(`
      CREATE TRIGGER observations_are_history BEFORE UPDATE OR DELETE ON device_observations
      FOR EACH ROW EXECUTE FUNCTION observations_are_history()`);
    await db.query(`DROP FUNCTION observations_may_be_dropped()`);
    await db.query(`DROP TABLE dropped_observations`);
    await db.query(`DROP TABLE observation_retention`);
  }
}
