import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When each device manager is asked next what it knows of disks, and how the last time went. */
export class DeviceManagersAreAsked1764000016200 implements MigrationInterface {
  readonly name = 'DeviceManagersAreAsked1764000016200';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE device_manager_rounds (
        tool_id uuid NOT NULL,
        next_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        matched integer NOT NULL DEFAULT 0,
        unmatched integer NOT NULL DEFAULT 0,
        problem text,
        failing_since timestamptz,
        CONSTRAINT pk_device_manager_rounds PRIMARY KEY (tool_id),
        CONSTRAINT fk_device_manager_rounds_tool FOREIGN KEY (tool_id) REFERENCES tools (id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE device_manager_rounds`);
  }
}
