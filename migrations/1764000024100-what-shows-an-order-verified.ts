import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a device manager showed that an order was carried out, or somebody's word alone says so. Null: of an older version. */
export class WhatShowsAnOrderVerified1764000024100 implements MigrationInterface {
  readonly name = 'WhatShowsAnOrderVerified1764000024100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE device_commands ADD COLUMN verified_by text,
        ADD CONSTRAINT ck_device_commands_verified_by CHECK (verified_by IN ('manager', 'word'))`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE device_commands DROP COLUMN verified_by`);
  }
}
