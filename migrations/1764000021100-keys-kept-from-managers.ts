import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which recovery key was taken over from which computer of a device manager, and when that was last looked at. */
export class KeysKeptFromManagers1764000021100 implements MigrationInterface {
  readonly name = 'KeysKeptFromManagers1764000021100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_manager_keys (
        tool_id uuid NOT NULL,
        computer_id text NOT NULL,
        recovery_key_id uuid NOT NULL,
        stored_at timestamptz,
        read_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_manager_keys PRIMARY KEY (tool_id, computer_id),
        CONSTRAINT fk_device_manager_keys_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT fk_device_manager_keys_key FOREIGN KEY (recovery_key_id) REFERENCES recovery_keys (id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_manager_keys`);
  }
}
