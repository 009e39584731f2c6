import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the content of an image version has come. The content itself is in the store of images. */
export class ImageContents1764000017100 implements MigrationInterface {
  readonly name = 'ImageContents1764000017100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE image_contents (
        version_id uuid NOT NULL,
        state text NOT NULL DEFAULT 'receiving',
        received_bytes bigint NOT NULL DEFAULT 0,
        checked_bytes bigint NOT NULL DEFAULT 0,
        held jsonb NOT NULL DEFAULT '{}',
        problem text,
        lease_owner uuid,
        lease_until timestamptz,
        stored_at timestamptz,
        CONSTRAINT pk_image_contents PRIMARY KEY (version_id),
        CONSTRAINT fk_image_contents_version FOREIGN KEY (version_id) REFERENCES image_versions (id),
        CONSTRAINT ck_image_contents_state CHECK (state IN ('receiving', 'received', 'stored', 'refused')),
        CONSTRAINT ck_image_contents_stored CHECK ((state = 'stored') = (stored_at IS NOT NULL))
      )`);
    await db.query(`
      CREATE FUNCTION image_contents_once_published() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM image_versions WHERE id = OLD.version_id AND published_at IS NOT NULL) THEN
          RAISE EXCEPTION 'the content of an image version that was published stays as it is'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN COALESCE(NEW, OLD);
      END $$`);
    await db.query(`
      CREATE TRIGGER image_contents_once_published BEFORE UPDATE OR DELETE ON image_contents
      FOR EACH ROW EXECUTE FUNCTION image_contents_once_published()`);
    await db.query(`
      CREATE FUNCTION image_versions_have_content() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NOT EXISTS (SELECT FROM image_contents WHERE version_id = NEW.id AND state = 'stored') THEN
          RAISE EXCEPTION 'an image version is published with its content, checked and stored'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER image_versions_have_content BEFORE INSERT OR UPDATE OF channel ON image_versions
      FOR EACH ROW WHEN (NEW.channel = 'current') EXECUTE FUNCTION image_versions_have_content()`);
  }

  /** Refuses while the store holds content that nobody would know of any more. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM image_contents) THEN
          RAISE EXCEPTION 'the store of images holds what only this version knows of; it can''t be taken back';
        END IF;
      END $$`);
    await db.query(`DROP TRIGGER image_versions_have_content ON image_versions`);
    await db.query(`DROP FUNCTION image_versions_have_content()`);
    await db.query(`DROP TABLE image_contents`);
    await db.query(`DROP FUNCTION image_contents_once_published()`);
  }
}
