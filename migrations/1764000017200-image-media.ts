import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sticks that images were written to: each writing is a row, and the newest of a serial number tells what is on it. */
export class ImageMedia1764000017200 implements MigrationInterface {
  readonly name = 'ImageMedia1764000017200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE image_media (
        id uuid NOT NULL,
        serial text NOT NULL,
        model text,
        capacity_bytes bigint NOT NULL,
        image_version_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'writing',
        sha256 text,
        uncached boolean,
        problem text,
        written_by text NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now(),
        checked_by text,
        checked_at timestamptz,
        CONSTRAINT pk_image_media PRIMARY KEY (id),
        CONSTRAINT fk_image_media_image_version FOREIGN KEY (image_version_id) REFERENCES image_versions (id),
        CONSTRAINT ck_image_media_state CHECK (state IN ('writing', 'verified', 'failed')),
        CONSTRAINT ck_image_media_verified CHECK (
          state <> 'verified' OR sha256 IS NOT NULL AND uncached IS NOT NULL AND checked_at IS NOT NULL)
      )`);
    await db.query(`CREATE INDEX ix_image_media_serial ON image_media (serial, id)`);
    await db.query(`CREATE INDEX ix_image_media_version ON image_media (image_version_id, id)`);
    await db.query(`
      CREATE FUNCTION image_media_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        told text[] := ARRAY['state', 'sha256', 'uncached', 'problem', 'checked_by', 'checked_at'];
      BEGIN
        IF TG_OP = 'UPDATE' AND OLD.state <> 'failed' AND NEW.state <> 'writing'
          AND to_jsonb(NEW) - told = to_jsonb(OLD) - told THEN
          RETURN NEW;
        END IF;
        RAISE EXCEPTION 'what was written to a stick stays as it is recorded; only how it was found is added'
          USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER image_media_are_history BEFORE UPDATE OR DELETE ON image_media
      FOR EACH ROW EXECUTE FUNCTION image_media_are_history()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE image_media`);
    await db.query(`DROP FUNCTION image_media_are_history()`);
  }
}
