import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Image versions tell what they are, are signed, and move through channels. Those from before, and those that the version
 * before goes on adding beside this one, are drafts: nobody signed them. A device may have one all the same.
 */
export class ImageCatalogue1764000017000 implements MigrationInterface {
  readonly name = 'ImageCatalogue1764000017000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE image_release_keys (
        id uuid NOT NULL,
        name text NOT NULL,
        public_key text NOT NULL,
        fingerprint text NOT NULL,
        added_by text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT now(),
        retired_by text,
        retired_at timestamptz,
        CONSTRAINT pk_image_release_keys PRIMARY KEY (id),
        CONSTRAINT uq_image_release_keys_name UNIQUE (name),
        CONSTRAINT uq_image_release_keys_fingerprint UNIQUE (fingerprint),
        CONSTRAINT ck_image_release_keys_retired CHECK ((retired_at IS NULL) = (retired_by IS NULL))
      )`);
    await db.query(`
      ALTER TABLE image_versions
        ADD COLUMN os text,
        ADD COLUMN architecture text,
        ADD COLUMN size_bytes bigint,
        ADD COLUMN manifest jsonb,
        ADD COLUMN change_log text NOT NULL DEFAULT '',
        ADD COLUMN signature text,
        ADD COLUMN release_key_id uuid,
        ADD COLUMN channel text NOT NULL DEFAULT 'draft',
        ADD COLUMN revision integer NOT NULL DEFAULT 1,
        ADD COLUMN published_at timestamptz,
        ADD COLUMN published_by text,
        ADD COLUMN withdrawn_at timestamptz,
        ADD COLUMN withdrawn_by text,
        ADD COLUMN withdrawal_reason text,
        ADD CONSTRAINT fk_image_versions_release_key FOREIGN KEY (release_key_id) REFERENCES image_release_keys (id),
        ADD CONSTRAINT ck_image_versions_architecture CHECK (architecture IN ('amd64', 'arm64')),
        ADD CONSTRAINT ck_image_versions_size CHECK (size_bytes > 0),
        ADD CONSTRAINT ck_image_versions_channel CHECK (channel IN ('draft', 'current', 'deprecated', 'withdrawn')),
        ADD CONSTRAINT ck_image_versions_published CHECK (
          published_at IS NULL AND channel IN ('draft', 'withdrawn')
          OR published_at IS NOT NULL AND channel <> 'draft' AND published_by IS NOT NULL AND sha256 IS NOT NULL
            AND os IS NOT NULL AND architecture IS NOT NULL AND size_bytes IS NOT NULL AND manifest IS NOT NULL
            AND signature IS NOT NULL AND release_key_id IS NOT NULL),
        ADD CONSTRAINT ck_image_versions_withdrawn CHECK (
          (channel = 'withdrawn') = (withdrawn_at IS NOT NULL AND withdrawn_by IS NOT NULL AND withdrawal_reason IS NOT NULL))`);
    await db.query(`
      CREATE UNIQUE INDEX ux_image_versions_current ON image_versions (image_id, architecture) WHERE channel = 'current'`);
    await db.query(`
      CREATE FUNCTION image_versions_once_published() RETURNS trigger LANGUAGE plpgsql AS $$
      DECLARE
        moving text[] := ARRAY['channel', 'revision', 'withdrawn_at', 'withdrawn_by', 'withdrawal_reason'];
      BEGIN
        IF OLD.channel = 'draft' AND OLD.published_at IS NULL THEN
          IF TG_OP = 'DELETE' OR NEW.channel IN ('draft', 'current', 'withdrawn') THEN
            RETURN COALESCE(NEW, OLD);
          END IF;
        ELSIF TG_OP = 'UPDATE' THEN
          IF to_jsonb(NEW) = to_jsonb(OLD) THEN
            RETURN NEW;
          END IF;
          IF to_jsonb(NEW) - moving = to_jsonb(OLD) - moving AND (OLD.channel, NEW.channel) IN
            (('current', 'deprecated'), ('current', 'withdrawn'), ('deprecated', 'current'), ('deprecated', 'withdrawn')) THEN
            RETURN NEW;
          END IF;
        END IF;
        RAISE EXCEPTION 'an image version that was published or withdrawn stays as it is; only its channel moves'
          USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER image_versions_once_published BEFORE UPDATE OR DELETE ON image_versions
      FOR EACH ROW EXECUTE FUNCTION image_versions_once_published()`);
    await db.query(`
      CREATE FUNCTION images_once_published() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.name <> OLD.name AND EXISTS (SELECT FROM image_versions WHERE image_id = OLD.id AND channel <> 'draft') THEN
          RAISE EXCEPTION 'the name of an image is what was signed: it stays'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER images_once_published BEFORE UPDATE ON images
      FOR EACH ROW EXECUTE FUNCTION images_once_published()`);
    await db.query(`
      CREATE FUNCTION image_release_keys_stay() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP = 'DELETE' OR OLD.retired_at IS NOT NULL
          OR to_jsonb(NEW) - '{retired_at,retired_by}'::text[] <> to_jsonb(OLD) - '{retired_at,retired_by}'::text[] THEN
          RAISE EXCEPTION 'a release key stays as it is; it can be retired, once'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER image_release_keys_stay BEFORE UPDATE OR DELETE ON image_release_keys
      FOR EACH ROW EXECUTE FUNCTION image_release_keys_stay()`);
  }

  /** Refuses while a version is published or withdrawn: without its channel anybody would use it. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM image_versions WHERE channel <> 'draft') THEN
          RAISE EXCEPTION 'there are image versions with a channel that only this version knows; it can''t be taken back';
        END IF;
      END $$`);
    await db.query(`DROP TRIGGER images_once_published ON images`);
    await db.query(`DROP FUNCTION images_once_published()`);
    await db.query(`DROP TRIGGER image_versions_once_published ON image_versions`);
    await db.query(`DROP FUNCTION image_versions_once_published()`);
    await db.query(`DROP INDEX ux_image_versions_current`);
    await db.query(`
      ALTER TABLE image_versions
        DROP CONSTRAINT ck_image_versions_withdrawn,
        DROP CONSTRAINT ck_image_versions_published,
        DROP CONSTRAINT ck_image_versions_channel,
        DROP CONSTRAINT ck_image_versions_size,
        DROP CONSTRAINT ck_image_versions_architecture,
        DROP CONSTRAINT fk_image_versions_release_key,
        DROP COLUMN withdrawal_reason, DROP COLUMN withdrawn_by, DROP COLUMN withdrawn_at,
        DROP COLUMN published_by, DROP COLUMN published_at, DROP COLUMN revision, DROP COLUMN channel,
        DROP COLUMN release_key_id, DROP COLUMN signature, DROP COLUMN change_log, DROP COLUMN manifest,
        DROP COLUMN size_bytes, DROP COLUMN architecture, DROP COLUMN os`);
    await db.query(`DROP TABLE image_release_keys`);
    await db.query(`DROP FUNCTION image_release_keys_stay()`);
  }
}
