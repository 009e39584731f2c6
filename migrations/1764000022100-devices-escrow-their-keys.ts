import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A device has a token of its own, with which its reporter speaks for it and for no other; and of a recovery key it is
 * kept whether its format is right and when a device said that it unlocks. The version before leaves both out.
 */
export class DevicesEscrowTheirKeys1764000022100 implements MigrationInterface {
  readonly name = 'DevicesEscrowTheirKeys1764000022100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_tokens (
        id uuid NOT NULL,
        device_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT pk_device_tokens PRIMARY KEY (id),
        CONSTRAINT uq_device_tokens_hash UNIQUE (token_hash),
        CONSTRAINT fk_device_tokens_device FOREIGN KEY (device_id) REFERENCES devices (id)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_device_tokens_device ON device_tokens (device_id) WHERE ended_at IS NULL`);
    await db.query(`
      ALTER TABLE recovery_keys
        ADD COLUMN format text,
        ADD COLUMN proved_at timestamptz,
        ADD CONSTRAINT ck_recovery_keys_format CHECK (format IN ('right', 'wrong'))`);
  }

  /** Machines are given new tokens when the table comes back. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE recovery_keys DROP COLUMN proved_at, DROP COLUMN format`);
    await db.query(`DROP TABLE device_tokens`);
  }
}
