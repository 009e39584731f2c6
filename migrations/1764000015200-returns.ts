import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From each state of a return where it may go. */
const MOVES: Record<string, readonly string[]> = {
  asked: ['sent', 'received', 'written_off'],
  sent: ['received', 'written_off'],
  received: ['inspected'],
  inspected: [],
  written_off: [],
};

/** A device that somebody has to give back is pursued until it was received and inspected; sites have addresses. */
export class Returns1764000015200 implements MigrationInterface {
  readonly name = 'Returns1764000015200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE sites ADD COLUMN address text`);
    await db.query(`
      CREATE TABLE device_returns (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        person_id uuid NOT NULL,
        case_id uuid,
        state text NOT NULL DEFAULT 'asked',
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT now(),
        site_id uuid,
        tracking text,
        sent_at timestamptz,
        received_at timestamptz,
        received_by text,
        received_site_id uuid,
        inspected_at timestamptz,
        inspected_by text,
        condition text,
        wiped text,
        accessories text,
        findings text,
        written_off_at timestamptz,
        written_off_by text,
        reason text,
        CONSTRAINT pk_device_returns PRIMARY KEY (id),
        CONSTRAINT fk_device_returns_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_returns_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_device_returns_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_device_returns_site FOREIGN KEY (site_id) REFERENCES sites (id),
        CONSTRAINT fk_device_returns_received_site FOREIGN KEY (received_site_id) REFERENCES sites (id),
        CONSTRAINT ck_device_returns_state CHECK (state IN ('asked', 'sent', 'received', 'inspected', 'written_off')),
        CONSTRAINT ck_device_returns_condition CHECK (condition IN ('good', 'worn', 'faulty', 'not_stated')),
        CONSTRAINT ck_device_returns_wiped CHECK (wiped IN ('yes', 'no', 'unknown')),
        CONSTRAINT ck_device_returns_received CHECK
          (state NOT IN ('received', 'inspected') OR (received_at IS NOT NULL AND received_by IS NOT NULL)),
        CONSTRAINT ck_device_returns_inspected CHECK
          (state <> 'inspected' OR (inspected_at IS NOT NULL AND inspected_by IS NOT NULL AND condition IS NOT NULL AND wiped IS NOT NULL)),
        CONSTRAINT ck_device_returns_written_off CHECK
          (state <> 'written_off' OR (written_off_at IS NOT NULL AND written_off_by IS NOT NULL AND reason IS NOT NULL))
      )`);
    await db.query(`
      CREATE UNIQUE INDEX ux_device_returns_outstanding ON device_returns (device_id)
      WHERE state IN ('asked', 'sent', 'received')`);
    await db.query(`CREATE INDEX ix_device_returns_person ON device_returns (person_id)`);
    await db.query(`CREATE INDEX ix_device_returns_case ON device_returns (case_id) WHERE case_id IS NOT NULL`);
    await db.query(`
      CREATE FUNCTION device_return_moves_as_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NOT ((OLD.state || '>' || NEW.state) = ANY (ARRAY[${Object.entries(MOVES)
          .flatMap(([from, tos]) => tos.map((to) => `'${from}>${to}'`))
          .join(', ')}])) THEN
          RAISE EXCEPTION 'a return never goes from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER device_return_moves_as_allowed BEFORE UPDATE OF state ON device_returns
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION device_return_moves_as_allowed()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_returns`);
    await db.query(`DROP FUNCTION device_return_moves_as_allowed()`);
    await db.query(`ALTER TABLE sites DROP COLUMN address`);
  }
}
