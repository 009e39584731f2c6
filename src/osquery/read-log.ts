import { z } from 'zod';
import { queryNamed, type AgentQuery } from './queries.js';
import { keepable } from './read-rows.js';

/** What came of one query: its rows as they were sent, or why it failed. */
export interface QueryOutcome {
  query: AgentQuery;
  /** When the agent looked, by its clock. */
  observedAt: Date;
  outcome: { rows: readonly unknown[] } | { failed: string };
}

const UnixTime = z.coerce.number().int().min(0).max(253_402_300_799);

/** osquery's wiki, `deployment/logging.md`, "Snapshot format". */
const Snapshot = z.object({ name: z.string(), unixTime: UnixTime, snapshot: z.array(z.unknown()) });

/** osquery, `plugins/logger/buffered.cpp`, `logStatus`: severity 2 is an error. */
const Status = z.object({ severity: z.coerce.number(), message: z.string(), unixTime: UnixTime });

/** `osquery/dispatcher/scheduler.cpp` says so of a query that failed. Nothing else tells of it. */
const FAILED = /^Error executing scheduled query (\S+?): (.*)$/s;

/**
 * Outcomes of one query that one request may bring: four days of hourly looks. What is kept of them can't be deleted, and
 * whoever has a node's key can send as many as fit into a body.
 */
const MOST_OF_A_QUERY = 100;

/**
 * What of a batch of log lines is about our queries, of each the newest outcomes, older ones first. What can't be read, or
 * is about others, is left out.
 */
export function readLog(type: string, lines: readonly unknown[]): QueryOutcome[] {
  const read = type === 'result' ? lines.flatMap(readSnapshot) : type === 'status' ? lines.flatMap(readFailure) : [];
  const byQuery = [...Map.groupBy(read, ({ query }) => query).values()];
  return byQuery.flatMap((outcomes) =>
    outcomes.toSorted((a, b) => a.observedAt.getTime() - b.observedAt.getTime()).slice(-MOST_OF_A_QUERY),
  );
}

function readSnapshot(line: unknown): QueryOutcome[] {
  const read = Snapshot.safeParse(line);
  const query = read.success ? queryNamed(read.data.name) : undefined;
  if (!read.success || !query) return [];
  return [{ query, observedAt: at(read.data.unixTime), outcome: { rows: read.data.snapshot } }];
}

function readFailure(line: unknown): QueryOutcome[] {
  const read = Status.safeParse(line);
  const [, name = '', reason = ''] = (read.success && FAILED.exec(read.data.message)) || [];
  const query = queryNamed(name);
  if (!read.success || !query || read.data.severity < 2) return [];
  return [{ query, observedAt: at(read.data.unixTime), outcome: failedFor(reason) }];
}

/** What a distributed write tells. */
export interface Written {
  queries: Readonly<Record<string, unknown>>;
  statuses: Readonly<Record<string, unknown>>;
  messages: Readonly<Record<string, unknown>>;
}

/**
 * A status that isn't 0 is a failure and never an empty answer (`deployment/remote.md`, "Distributed queries"); a query
 * that isn't told of didn't run, since it is for another platform.
 */
export function readWritten({ queries, statuses, messages }: Written, observedAt: Date): QueryOutcome[] {
  const names = new Set([...Object.keys(queries), ...Object.keys(statuses)]);
  return [...names].flatMap((name): QueryOutcome[] => {
    const query = queryNamed(name);
    if (!query) return [];
    const told = statuses[name] ?? 0;
    const status = typeof told === 'number' || typeof told === 'string' ? String(told) : 'unreadable';
    if (status !== '0') {
      const message = messages[name];
      const said = typeof message === 'string' && message !== '' ? `: ${message}` : '';
      return [{ query, observedAt, outcome: failedFor(`status ${status.slice(0, 20)}${said}`) }];
    }
    // Older agents write an empty list as an empty text.
    const rows = queries[name] === '' ? [] : queries[name];
    if (Array.isArray(rows)) return [{ query, observedAt, outcome: { rows } }];
    return [{ query, observedAt, outcome: { failed: 'the answer is no list of rows' } }];
  });
}

function failedFor(reason: string): { failed: string } {
  return { failed: keepable(reason.slice(0, 500)) };
}

function at(unixTime: number): Date {
  return new Date(unixTime * 1_000);
}
