import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A file with devices: what it would do, line by line, and whether somebody did it. */
export class DevicesComeFromFiles1764000015300 implements MigrationInterface {
  readonly name = 'DevicesComeFromFiles1764000015300';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_imports (
        id uuid NOT NULL,
        sha256 text NOT NULL,
        lines jsonb NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        applied_by text,
        applied_at timestamptz,
        CONSTRAINT pk_device_imports PRIMARY KEY (id),
        CONSTRAINT ck_device_imports_applied CHECK ((applied_by IS NULL) = (applied_at IS NULL))
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_imports`);
  }
}
