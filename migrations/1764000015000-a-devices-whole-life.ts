import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From the order to the bin. What the version before knows moves as before. */
const MOVES: Record<string, readonly string[]> = {
  ordered: ['in_stock', 'retired'],
  in_stock: ['reserved', 'assigned', 'in_repair', 'lost', 'retired'],
  reserved: ['in_stock', 'assigned', 'in_repair', 'lost'],
  assigned: ['in_stock', 'in_repair', 'lost'],
  in_repair: ['in_stock', 'lost', 'retired'],
  lost: ['in_stock', 'stolen', 'found', 'retired'],
  stolen: ['found', 'retired'],
  found: ['in_stock', 'in_repair', 'lost', 'retired'],
  retired: ['disposed'],
  disposed: [],
};

/** All states of a device, where it is and until when it is covered; what a model is meant to be; no device is deleted. */
export class ADevicesWholeLife1764000015000 implements MigrationInterface {
  readonly name = 'ADevicesWholeLife1764000015000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE device_models
        ADD COLUMN lifetime_months integer,
        ADD COLUMN warranty_months integer,
        ADD COLUMN standard boolean NOT NULL DEFAULT true,
        ADD COLUMN version integer NOT NULL DEFAULT 1,
        ADD CONSTRAINT ck_device_models_months CHECK (lifetime_months > 0 AND warranty_months >= 0)`);
    await db.query(`
      CREATE TABLE device_model_minimums (
        model_id uuid NOT NULL,
        site_id uuid NOT NULL,
        minimum integer NOT NULL,
        CONSTRAINT pk_device_model_minimums PRIMARY KEY (model_id, site_id),
        CONSTRAINT fk_device_model_minimums_model FOREIGN KEY (model_id) REFERENCES device_models (id),
        CONSTRAINT fk_device_model_minimums_site FOREIGN KEY (site_id) REFERENCES sites (id),
        CONSTRAINT ck_device_model_minimums_minimum CHECK (minimum > 0)
      )`);
    await db.query(`
      ALTER TABLE devices
        ADD COLUMN site_id uuid,
        ADD COLUMN purchased_on date,
        ADD COLUMN warranty_until date,
        ADD COLUMN working boolean NOT NULL DEFAULT true,
        ADD COLUMN reserved_for_id uuid,
        ADD COLUMN reserved_for_case_id uuid,
        ADD CONSTRAINT fk_devices_site FOREIGN KEY (site_id) REFERENCES sites (id),
        ADD CONSTRAINT fk_devices_reserved_for FOREIGN KEY (reserved_for_id) REFERENCES people (id),
        ADD CONSTRAINT fk_devices_reserved_for_case FOREIGN KEY (reserved_for_case_id) REFERENCES cases (id),
        DROP CONSTRAINT ck_devices_state,
        ADD CONSTRAINT ck_devices_state CHECK (state IN (${Object.keys(MOVES)
          .map((state) => `'${state}'`)
          .join(', ')})),
        ADD CONSTRAINT ck_devices_reserved CHECK ((state = 'reserved') = (reserved_for_id IS NOT NULL))`);
    await db.query(`CREATE INDEX ix_devices_on_the_shelf ON devices (model_id, site_id) WHERE state = 'in_stock'`);
    await db.query(
      `CREATE INDEX ix_devices_reserved_for ON devices (reserved_for_id) WHERE reserved_for_id IS NOT NULL`,
    );
    await db.query(`
      CREATE FUNCTION device_moves_as_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NOT ((OLD.state || '>' || NEW.state) = ANY (ARRAY[${Object.entries(MOVES)
          .flatMap(([from, tos]) => tos.map((to) => `'${from}>${to}'`))
          .join(', ')}])) THEN
          RAISE EXCEPTION 'a device never goes from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER device_moves_as_allowed BEFORE UPDATE OF state ON devices
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION device_moves_as_allowed()`);
    await db.query(`
      CREATE FUNCTION devices_stay_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'a device stays on record; its last state is disposed' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER devices_stay_on_record BEFORE DELETE ON devices
      FOR EACH ROW EXECUTE FUNCTION devices_stay_on_record()`);
    await db.query(`
      CREATE TABLE device_exceptions (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        owner_id uuid NOT NULL,
        reason text NOT NULL,
        ends_on date NOT NULL,
        granted_by text NOT NULL,
        granted_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        CONSTRAINT pk_device_exceptions PRIMARY KEY (id),
        CONSTRAINT fk_device_exceptions_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_exceptions_owner FOREIGN KEY (owner_id) REFERENCES people (id)
      )`);
    await db.query(
      `CREATE UNIQUE INDEX ux_device_exceptions_standing ON device_exceptions (device_id) WHERE ended_at IS NULL`,
    );
  }

  /** Devices in a state that the version before doesn't know go to the nearest one that it does. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_exceptions`);
    await db.query(`DROP TRIGGER devices_stay_on_record ON devices`);
    await db.query(`DROP FUNCTION devices_stay_on_record()`);
    await db.query(`DROP TRIGGER device_moves_as_allowed ON devices`);
    await db.query(`DROP FUNCTION device_moves_as_allowed()`);
    await db.query(`DROP INDEX ix_devices_on_the_shelf`);
    await db.query(`
      ALTER TABLE devices
        DROP CONSTRAINT ck_devices_reserved,
        DROP CONSTRAINT ck_devices_state,
        DROP COLUMN reserved_for_case_id,
        DROP COLUMN reserved_for_id,
        DROP COLUMN working,
        DROP COLUMN warranty_until,
        DROP COLUMN purchased_on,
        DROP COLUMN site_id`);
    await db.query(`
      UPDATE devices SET state = CASE state
        WHEN 'ordered' THEN 'in_stock' WHEN 'reserved' THEN 'in_stock'
        WHEN 'stolen' THEN 'lost' WHEN 'found' THEN 'lost'
        ELSE 'retired' END
      WHERE state IN ('ordered', 'reserved', 'stolen', 'found', 'disposed')`);
    await db.query(`
      ALTER TABLE devices ADD CONSTRAINT ck_devices_state
        CHECK (state IN ('in_stock', 'assigned', 'lost', 'in_repair', 'retired'))`);
    await db.query(`DROP TABLE device_model_minimums`);
    await db.query(`
      ALTER TABLE device_models
        DROP CONSTRAINT ck_device_models_months,
        DROP COLUMN version,
        DROP COLUMN standard,
        DROP COLUMN warranty_months,
        DROP COLUMN lifetime_months`);
  }
}
