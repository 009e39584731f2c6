import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What replaces a lost device: the spare that was kept for it, the device that was given, and when. */
export class ALossKeepsASpare1764000015400 implements MigrationInterface {
  readonly name = 'ALossKeepsASpare1764000015400';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_replacements (
        loss_case_id uuid NOT NULL,
        lost_device_id uuid NOT NULL,
        person_id uuid NOT NULL,
        lost_at timestamptz NOT NULL DEFAULT now(),
        reserved_device_id uuid,
        replacement_device_id uuid,
        replaced_at timestamptz,
        CONSTRAINT pk_device_replacements PRIMARY KEY (loss_case_id),
        CONSTRAINT fk_device_replacements_case FOREIGN KEY (loss_case_id) REFERENCES cases (id),
        CONSTRAINT fk_device_replacements_lost FOREIGN KEY (lost_device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_replacements_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_device_replacements_reserved FOREIGN KEY (reserved_device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_replacements_replacement FOREIGN KEY (replacement_device_id) REFERENCES devices (id),
        CONSTRAINT ck_device_replacements_replaced CHECK ((replacement_device_id IS NULL) = (replaced_at IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_device_replacements_person ON device_replacements (person_id)`);
    await db.query(`CREATE INDEX ix_device_replacements_lost_at ON device_replacements (lost_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_replacements`);
  }
}
