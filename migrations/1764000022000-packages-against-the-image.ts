import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What came of comparing a device's packages with those that its image pins. A table of its own, so that a list which the
 * version before takes in, without comparing it, leaves no comparison that looks like one of that list.
 */
export class PackagesAgainstTheImage1764000022000 implements MigrationInterface {
  readonly name = 'PackagesAgainstTheImage1764000022000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_package_comparisons (
        device_id uuid NOT NULL,
        image_version_id uuid NOT NULL,
        observed_at timestamptz NOT NULL,
        missing integer NOT NULL,
        other_version integer NOT NULL,
        extra integer NOT NULL,
        CONSTRAINT pk_device_package_comparisons PRIMARY KEY (device_id),
        CONSTRAINT fk_device_package_comparisons_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_package_comparisons_image_version FOREIGN KEY (image_version_id) REFERENCES image_versions (id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_package_comparisons`);
  }
}
