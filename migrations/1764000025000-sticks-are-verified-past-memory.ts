import type { MigrationInterface, QueryRunner } from 'typeorm';

const UNPROVED =
  'It read back as the image, but not past the memory of the system: that is no proof. Verify it once more, on a machine that can.';

/** A stick is verified only by what was read past the system's memory. Those that weren't are as if nobody had looked. */
export class SticksAreVerifiedPastMemory1764000025000 implements MigrationInterface {
  readonly name = 'SticksAreVerifiedPastMemory1764000025000';

  async up(db: QueryRunner): Promise<void> {
    // What was read from memory alone is recorded as well, and leaves the state as it was.
    await this.letChange(db, `(NEW.state <> 'writing' OR OLD.state = 'writing')`);
    await db.query(`ALTER TABLE image_media DISABLE TRIGGER image_media_are_history`);
    await db.query(
      `UPDATE image_media SET state = 'writing', problem = COALESCE(problem, $1) WHERE state = 'verified' AND NOT uncached`,
      [UNPROVED],
    );
    await db.query(`ALTER TABLE image_media ENABLE TRIGGER image_media_are_history`);
    await db.query(`
      ALTER TABLE image_media
        DROP CONSTRAINT ck_image_media_verified,
        ADD CONSTRAINT ck_image_media_verified CHECK (
          state <> 'verified' OR sha256 IS NOT NULL AND uncached IS TRUE AND checked_at IS NOT NULL)`);
  }

  /** What isn't proved stays unproved. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE image_media
        DROP CONSTRAINT ck_image_media_verified,
        ADD CONSTRAINT ck_image_media_verified CHECK (
          state <> 'verified' OR sha256 IS NOT NULL AND uncached IS NOT NULL AND checked_at IS NOT NULL)`);
    await this.letChange(db, `NEW.state <> 'writing'`);
  }

  private async letChange(db: QueryRunner, states: string): Promise<void> {
    await db.query(`
      CREATE OR REPLACE FUNCTION image_media_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        told text[] := ARRAY['state', 'sha256', 'uncached', 'problem', 'checked_by', 'checked_at'];
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state <> 'failed' AND ${states}
          AND to_jsonb(NEW) - told = to_jsonb(OLD) - told THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'what was written to a stick stays as it is recorded; only how it was found is added'
          USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
  }
}
