import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Limits of volume, what they hold back, and acts that take two people. The version before runs on beside this one: it
 * knows no brake, and what a brake holds is `held` for it as well.
 */
export class BrakesAndApprovals1764000010000 implements MigrationInterface {
  readonly name = 'BrakesAndApprovals1764000010000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE approvals (
        id uuid NOT NULL,
        act text NOT NULL,
        target_id uuid NOT NULL,
        summary text NOT NULL,
        plan jsonb NOT NULL,
        plan_hash text NOT NULL,
        seal text NOT NULL,
        reason text NOT NULL,
        requested_by text NOT NULL,
        requested_by_id text NOT NULL,
        requested_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        decided_by text,
        decided_by_id text,
        decided_at timestamptz,
        note text,
        CONSTRAINT pk_approvals PRIMARY KEY (id),
        CONSTRAINT ck_approvals_state CHECK (state IN ('waiting', 'approved', 'refused')),
        CONSTRAINT ck_approvals_decided CHECK ((state = 'waiting') = (decided_at IS NULL)
          AND (decided_at IS NULL) = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_by_id IS NULL)),
        CONSTRAINT ck_approvals_two_people CHECK (decided_by_id IS NULL OR decided_by_id <> requested_by_id),
        CONSTRAINT ck_approvals_plan_hash CHECK (plan_hash ~ '^[0-9a-f]{64}$')
      )`);
    await db.query(`CREATE INDEX ix_approvals_target ON approvals (target_id)`);
    await db.query(`
      CREATE TABLE brake_limits (
        kind text NOT NULL,
        at_least integer NOT NULL,
        share_percent integer NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        changed_by text NOT NULL,
        CONSTRAINT pk_brake_limits PRIMARY KEY (kind),
        CONSTRAINT ck_brake_limits_at_least CHECK (at_least >= 0),
        CONSTRAINT ck_brake_limits_share CHECK (share_percent BETWEEN 0 AND 100)
      )`);
    // One row for each change that the limit lets pass within an hour: taken by whoever passes, free again an hour later.
    await db.query(`
      CREATE TABLE brake_slots (
        id uuid NOT NULL,
        kind text NOT NULL,
        source text NOT NULL,
        used_at timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        CONSTRAINT pk_brake_slots PRIMARY KEY (id)
      )`);
    await db.query(`CREATE INDEX ix_brake_slots_free ON brake_slots (kind, source, used_at)`);
    await db.query(`
      CREATE TABLE brakes (
        id uuid NOT NULL,
        kind text NOT NULL,
        source text NOT NULL,
        state text NOT NULL DEFAULT 'standing',
        allowed integer NOT NULL,
        staff integer NOT NULL,
        held integer NOT NULL DEFAULT 1,
        since timestamptz NOT NULL DEFAULT now(),
        told_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        ended_by text,
        reason text,
        approval_id uuid,
        CONSTRAINT pk_brakes PRIMARY KEY (id),
        CONSTRAINT fk_brakes_approval FOREIGN KEY (approval_id) REFERENCES approvals (id),
        CONSTRAINT ck_brakes_state CHECK (state IN ('standing', 'released', 'discarded', 'emptied')),
        CONSTRAINT ck_brakes_ended CHECK ((state = 'standing') = (ended_at IS NULL)),
        CONSTRAINT ck_brakes_approved CHECK (state NOT IN ('released', 'discarded') OR approval_id IS NOT NULL)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_brakes_standing ON brakes (kind, source) WHERE state = 'standing'`);
    await db.query(`
      CREATE TABLE braked_cases (
        case_id uuid NOT NULL,
        brake_id uuid NOT NULL,
        person_id uuid NOT NULL,
        outcome text NOT NULL DEFAULT 'held',
        held_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        CONSTRAINT pk_braked_cases PRIMARY KEY (case_id),
        CONSTRAINT fk_braked_cases_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_braked_cases_brake FOREIGN KEY (brake_id) REFERENCES brakes (id),
        CONSTRAINT fk_braked_cases_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT ck_braked_cases_outcome CHECK (outcome IN ('held', 'released', 'discarded', 'taken_out')),
        CONSTRAINT ck_braked_cases_ended CHECK ((outcome = 'held') = (ended_at IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_braked_cases_held ON braked_cases (person_id) WHERE outcome = 'held'`);
    await db.query(`CREATE INDEX ix_braked_cases_brake ON braked_cases (brake_id)`);
    await db.query(`ALTER TABLE employments ADD COLUMN end_held_at timestamptz`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE employments DROP COLUMN end_held_at`);
    for (const table of ['braked_cases', 'brakes', 'brake_slots', 'brake_limits', 'approvals']) {
      await db.query(`DROP TABLE ${table}`);
    }
  }
}
