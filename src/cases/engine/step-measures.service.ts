import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../../platform/database/query-rows.js';
import { Telemetry } from '../../platform/telemetry/telemetry.js';
import type { CaseKind, Lane, StepState } from '../step-states.js';
import type { Claim } from './claim.js';
import { stepPhases } from './run-step.js';
import { leasesLost, type LostLeases } from './sweep.js';

const LOOK_EVERY_MS = 2_000;
const AT_ONCE = 1_000;

/** Seconds: from what a lost laptop may take to what a leaver with a person's step takes. */
const BUCKETS = [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];

const COUNTED: readonly StepState[] = ['done', 'superseded', 'needs_human'];

interface RunOver {
  stepId: string;
  fence: number;
}

interface Outcome {
  tool: string;
  lane: Lane;
  state: StepState;
  caseKind: CaseKind;
  /** Nobody claimed the step since: what it is in is what this run came to. */
  newest: boolean;
  /** A revocation that was confirmed: seconds since its case was opened. */
  revokedAfter: number | null;
  disagreed: number;
}

/**
 * Counts, in a worker, what its runs came to. A run only says that it is over; what it came to is looked up a little
 * later, many at a time, so that counting costs the hot path nothing and counts only what was committed. The fence tells
 * whose run ended a step, so that no two workers count it.
 */
@Injectable()
export class StepMeasures {
  private over: RunOver[] = [];
  private timer: NodeJS.Timeout | undefined;
  private readonly outcomes: ReturnType<Telemetry['counter']>;
  private readonly disagreed: ReturnType<Telemetry['counter']>;
  private readonly lost: ReturnType<Telemetry['counter']>;
  private readonly eventToRevoked: ReturnType<Telemetry['timer']>;
  private readonly lossToConfirmed: ReturnType<Telemetry['timer']>;

  constructor(
    private readonly db: DataSource,
    telemetry: Telemetry,
  ) {
    this.outcomes = telemetry.counter({
      name: 'quartermaster_step_outcomes_total',
      help: 'Steps that workers finished or handed to a person, by lane, state and tool.',
      labels: ['lane', 'state', 'tool'],
    });
    this.disagreed = telemetry.counter({
      name: 'quartermaster_read_backs_disagreed_total',
      help: 'Read-backs in which a tool showed something else than it had accepted.',
      labels: ['tool'],
    });
    this.lost = telemetry.counter({
      name: 'quartermaster_leases_lost_total',
      help: 'Steps taken back from a worker: it was gone, or its lease ran out.',
      labels: ['cause'],
    });
    this.eventToRevoked = telemetry.timer(
      {
        name: 'quartermaster_event_to_revoked_seconds',
        help: "From a leaver's case to each of its revocations being seen at the tool.",
        labels: [],
      },
      BUCKETS,
    );
    this.lossToConfirmed = telemetry.timer(
      {
        name: 'quartermaster_loss_to_confirmed_seconds',
        help: "From a lost device's report to each of its revocations being seen at the tool.",
        labels: [],
      },
      BUCKETS,
    );
  }

  start(): void {
    subscribe(stepPhases.name, this.onPhase);
    subscribe(leasesLost.name, this.onLost);
    this.timer = setInterval(() => void this.look().catch(() => undefined), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Looks up what is left; call it before the database is closed. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    unsubscribe(stepPhases.name, this.onPhase);
    unsubscribe(leasesLost.name, this.onLost);
    await this.look().catch(() => undefined);
  }

  private readonly onPhase = (message: unknown): void => {
    const { phase, stepId, fence } = message as Claim & { phase: string };
    if (phase === 'over') this.over.push({ stepId, fence });
  };

  private readonly onLost = (message: unknown): void => {
    const { gone, lapsed } = message as LostLeases;
    if (gone > 0) this.lost({ cause: 'worker_gone' }, gone);
    if (lapsed > 0) this.lost({ cause: 'lapsed' }, lapsed);
  };

  /** Throws when PostgreSQL is away; what was over is then looked up the next time. */
  async look(): Promise<void> {
    while (this.over.length > 0) {
      const batch = this.over.slice(0, AT_ONCE);
      const outcomes = await this.outcomesOf(batch);
      this.over.splice(0, batch.length);
      for (const outcome of outcomes) this.count(outcome);
    }
  }

  private async outcomesOf(runs: readonly RunOver[]): Promise<Outcome[]> {
    return queryRows(
      this.db,
      `SELECT t.key AS tool, s.lane, s.state, c.kind AS "caseKind", s.fence = r.fence AS newest,
         CASE WHEN s.fence = r.fence AND s.state = 'done' AND s.effect = 'revoke'
           THEN EXTRACT(EPOCH FROM s.confirmed_at - c.opened_at)::float8 END AS "revokedAfter",
         (SELECT count(*)::int FROM attempts a
          WHERE a.step_id = s.id AND a.fence = r.fence AND a.outcome = 'contradicted') AS disagreed
       FROM unnest($1::uuid[], $2::bigint[]) AS r (id, fence) JOIN steps s ON s.id = r.id
       JOIN cases c ON c.id = s.case_id JOIN tools t ON t.id = s.tool_id`,
      [runs.map(({ stepId }) => stepId), runs.map(({ fence }) => fence)],
    );
  }

  private count({ tool, lane, state, newest, caseKind, revokedAfter, disagreed }: Outcome): void {
    if (disagreed > 0) this.disagreed({ tool }, disagreed);
    if (newest && COUNTED.includes(state)) this.outcomes({ lane, state, tool });
    if (revokedAfter === null) return;
    if (caseKind === 'leaver') this.eventToRevoked({}, revokedAfter);
    if (caseKind === 'lost_device') this.lossToConfirmed({}, revokedAfter);
  }
}
