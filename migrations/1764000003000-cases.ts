import type { MigrationInterface, QueryRunner } from 'typeorm';

const STEP_TRANSITIONS: readonly (readonly [string, string])[] = [
  ['planned', 'ready'],
  ['planned', 'held'],
  ['planned', 'needs_human'],
  ['planned', 'superseded'],
  ['planned', 'waived'],
  ['held', 'planned'],
  ['held', 'ready'],
  ['held', 'superseded'],
  ['held', 'waived'],
  ['ready', 'running'],
  ['ready', 'held'],
  ['ready', 'needs_human'],
  ['ready', 'superseded'],
  ['running', 'confirming'],
  ['running', 'done'],
  ['running', 'ready'],
  ['running', 'needs_human'],
  ['running', 'superseded'],
  ['confirming', 'done'],
  ['confirming', 'ready'],
  ['confirming', 'needs_human'],
  ['confirming', 'superseded'],
  ['needs_human', 'ready'],
  ['needs_human', 'confirming'],
  ['needs_human', 'done'],
  ['needs_human', 'waived'],
  ['needs_human', 'superseded'],
];

/** The engine: cases, their steps and attempts, holds, alerts, the workers that act, and the inbox. */
export class Cases1764000003000 implements MigrationInterface {
  readonly name = 'Cases1764000003000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE cases (
        id uuid NOT NULL,
        kind text NOT NULL,
        person_id uuid NOT NULL,
        device_id uuid,
        parent_case_id uuid,
        policy_version_id uuid,
        state text NOT NULL DEFAULT 'open',
        lane text NOT NULL,
        scope text NOT NULL DEFAULT 'person',
        generation bigint NOT NULL,
        opened_by text NOT NULL,
        facts jsonb NOT NULL DEFAULT '{}',
        opened_at timestamptz NOT NULL DEFAULT now(),
        closed_at timestamptz,
        version integer NOT NULL DEFAULT 1,
        CONSTRAINT pk_cases PRIMARY KEY (id),
        CONSTRAINT fk_cases_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_cases_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_cases_parent FOREIGN KEY (parent_case_id) REFERENCES cases (id),
        CONSTRAINT fk_cases_policy_version FOREIGN KEY (policy_version_id) REFERENCES policy_versions (id),
        CONSTRAINT ck_cases_kind CHECK (kind IN
          ('joiner', 'mover', 'leaver', 'rehire', 'lost_device', 'credential_reset', 'restoration')),
        CONSTRAINT ck_cases_state CHECK (state IN ('open', 'closed')),
        CONSTRAINT ck_cases_closed_at CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
        CONSTRAINT ck_cases_lane CHECK (lane IN ('emergency', 'standard', 'bulk')),
        CONSTRAINT ck_cases_scope CHECK (scope IN ('person', 'device'))
      )`);
    await db.query(`CREATE INDEX ix_cases_person ON cases (person_id)`);
    await db.query(`CREATE INDEX ix_cases_open ON cases (opened_at) WHERE state = 'open'`);
    await db.query(`
      CREATE TABLE holds (
        id uuid NOT NULL,
        subject text NOT NULL,
        person_id uuid NOT NULL,
        account_id uuid,
        device_id uuid,
        reason text NOT NULL,
        case_id uuid NOT NULL,
        placed_at timestamptz NOT NULL DEFAULT now(),
        released_at timestamptz,
        released_by text,
        released_case_id uuid,
        CONSTRAINT pk_holds PRIMARY KEY (id),
        CONSTRAINT fk_holds_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_holds_account FOREIGN KEY (account_id) REFERENCES accounts (id),
        CONSTRAINT fk_holds_device FOREIGN KEY (device_id) REFERENCES devices (id),
        CONSTRAINT fk_holds_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_holds_released_case FOREIGN KEY (released_case_id) REFERENCES cases (id),
        CONSTRAINT ck_holds_subject CHECK (subject IN ('person', 'account', 'device')),
        CONSTRAINT ck_holds_reason CHECK (reason IN ('leaver', 'lost_device')),
        CONSTRAINT ck_holds_released CHECK ((released_at IS NULL) = (released_case_id IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_holds_standing ON holds (person_id) WHERE released_at IS NULL`);
    await db.query(`
      CREATE TABLE workers (
        id uuid NOT NULL,
        lanes text[] NOT NULL,
        host text NOT NULL,
        pid integer NOT NULL,
        lock_key integer GENERATED ALWAYS AS IDENTITY NOT NULL,
        started_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz NOT NULL DEFAULT now(),
        gone_at timestamptz,
        CONSTRAINT pk_workers PRIMARY KEY (id),
        CONSTRAINT uq_workers_lock_key UNIQUE (lock_key)
      )`);
    await db.query(`
      CREATE TABLE steps (
        id uuid NOT NULL,
        case_id uuid NOT NULL,
        person_id uuid NOT NULL,
        tool_id uuid NOT NULL,
        account_id uuid,
        grant_id uuid,
        act text NOT NULL,
        effect text NOT NULL,
        state text NOT NULL,
        lane text NOT NULL,
        position integer NOT NULL,
        generation bigint NOT NULL,
        due_at timestamptz NOT NULL DEFAULT now(),
        dispatched_until timestamptz,
        lease_owner uuid,
        lease_until timestamptz,
        call_deadline timestamptz,
        fence bigint NOT NULL DEFAULT 0,
        attempts integer NOT NULL DEFAULT 0,
        failures integer NOT NULL DEFAULT 0,
        read_backs integer NOT NULL DEFAULT 0,
        crashes integer NOT NULL DEFAULT 0,
        lone_crashes integer NOT NULL DEFAULT 0,
        input jsonb NOT NULL DEFAULT '{}',
        reason text,
        owner text,
        deadline timestamptz,
        residual_until timestamptz,
        requested_at timestamptz NOT NULL DEFAULT now(),
        sent_at timestamptz,
        confirmed_at timestamptz,
        ended_at timestamptz,
        CONSTRAINT pk_steps PRIMARY KEY (id),
        CONSTRAINT fk_steps_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT fk_steps_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_steps_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT fk_steps_account FOREIGN KEY (account_id) REFERENCES accounts (id),
        CONSTRAINT fk_steps_grant FOREIGN KEY (grant_id) REFERENCES grants (id),
        CONSTRAINT ck_steps_act CHECK (act IN ('discover', 'create_account', 'grant', 'restore_account', 'suspend_account',
          'withdraw', 'reset_credentials', 'final_look')),
        CONSTRAINT ck_steps_effect CHECK (effect = CASE
          WHEN act IN ('discover', 'final_look') THEN 'look'
          WHEN act IN ('create_account', 'grant', 'restore_account') THEN 'grant'
          ELSE 'revoke' END),
        CONSTRAINT ck_steps_state CHECK (state IN
          ('planned', 'held', 'ready', 'running', 'confirming', 'done', 'needs_human', 'superseded', 'waived')),
        CONSTRAINT ck_steps_lane CHECK (lane IN ('emergency', 'standard', 'bulk')),
        CONSTRAINT ck_steps_lease CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
        CONSTRAINT ck_steps_leased_state CHECK (
          CASE WHEN state = 'running' THEN lease_owner IS NOT NULL ELSE lease_owner IS NULL OR state = 'confirming' END),
        CONSTRAINT ck_steps_done_is_confirmed CHECK (state <> 'done' OR confirmed_at IS NOT NULL),
        CONSTRAINT ck_steps_needs_human CHECK (state <> 'needs_human' OR
          (owner IS NOT NULL AND deadline IS NOT NULL AND reason IS NOT NULL)),
        CONSTRAINT ck_steps_waived CHECK (state <> 'waived' OR (owner IS NOT NULL AND reason IS NOT NULL)),
        CONSTRAINT ck_steps_revocation_stays CHECK (NOT (state = 'superseded' AND effect = 'revoke'))
      )`);
    await db.query(`CREATE INDEX ix_steps_case ON steps (case_id, position)`);
    await db.query(`CREATE INDEX ix_steps_account ON steps (account_id)`);
    await db.query(`
      CREATE INDEX ix_steps_due ON steps (tool_id, lane, due_at, id)
      WHERE state IN ('ready', 'confirming') AND lease_owner IS NULL`);
    await db.query(`CREATE INDEX ix_steps_leased ON steps (lease_until) WHERE lease_owner IS NOT NULL`);
    await db.query(
      `CREATE INDEX ix_steps_busy ON steps (tool_id, lane) WHERE lease_owner IS NOT NULL OR dispatched_until IS NOT NULL`,
    );
    await db.query(`CREATE INDEX ix_steps_needs_human ON steps (deadline) WHERE state = 'needs_human'`);
    await db.query(`
      CREATE INDEX ix_steps_unfinished_grants ON steps (person_id, tool_id)
      WHERE effect = 'grant' AND state NOT IN ('done', 'superseded', 'waived')`);
    await db.query(`
      CREATE TABLE step_needs (
        step_id uuid NOT NULL,
        needs_step_id uuid NOT NULL,
        CONSTRAINT pk_step_needs PRIMARY KEY (step_id, needs_step_id),
        CONSTRAINT fk_step_needs_step FOREIGN KEY (step_id) REFERENCES steps (id),
        CONSTRAINT fk_step_needs_needs FOREIGN KEY (needs_step_id) REFERENCES steps (id)
      )`);
    await db.query(`CREATE INDEX ix_step_needs_needs ON step_needs (needs_step_id)`);
    await db.query(`
      CREATE TABLE attempts (
        id uuid NOT NULL,
        step_id uuid NOT NULL,
        person_id uuid NOT NULL,
        tool_id uuid NOT NULL,
        number integer NOT NULL,
        kind text NOT NULL,
        effect text NOT NULL,
        fence bigint NOT NULL,
        worker_id uuid NOT NULL,
        intent jsonb NOT NULL,
        intended_at timestamptz NOT NULL DEFAULT now(),
        call_deadline timestamptz NOT NULL,
        outcome text,
        error_kind text,
        detail jsonb,
        finished_at timestamptz,
        abandoned_at timestamptz,
        CONSTRAINT pk_attempts PRIMARY KEY (id),
        CONSTRAINT fk_attempts_step FOREIGN KEY (step_id) REFERENCES steps (id),
        CONSTRAINT fk_attempts_worker FOREIGN KEY (worker_id) REFERENCES workers (id),
        CONSTRAINT uq_attempts_number UNIQUE (step_id, number),
        CONSTRAINT ck_attempts_kind CHECK (kind IN ('act', 'read_back', 'look')),
        CONSTRAINT ck_attempts_outcome CHECK (outcome IN ('done', 'already', 'in_progress', 'action_required', 'not_sent', 'failed',
          'shown', 'not_yet', 'contradicted', 'cannot_see')),
        CONSTRAINT ck_attempts_finished CHECK ((outcome IS NULL) = (finished_at IS NULL))
      )`);
    await db.query(`
      CREATE INDEX ix_attempts_open_grants ON attempts (person_id, tool_id)
      WHERE outcome IS NULL AND kind = 'act' AND effect = 'grant'`);
    await db.query(`
      CREATE TABLE alerts (
        id uuid NOT NULL,
        dedup_key text NOT NULL,
        kind text NOT NULL,
        severity text NOT NULL,
        owner text NOT NULL,
        message text NOT NULL,
        step_id uuid,
        tool_id uuid,
        raised_at timestamptz NOT NULL DEFAULT now(),
        resolved_at timestamptz,
        CONSTRAINT pk_alerts PRIMARY KEY (id),
        CONSTRAINT fk_alerts_step FOREIGN KEY (step_id) REFERENCES steps (id),
        CONSTRAINT fk_alerts_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT ck_alerts_severity CHECK (severity IN ('critical', 'error', 'warning', 'info'))
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_alerts_open ON alerts (dedup_key) WHERE resolved_at IS NULL`);
    await db.query(`
      CREATE TABLE hr_sources (
        name text NOT NULL,
        secret_ids uuid[] NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_hr_sources PRIMARY KEY (name),
        CONSTRAINT ck_hr_sources_secrets CHECK (cardinality(secret_ids) BETWEEN 1 AND 2)
      )`);
    await db.query(`
      CREATE TABLE inbox_events (
        id uuid NOT NULL,
        source text NOT NULL,
        event_id text NOT NULL,
        body text NOT NULL,
        event_type text,
        employee_id text,
        event_time timestamptz,
        sequence bigint,
        received_at timestamptz NOT NULL DEFAULT now(),
        deliveries integer NOT NULL DEFAULT 1,
        last_delivery_at timestamptz NOT NULL DEFAULT now(),
        outcome text NOT NULL,
        outcome_reason text,
        effective_at timestamptz,
        person_id uuid,
        case_id uuid,
        CONSTRAINT pk_inbox_events PRIMARY KEY (id),
        CONSTRAINT uq_inbox_events_event UNIQUE (source, event_id),
        CONSTRAINT fk_inbox_events_person FOREIGN KEY (person_id) REFERENCES people (id),
        CONSTRAINT fk_inbox_events_case FOREIGN KEY (case_id) REFERENCES cases (id),
        CONSTRAINT ck_inbox_events_outcome CHECK (outcome IN
          ('applied', 'duplicate', 'outdated', 'scheduled', 'held', 'unreadable'))
      )`);
    await db.query(`CREATE INDEX ix_inbox_events_person ON inbox_events (person_id)`);
    await db.query(`CREATE INDEX ix_inbox_events_employee ON inbox_events (source, employee_id)`);

    // The closed list of moves, kept by the database as well: no code path can take a step anywhere else.
    await db.query(`
      CREATE FUNCTION step_moves_as_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NOT ((OLD.state || '>' || NEW.state) = ANY (ARRAY[${STEP_TRANSITIONS.map(([from, to]) => `'${from}>${to}'`).join(', ')}])) THEN
          RAISE EXCEPTION 'a step never goes from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER step_moves_as_allowed BEFORE UPDATE OF state ON steps
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION step_moves_as_allowed()`);
    await db.query(`
      CREATE FUNCTION case_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD.state = 'closed' THEN
          RAISE EXCEPTION 'a closed case is not opened again' USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM steps WHERE case_id = NEW.id AND state NOT IN ('done', 'superseded', 'waived')) THEN
          RAISE EXCEPTION 'a case with unfinished steps is not closed' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER case_stays_closed BEFORE UPDATE OF state ON cases
      FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION case_stays_closed()`);
    await db.query(`
      CREATE FUNCTION closed_case_takes_no_steps() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT 1 FROM cases WHERE id = NEW.case_id AND state = 'closed') THEN
          RAISE EXCEPTION 'a closed case takes no more steps' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
      END $$`);
    await db.query(`
      CREATE TRIGGER closed_case_takes_no_steps BEFORE INSERT ON steps
      FOR EACH ROW EXECUTE FUNCTION closed_case_takes_no_steps()`);
    // The emergency worker listens; NOTIFY takes a lock at commit, so only the rare lane pays for it.
    await db.query(`
      CREATE FUNCTION wake_emergency_lane() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('quartermaster_emergency', '');
        RETURN NULL;
      END $$`);
    await db.query(`
      CREATE TRIGGER wake_emergency_lane_on_insert AFTER INSERT ON steps
      FOR EACH ROW WHEN (NEW.lane = 'emergency' AND NEW.state = 'ready') EXECUTE FUNCTION wake_emergency_lane()`);
    await db.query(`
      CREATE TRIGGER wake_emergency_lane_on_update AFTER UPDATE OF state ON steps
      FOR EACH ROW WHEN (NEW.lane = 'emergency' AND NEW.state = 'ready' AND OLD.state <> 'ready')
      EXECUTE FUNCTION wake_emergency_lane()`);
  }

  async down(db: QueryRunner): Promise<void> {
    for (const table of [
      'inbox_events',
      'hr_sources',
      'alerts',
      'attempts',
      'step_needs',
      'steps',
      'workers',
      'holds',
      'cases',
    ]) {
      await db.query(`DROP TABLE ${table}`);
    }
    await db.query(`DROP FUNCTION step_moves_as_allowed()`);
    await db.query(`DROP FUNCTION case_stays_closed()`);
    await db.query(`DROP FUNCTION closed_case_takes_no_steps()`);
    await db.query(`DROP FUNCTION wake_emergency_lane()`);
  }
}
