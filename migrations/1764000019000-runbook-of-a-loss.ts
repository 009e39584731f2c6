import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The runbook that a loss follows, its tasks, what is decided of the machine, and the orders that are followed to their
 * end. Nothing of it is deleted with a device: every reference refuses that. The version before runs on beside this one: a
 * loss that it takes has no such row.
 */
export class RunbookOfALoss1764000019000 implements MigrationInterface {
  readonly name = 'RunbookOfALoss1764000019000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE steps
        DROP CONSTRAINT ck_steps_act,
        ADD CONSTRAINT ck_steps_act CHECK (act IN ('discover', 'create_account', 'grant', 'restore_account', 'suspend_account',
          'withdraw', 'reset_credentials', 'revoke_device', 'final_look'))`);
    await db.query(`
      CREATE TABLE runbook_versions (
        id uuid NOT NULL,
        digest text NOT NULL,
        source text NOT NULL,
        document jsonb NOT NULL,
        active boolean NOT NULL,
        activated_at timestamptz NOT NULL DEFAULT now(),
        activated_by text NOT NULL,
        CONSTRAINT pk_runbook_versions PRIMARY KEY (id),
        CONSTRAINT uq_runbook_versions_digest UNIQUE (digest)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_runbook_versions_active ON runbook_versions (active) WHERE active`);
    await db.query(`
      CREATE TABLE losses (
        case_id uuid NOT NULL,
        device_id uuid NOT NULL,
        runbook_version_id uuid,
        reachable jsonb NOT NULL,
        aware_at timestamptz NOT NULL DEFAULT now(),
        awake text NOT NULL DEFAULT 'unknown',
        legal_hold boolean NOT NULL DEFAULT false,
        police_reference text,
        insurance_reference text,
        containment text,
        containment_reason text,
        proposal jsonb,
        contained_by text,
        contained_at timestamptz,
        assessment text,
        assessment_reason text,
        worksheet jsonb,
        assessed_by text,
        assessed_at timestamptz,
        watch_until timestamptz NOT NULL,
        last_sign_at timestamptz,
        CONSTRAINT pk_losses PRIMARY KEY (case_id),
        CONSTRAINT fk_losses_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_losses_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_losses_runbook_version FOREIGN KEY (runbook_version_id) REFERENCES runbook_versions (id),
        CONSTRAINT ck_losses_awake CHECK (awake IN ('yes', 'no', 'unknown')),
        CONSTRAINT ck_losses_containment CHECK (containment IN ('lock', 'wipe', 'leave')),
        CONSTRAINT ck_losses_contained CHECK ((containment IS NULL) = (contained_at IS NULL)
          AND (containment IS NULL) = (contained_by IS NULL) AND (containment IS NULL) = (containment_reason IS NULL)
          AND (containment IS NULL) = (proposal IS NULL)),
        CONSTRAINT ck_losses_assessment CHECK (assessment IN ('notify', 'no_notification')),
        CONSTRAINT ck_losses_assessed CHECK ((assessment IS NULL) = (assessed_at IS NULL)
          AND (assessment IS NULL) = (assessed_by IS NULL) AND (assessment IS NULL) = (assessment_reason IS NULL)
          AND (assessment IS NULL) = (worksheet IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_losses_device ON losses (device_id)`);
    await db.query(`CREATE INDEX ix_losses_watched ON losses (watch_until)`);
    await db.query(`
      CREATE TABLE loss_tasks (
        case_id uuid NOT NULL,
        task text NOT NULL,
        position integer NOT NULL,
        title text NOT NULL,
        owner text NOT NULL,
        ends text,
        due_at timestamptz NOT NULL,
        done_at timestamptz,
        done_by text,
        note text,
        CONSTRAINT pk_loss_tasks PRIMARY KEY (case_id, task),
        CONSTRAINT fk_loss_tasks_loss FOREIGN KEY (case_id) REFERENCES losses (case_id),
        CONSTRAINT ck_loss_tasks_done CHECK ((done_at IS NULL) = (done_by IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_loss_tasks_due ON loss_tasks (due_at) WHERE done_at IS NULL`);
    await db.query(`
      CREATE TABLE device_commands (
        id uuid NOT NULL,
        case_id uuid NOT NULL,
        device_id uuid NOT NULL,
        kind text NOT NULL,
        state text NOT NULL,
        approval_id uuid,
        ordered_by text NOT NULL,
        ordered_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_commands PRIMARY KEY (id),
        CONSTRAINT fk_device_commands_loss FOREIGN KEY (case_id) REFERENCES losses (case_id),
        CONSTRAINT fk_device_commands_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_device_commands_approval FOREIGN KEY (approval_id) REFERENCES approvals (id),
        CONSTRAINT ck_device_commands_kind CHECK (kind IN ('lock', 'wipe')),
        CONSTRAINT ck_device_commands_state CHECK (state IN ('ordered', 'requested', 'delivered', 'acknowledged', 'verified',
          'failed', 'superseded', 'risk_accepted'))
      )`);
    await db.query(`CREATE INDEX ix_device_commands_case ON device_commands (case_id)`);
    await db.query(`CREATE INDEX ix_device_commands_device ON device_commands (device_id)`);
    await db.query(`
      CREATE TABLE device_command_events (
        id uuid NOT NULL,
        command_id uuid NOT NULL,
        state text NOT NULL,
        note text NOT NULL,
        seen_by text NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_device_command_events PRIMARY KEY (id),
        CONSTRAINT fk_device_command_events_command FOREIGN KEY (command_id) REFERENCES device_commands (id)
      )`);
    await db.query(`CREATE INDEX ix_device_command_events_command ON device_command_events (command_id, id)`);
  }

  /** Steps that revoked one device stay, and are true: the constraint is for new rows only then. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE steps
        DROP CONSTRAINT ck_steps_act,
        ADD CONSTRAINT ck_steps_act CHECK (act IN ('discover', 'create_account', 'grant', 'restore_account', 'suspend_account',
          'withdraw', 'reset_credentials', 'final_look')) NOT VALID`);
    for (const table of ['device_command_events', 'device_commands', 'loss_tasks', 'losses', 'runbook_versions']) {
      await db.query(`DROP TABLE ${table}`);
    }
  }
}
