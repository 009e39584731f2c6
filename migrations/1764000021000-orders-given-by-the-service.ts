import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The service gives the order to lock or wipe a lost machine to its device manager: which one, under which id, what
 * stands in the way, and each call with its intent. What was ordered before, and what the version before orders beside
 * this one, is given by hand.
 */
export class OrdersGivenByTheService1764000021000 implements MigrationInterface {
  readonly name = 'OrdersGivenByTheService1764000021000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE device_commands
        ADD COLUMN given_by text NOT NULL DEFAULT 'hand',
        ADD COLUMN tool_id uuid,
        ADD COLUMN computer_id text,
        ADD COLUMN seal text,
        ADD COLUMN problem text,
        ADD COLUMN needs_person boolean NOT NULL DEFAULT false,
        ADD COLUMN failures integer NOT NULL DEFAULT 0,
        ADD COLUMN due_at timestamptz,
        ADD COLUMN leased_until timestamptz,
        ADD COLUMN fence integer NOT NULL DEFAULT 0,
        ADD CONSTRAINT fk_device_commands_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        ADD CONSTRAINT ck_device_commands_given_by CHECK (given_by IN ('hand', 'service')),
        ADD CONSTRAINT ck_device_commands_manager CHECK ((given_by = 'hand') = (tool_id IS NULL)
          AND (given_by = 'hand') = (computer_id IS NULL))`);
    await db.query(`CREATE INDEX ix_device_commands_due ON device_commands (due_at) WHERE due_at IS NOT NULL`);
    await db.query(`
      CREATE TABLE device_command_calls (
        id uuid NOT NULL,
        command_id uuid NOT NULL,
        act text NOT NULL,
        intended_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        outcome text,
        note text,
        CONSTRAINT pk_device_command_calls PRIMARY KEY (id),
        CONSTRAINT fk_device_command_calls_command FOREIGN KEY (command_id) REFERENCES device_commands (id),
        CONSTRAINT ck_device_command_calls_act CHECK (act IN ('lock', 'unlock', 'wipe')),
        CONSTRAINT ck_device_command_calls_outcome CHECK (outcome IN ('taken', 'refused', 'lost')),
        CONSTRAINT ck_device_command_calls_ended CHECK ((ended_at IS NULL) = (outcome IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_device_command_calls_command ON device_command_calls (command_id, intended_at)`);
    await db.query(`CREATE INDEX ix_device_enrolments_device ON device_enrolments (device_id)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX ix_device_enrolments_device`);
    await db.query(`DROP TABLE device_command_calls`);
    await db.query(`DROP INDEX ix_device_commands_due`);
    await db.query(`
      ALTER TABLE device_commands
        DROP CONSTRAINT ck_device_commands_manager,
        DROP CONSTRAINT ck_device_commands_given_by,
        DROP CONSTRAINT fk_device_commands_tool,
        DROP COLUMN given_by, DROP COLUMN tool_id, DROP COLUMN computer_id, DROP COLUMN seal, DROP COLUMN problem,
        DROP COLUMN needs_person, DROP COLUMN failures, DROP COLUMN due_at, DROP COLUMN leased_until, DROP COLUMN fence`);
  }
}
