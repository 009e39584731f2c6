import type { MigrationInterface, QueryRunner } from 'typeorm';

/** People with their employments and sites; devices with models, images and what was observed of them. */
export class PeopleAndDevices1764000001000 implements MigrationInterface {
  readonly name = 'PeopleAndDevices1764000001000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sites (
        id uuid NOT NULL,
        name text NOT NULL,
        zone text NOT NULL,
        CONSTRAINT pk_sites PRIMARY KEY (id),
        CONSTRAINT uq_sites_name UNIQUE (name)
      )`);
    await db.query(`
      CREATE TABLE people (
        id uuid NOT NULL,
        given_name text NOT NULL,
        family_name text NOT NULL,
        display_name text NOT NULL,
        corporate_email text NOT NULL,
        status text NOT NULL,
        generation bigint NOT NULL DEFAULT 0,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_people PRIMARY KEY (id),
        CONSTRAINT uq_people_corporate_email UNIQUE (corporate_email),
        CONSTRAINT ck_people_corporate_email CHECK (corporate_email = lower(corporate_email)),
        CONSTRAINT ck_people_status CHECK (status IN ('expected', 'active', 'left'))
      )`);
    await db.query(`
      CREATE TABLE employments (
        id uuid NOT NULL,
        person_id uuid NOT NULL,
        source text NOT NULL,
        source_id text NOT NULL,
        department text NOT NULL,
        title text,
        employment_type text NOT NULL,
        location text,
        zone text NOT NULL,
        start_date date NOT NULL,
        starts_at timestamptz NOT NULL,
        start_applied_at timestamptz,
        end_date date,
        ends_at timestamptz,
        end_applied_at timestamptz,
        last_event_at timestamptz NOT NULL,
        last_event_sequence bigint NOT NULL DEFAULT 0,
        version integer NOT NULL DEFAULT 1,
        CONSTRAINT pk_employments PRIMARY KEY (id),
        CONSTRAINT uq_employments_source UNIQUE (source, source_id),
        CONSTRAINT fk_employments_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT ck_employments_end CHECK ((end_date IS NULL) = (ends_at IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_employments_person ON employments (person_id)`);
    await db.query(`CREATE INDEX ix_employments_start_due ON employments (starts_at) WHERE start_applied_at IS NULL`);
    await db.query(
      `CREATE INDEX ix_employments_end_due ON employments (ends_at) WHERE ends_at IS NOT NULL AND end_applied_at IS NULL`,
    );
    await db.query(`
      CREATE TABLE device_models (
        id uuid NOT NULL,
        name text NOT NULL,
        manufacturer text NOT NULL,
        replacement_lead_days integer,
        CONSTRAINT pk_device_models PRIMARY KEY (id),
        CONSTRAINT uq_device_models_name UNIQUE (name)
      )`);
    await db.query(`
      CREATE TABLE images (
        id uuid NOT NULL,
        name text NOT NULL,
        CONSTRAINT pk_images PRIMARY KEY (id),
        CONSTRAINT uq_images_name UNIQUE (name)
      )`);
    await db.query(`
      CREATE TABLE image_versions (
        id uuid NOT NULL,
        image_id uuid NOT NULL,
        version text NOT NULL,
        sha256 text,
        released_at timestamptz NOT NULL,
        CONSTRAINT pk_image_versions PRIMARY KEY (id),
        CONSTRAINT uq_image_versions_version UNIQUE (image_id, version),
        CONSTRAINT fk_image_versions_image FOREIGN KEY (image_id) REFERENCES images (id)
      )`);
    await db.query(`
      CREATE TABLE devices (
        id uuid NOT NULL,
        asset_tag text NOT NULL,
        serial text NOT NULL,
        model_id uuid NOT NULL,
        image_version_id uuid,
        holder_id uuid,
        state text NOT NULL,
        state_changed_at timestamptz NOT NULL DEFAULT now(),
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_devices PRIMARY KEY (id),
        CONSTRAINT uq_devices_asset_tag UNIQUE (asset_tag),
        CONSTRAINT uq_devices_serial UNIQUE (serial),
        CONSTRAINT fk_devices_model FOREIGN KEY (model_id) REFERENCES device_models (id),
        CONSTRAINT fk_devices_image_version FOREIGN KEY (image_version_id) REFERENCES image_versions (id),
        CONSTRAINT fk_devices_holder FOREIGN KEY (holder_id) REFERENCES people (id),
        CONSTRAINT ck_devices_state CHECK (state IN ('in_stock', 'assigned', 'lost', 'in_repair', 'retired')),
        CONSTRAINT ck_devices_holder CHECK (state <> 'assigned' OR holder_id IS NOT NULL)
      )`);
    await db.query(`CREATE INDEX ix_devices_holder ON devices (holder_id)`);
    await db.query(`
      CREATE TABLE device_observations (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        kind text NOT NULL,
        value text NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        source text NOT NULL,
        observed_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_observations PRIMARY KEY (id),
        CONSTRAINT fk_device_observations_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT ck_device_observations_value CHECK (
          kind <> 'disk_encryption' OR value IN ('encrypted', 'encrypting', 'suspended', 'not_encrypted', 'unknown'))
      )`);
    await db.query(`CREATE INDEX ix_device_observations_newest ON device_observations (device_id, kind, observed_at)`);
    await db.query(`
      CREATE FUNCTION observations_are_history() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'an observation is never overwritten; record a new one' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER observations_are_history BEFORE UPDATE OR DELETE ON device_observations
      FOR EACH ROW EXECUTE FUNCTION observations_are_history()`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'device_observations',
      'devices',
      'image_versions',
      'images',
      'device_models',
      'employments',
      'people',
      'sites',
    ]) {
      await db.query(`DROP TABLE ${table}`);
    }
    await db.query(`DROP FUNCTION observations_are_history()`);
  }
}
