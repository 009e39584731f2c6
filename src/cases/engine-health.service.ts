import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { PRESENCE_LOCK } from './engine/presence.js';
import { LANES, type Lane, type StepState } from './step-states.js';

export interface StepCount {
  tool: string;
  lane: Lane;
  state: StepState;
  steps: number;
}

export interface OldestDue {
  lane: Lane;
  tool: string;
  /** Nothing is sent to a paused tool, so its steps wait on purpose. */
  toolPaused: boolean;
  /** Seconds since it was due. */
  age: number;
}

export interface DeadWorker {
  id: string;
  lanes: Lane[];
  host: string;
  pid: number;
  goneAt: Date;
}

/** How the engine stands, in queries that cost the same however many steps are over: for metrics and alerts. */
@Injectable()
export class EngineHealth {
  constructor(private readonly db: DataSource) {}

  /**
   * Steps that aren't over, by tool, lane and state. They are found by their cases, since a closed case has none: what
   * is over isn't looked at.
   */
  async unfinishedSteps(): Promise<StepCount[]> {
    return queryRows(
      this.db,
      `SELECT t.key AS tool, n.lane, n.state, n.steps FROM (
         SELECT o.tool_id, o.lane, o.state, sum(o.steps)::int AS steps FROM cases c CROSS JOIN LATERAL (
           SELECT s.tool_id, s.lane, s.state, count(*) AS steps FROM steps s
           WHERE s.case_id = c.id AND s.state NOT IN ('done', 'superseded', 'waived') GROUP BY 1, 2, 3) o
         WHERE c.state = 'open' GROUP BY 1, 2, 3) n
       JOIN tools t ON t.id = n.tool_id ORDER BY 1, 2, 3`,
    );
  }

  /** The step that has been due for longest, for each lane and tool that has one: one look into the index each. */
  async oldestDue(db: DataSource | EntityManager = this.db): Promise<OldestDue[]> {
    return queryRows(
      db,
      `SELECT l.lane, t.key AS tool, t.state = 'paused' AND COALESCE(t.paused_until > now(), true) AS "toolPaused",
         EXTRACT(EPOCH FROM now() - d.due_at)::float8 AS age
       FROM tools t CROSS JOIN unnest($1::text[]) AS l (lane) CROSS JOIN LATERAL (
         SELECT s.due_at FROM steps s WHERE s.tool_id = t.id AND s.lane = l.lane AND s.state IN ('ready', 'confirming')
           AND s.lease_owner IS NULL AND s.due_at <= now()
         ORDER BY s.due_at LIMIT 1) d
       ORDER BY d.due_at`,
      [LANES],
    );
  }

  /** Workers that PostgreSQL knows to be there, by the lock that each holds while it lives; for each lane, also 0. */
  async workersByLane(db: DataSource | EntityManager = this.db): Promise<ReadonlyMap<Lane, number>> {
    const rows = await queryRows<{ lane: Lane; workers: number }>(
      db,
      `SELECT l.lane, count(w.id)::int AS workers FROM unnest($2::text[]) AS l (lane)
       LEFT JOIN workers w ON w.gone_at IS NULL AND l.lane = ANY(w.lanes) AND EXISTS (
         SELECT 1 FROM pg_locks p WHERE p.locktype = 'advisory' AND p.granted
           AND p.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND p.classid = $1 AND p.objid = w.lock_key AND p.objsubid = 2)
       GROUP BY l.lane`,
      [PRESENCE_LOCK, LANES],
    );
    return new Map(rows.map(({ lane, workers }) => [lane, workers]));
  }

  /** Workers that went without a word within the last hour, some seconds ago, and that no later one stands in for. */
  async deadWorkers(db: DataSource | EntityManager, graceSeconds: number): Promise<DeadWorker[]> {
    return queryRows(
      db,
      `SELECT w.id, w.lanes, w.host, w.pid, w.gone_at AS "goneAt" FROM workers w
       WHERE w.gone_at IS NOT NULL AND w.left_at IS NULL AND w.gone_at > now() - interval '1 hour'
         AND w.gone_at < now() - $1 * interval '1 second'
         AND NOT EXISTS (SELECT 1 FROM workers later
           WHERE later.gone_at IS NULL AND later.lanes @> w.lanes AND later.started_at > w.seen_at)
       ORDER BY w.gone_at LIMIT 20`,
      [graceSeconds],
    );
  }

  async toolStates(): Promise<{ tool: string; state: 'active' | 'paused' }[]> {
    return queryRows(this.db, `SELECT key AS tool, state FROM tools WHERE state <> 'retired' ORDER BY key`);
  }

  async openAlerts(): Promise<{ kind: string; severity: string; alerts: number }[]> {
    return queryRows(
      this.db,
      `SELECT kind, severity, count(*)::int AS alerts FROM alerts WHERE resolved_at IS NULL GROUP BY 1, 2`,
    );
  }
}
