import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Whoever lost a laptop reports it themselves: with a code that they were given beside the laptop, or in words that
 * somebody of IT confirms. The version before runs on beside this one: it knows neither.
 */
export class LossReports1764000023000 implements MigrationInterface {
  readonly name = 'LossReports1764000023000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE report_codes (
        id uuid NOT NULL,
        person_id uuid NOT NULL,
        code_hash bytea NOT NULL,
        given_by text NOT NULL,
        given_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        used_at timestamptz,
        CONSTRAINT pk_report_codes PRIMARY KEY (id),
        CONSTRAINT uq_report_codes_code UNIQUE (code_hash),
        CONSTRAINT fk_report_codes_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT ck_report_codes_used CHECK (used_at IS NULL OR ended_at IS NOT NULL)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_report_codes_good ON report_codes (person_id) WHERE ended_at IS NULL`);
    await db.query(`
      CREATE TABLE loss_reports (
        id uuid NOT NULL,
        email text NOT NULL,
        asset_tag text,
        phone text,
        words text,
        from_address text,
        times integer NOT NULL DEFAULT 1,
        reported_at timestamptz NOT NULL DEFAULT now(),
        state text NOT NULL DEFAULT 'waiting',
        confirmed_how text,
        case_id uuid,
        decided_at timestamptz,
        decided_by text,
        reason text,
        CONSTRAINT pk_loss_reports PRIMARY KEY (id),
        CONSTRAINT fk_loss_reports_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT ck_loss_reports_state CHECK (state IN ('waiting', 'confirmed', 'dismissed')),
        CONSTRAINT ck_loss_reports_how CHECK (confirmed_how IN ('called_back', 'in_person', 'vouched')),
        CONSTRAINT ck_loss_reports_decided CHECK ((state = 'waiting') = (decided_at IS NULL)
          AND (decided_at IS NULL) = (decided_by IS NULL)
          AND (state = 'confirmed') = (case_id IS NOT NULL) AND (case_id IS NULL) = (confirmed_how IS NULL))
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_loss_reports_waiting ON loss_reports (email) WHERE state = 'waiting'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE loss_reports`);
    await db.query(`DROP TABLE report_codes`);
  }
}
