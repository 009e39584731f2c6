import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An order to unlock a machine that is back, beside those to lock and to wipe one that is away. */
export class AMachineThatWasFoundIsUnlocked1764000027300 implements MigrationInterface {
  readonly name = 'AMachineThatWasFoundIsUnlocked1764000027300';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE device_commands DROP CONSTRAINT ck_device_commands_kind,
        ADD CONSTRAINT ck_device_commands_kind CHECK (kind IN ('lock', 'unlock', 'wipe'))`);
  }

  /** The version before knows no such order; that there was one stays in the audit log. */
  async down(db: QueryRunner): Promise<void> {
    for (const table of ['device_command_calls', 'device_command_events']) {
      await db.query(`DELETE FROM ${table} WHERE command_id IN (SELECT id FROM device_commands WHERE kind = 'unlock')`);
    }
    await db.query(`DELETE FROM device_commands WHERE kind = 'unlock'`);
    await db.query(`
      ALTER TABLE device_commands DROP CONSTRAINT ck_device_commands_kind,
        ADD CONSTRAINT ck_device_commands_kind CHECK (kind IN ('lock', 'wipe'))`);
  }
}
