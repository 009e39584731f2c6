import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which machine was imaged from what, by whom, and how that was verified. */
export class DeviceImagings1764000017300 implements MigrationInterface {
  readonly name = 'DeviceImagings1764000017300';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_imagings (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        image_version_id uuid NOT NULL,
        medium_id uuid,
        verified text NOT NULL,
        imaged_by text NOT NULL,
        imaged_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_imagings PRIMARY KEY (id),
        CONSTRAINT fk_device_imagings_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_imagings_image_version FOREIGN KEY (image_version_id) REFERENCES image_versions (id),
        CONSTRAINT fk_device_imagings_medium FOREIGN KEY (medium_id) REFERENCES image_media (id),
        CONSTRAINT ck_device_imagings_verified CHECK (verified IN ('read_back', 'started', 'not_verified'))
      )`);
    await db.query(`CREATE INDEX ix_device_imagings_device ON device_imagings (device_id, imaged_at)`);
    await db.query(`CREATE INDEX ix_device_imagings_version ON device_imagings (image_version_id, id)`);
    await db.query(`
      CREATE FUNCTION device_imagings_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'an imaging stays as it is recorded; record another one'
          USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER device_imagings_are_history BEFORE UPDATE OR DELETE ON device_imagings
      FOR EACH ROW EXECUTE FUNCTION device_imagings_are_history()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_imagings`);
    await db.query(`DROP FUNCTION device_imagings_are_history()`);
  }
}
