import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is signed until the company puts its own. */
const FIRST_TEXT = `I have received this device. It belongs to the company.

I keep its disk encrypted and its software up to date, and let nobody else use it.
I report it at once when it is lost, stolen or damaged, at any hour.
I give it back when I am asked to, or when I leave.`;

/** Who gets a device signs for it: what they were asked to sign, and who did, when and from where. */
export class WhoHasADeviceSignsForIt1764000015100 implements MigrationInterface {
  readonly name = 'WhoHasADeviceSignsForIt1764000015100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE acknowledgement_texts (
        sha256 text NOT NULL,
        text text NOT NULL,
        put_by text NOT NULL,
        put_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_acknowledgement_texts PRIMARY KEY (sha256),
        CONSTRAINT ck_acknowledgement_texts_sha256 CHECK (sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
      )`);
    await db.query(
      `INSERT INTO acknowledgement_texts (sha256, text, put_by)
       VALUES (encode(sha256(convert_to($1, 'UTF8')), 'hex'), $1, 'Quartermaster')`,
      [FIRST_TEXT],
    );
    await db.query(`
      CREATE TABLE device_acknowledgements (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        person_id uuid NOT NULL,
        text_sha256 text NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT now(),
        link_hash bytea,
        link_expires_at timestamptz,
        signed_at timestamptz,
        signed_by text,
        signed_how text,
        signed_from text,
        void_at timestamptz,
        CONSTRAINT pk_device_acknowledgements PRIMARY KEY (id),
        CONSTRAINT uq_device_acknowledgements_link UNIQUE (link_hash),
        CONSTRAINT fk_device_acknowledgements_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_acknowledgements_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_device_acknowledgements_text FOREIGN KEY (text_sha256) REFERENCES acknowledgement_texts (sha256),
        CONSTRAINT ck_device_acknowledgements_how CHECK (signed_how IN ('link', 'signed_in')),
        CONSTRAINT ck_device_acknowledgements_signed CHECK
          ((signed_at IS NULL) = (signed_by IS NULL) AND (signed_at IS NULL) = (signed_how IS NULL)),
        CONSTRAINT ck_device_acknowledgements_void CHECK (signed_at IS NULL OR void_at IS NULL)
      )`);
    await db.query(`CREATE INDEX ix_device_acknowledgements_device ON device_acknowledgements (device_id)`);
    await db.query(`CREATE INDEX ix_device_acknowledgements_person ON device_acknowledgements (person_id)`);
    await db.query(`
      CREATE INDEX ix_device_acknowledgements_unsigned ON device_acknowledgements (asked_at)
      WHERE signed_at IS NULL AND void_at IS NULL`);
    await db.query(`
      CREATE FUNCTION signed_is_signed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'what was signed stays as it was signed' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await db.query(`
      CREATE TRIGGER signed_is_signed BEFORE UPDATE OR DELETE ON device_acknowledgements
      FOR EACH ROW WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION signed_is_signed()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_acknowledgements`);
    await db.query(`DROP FUNCTION signed_is_signed()`);
    await db.query(`DROP TABLE acknowledgement_texts`);
  }
}
