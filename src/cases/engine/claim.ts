import type { DataSource, EntityManager } from 'typeorm';
import type { LockTimeout } from '../../platform/database/grouped.js';
import { arrayIn, idsIn, prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import type { Lane, StepAct, StepEffect } from '../step-states.js';
import { admit, charge, type Admission, type ToolLoad } from './admission.js';
import { AFTER_DEATH } from './after-worker.js';
import { TIMING } from './timing.js';

/** A step that a worker holds by lease, with the attempt whose intent is already committed. */
export interface Claim {
  workerId: string;
  stepId: string;
  caseId: string;
  personId: string;
  toolId: string;
  accountId: string | null;
  grantId: string | null;
  act: StepAct;
  effect: StepEffect;
  lane: Lane;
  generation: number;
  /** Database writes name it; one that was overtaken is refused (I5). */
  fence: number;
  attemptId: string;
  attemptKind: 'act' | 'read_back' | 'look';
  attemptNumber: number;
  failures: number;
  readBacks: number;
  crashes: number;
  input: Record<string, unknown>;
}

/** Steps that crashed a worker twice run alone, so that the third crash convicts one of them and no other. */
export const CRASHES_BEFORE_ALONE = 2;

/** Which steps to take: those that never gave cause for suspicion, those that did, or both. */
export type Trust = 'trusted' | 'suspect' | 'any';

const TRUST_CONDITION: Record<Trust, string> = {
  trusted: `AND d.crashes < ${CRASHES_BEFORE_ALONE}`,
  suspect: `AND d.crashes >= ${CRASHES_BEFORE_ALONE}`,
  any: '',
};

const CLAIM_COLUMNS = `
  s.id AS "stepId", s.case_id AS "caseId", s.person_id AS "personId", s.tool_id AS "toolId", s.account_id AS "accountId",
  s.grant_id AS "grantId", s.act, s.effect, s.lane, s.generation, s.fence, s.failures, s.read_backs AS "readBacks",
  s.crashes, s.input, s.lease_owner AS "workerId"`;

/**
 * Takes due steps for a lane, as many as the worker has room for and their tools can bear, and writes each one's lease,
 * raised fence and intent in the same transaction. Tools are shared out in turn, so a long queue at one starves no other.
 */
export async function claimDue(
  db: DataSource,
  workerId: string,
  lanes: readonly Lane[],
  slots: number,
  trust: Trust = 'any',
): Promise<Claim[]> {
  return inTransaction(db, async (tx) => {
    const chosen = await choose(tx, lanes, slots, trust);
    return claimSteps(tx, workerId, chosen);
  });
}

/**
 * Picks due steps to be handed to Redis and notes until when they count as handed over. The ids are all that leaves
 * PostgreSQL; whoever gets one claims it with `claimThese`.
 */
export async function handOverDue(
  db: DataSource,
  lanes: readonly Lane[],
  slots: number,
): Promise<{ id: string; lane: Lane }[]> {
  return inTransaction(db, async (tx) => {
    const chosen = await choose(tx, lanes, slots, 'trusted');
    if (chosen.length === 0) return [];
    return queryRows<{ id: string; lane: Lane }>(
      tx,
      prepared(
        `UPDATE steps SET dispatched_until = now() + $2 * interval '1 ms' WHERE id = ANY (${idsIn('$1')}) RETURNING id, lane`,
      ),
      [chosen, TIMING.handedOver],
    );
  });
}

/**
 * Claims steps by their ids, in one statement that is a transaction of its own; undefined for one that somebody else
 * has, or that isn't due any more.
 */
export async function claimThese(
  db: DataSource,
  workerId: string,
  stepIds: readonly string[],
  lockTimeout: LockTimeout = '0',
): Promise<(Claim | undefined)[]> {
  const claims = new Map((await claimSteps(db, workerId, stepIds, lockTimeout)).map((claim) => [claim.stepId, claim]));
  return stepIds.map((stepId) => {
    const claim = claims.get(stepId);
    // Asked for twice, it is given once.
    claims.delete(stepId);
    return claim;
  });
}

async function choose(tx: EntityManager, lanes: readonly Lane[], slots: number, trust: Trust): Promise<string[]> {
  const loads = await lockLoads(tx, lanes);
  const lane: Lane = lanes.includes('emergency') ? 'emergency' : 'standard';
  const admissions = loads
    .map((load) => admit(load, lane))
    .filter(({ fromReserved, fromShared }) => fromReserved + fromShared > 0);
  if (admissions.length === 0) return [];
  const chosen = await pickInTurn(tx, lanes, admissions, slots, trust);
  await chargeBudgets(tx, admissions, chosen);
  return chosen.map(({ id }) => id);
}

/**
 * The budgets of tools with due work, locked. Routine lanes skip a tool that another dispatcher is deciding about. An
 * emergency waits for its own (reserved) row only, which no other lane ever locks, and takes the shared one if it is free.
 */
async function lockLoads(tx: EntityManager, lanes: readonly Lane[]): Promise<ToolLoad[]> {
  const due = `
    EXISTS (SELECT 1 FROM steps s WHERE s.tool_id = b.tool_id AND s.lane = ANY($1) AND s.state IN ('ready', 'confirming')
      AND s.lease_owner IS NULL AND s.due_at <= now())
    AND EXISTS (SELECT 1 FROM tools t WHERE t.id = b.tool_id
      AND (t.state = 'active' OR (t.state = 'paused' AND t.paused_until <= now())))`;
  const lock = (share: 'shared' | 'reserved', wait: string) =>
    queryRows<{ toolId: string; concurrency: number; allowance: number }>(
      tx,
      prepared(`SELECT b.tool_id AS "toolId", b.concurrency,
         LEAST(b.burst, b.allowance + EXTRACT(EPOCH FROM now() - b.refilled_at) * b.calls_per_second)::float8 AS allowance
       FROM tool_budgets b WHERE b.share = '${share}' AND ${due} ORDER BY b.tool_id FOR UPDATE OF b ${wait}`),
      [lanes],
    );
  const emergency = lanes.includes('emergency');
  const reserved = emergency ? await lock('reserved', '') : [];
  const shared = await lock('shared', 'SKIP LOCKED');
  const toolIds = [...new Set([...reserved, ...shared].map(({ toolId }) => toolId))];
  if (toolIds.length === 0) return [];
  // A statement of its own: its snapshot is younger than the locks, so what others took before is counted.
  const busy = await queryRows<{ toolId: string; emergency: number; other: number; reservedConcurrency: number }>(
    tx,
    prepared(`SELECT b.tool_id AS "toolId", b.concurrency AS "reservedConcurrency",
       (SELECT count(*)::int FROM steps s WHERE s.tool_id = b.tool_id AND s.lane = 'emergency'
          AND (s.lease_owner IS NOT NULL OR s.dispatched_until IS NOT NULL)) AS emergency,
       (SELECT count(*)::int FROM steps s WHERE s.tool_id = b.tool_id AND s.lane IN ('standard', 'bulk')
          AND (s.lease_owner IS NOT NULL OR s.dispatched_until > now())) AS other
     FROM tool_budgets b WHERE b.share = 'reserved' AND b.tool_id = ANY (${idsIn('$1')})`),
    [toolIds],
  );
  const none = { concurrency: 0, allowance: 0 };
  return busy.map((load) => ({
    toolId: load.toolId,
    reserved: reserved.find(({ toolId }) => toolId === load.toolId) ?? {
      concurrency: load.reservedConcurrency,
      allowance: 0,
    },
    shared: shared.find(({ toolId }) => toolId === load.toolId) ?? none,
    busy: { emergency: load.emergency, other: load.other },
  }));
}

interface Chosen {
  id: string;
  toolId: string;
}

async function pickInTurn(
  tx: EntityManager,
  lanes: readonly Lane[],
  admissions: readonly Admission[],
  slots: number,
  trust: Trust,
): Promise<Chosen[]> {
  return queryRows<Chosen>(
    tx,
    prepared(`SELECT id, tool_id AS "toolId" FROM (
       SELECT s.id, s.tool_id, s.due_at, row_number() OVER (PARTITION BY s.tool_id ORDER BY l.rank, s.due_at, s.id) AS turn, a.room
       FROM unnest(${arrayIn('$2', 'uuid')}, ${arrayIn('$3', 'int')}) AS a (tool_id, room)
       CROSS JOIN unnest(${arrayIn('$1', 'text')}) WITH ORDINALITY AS l (lane, rank)
       CROSS JOIN LATERAL (
         SELECT d.id, d.tool_id, d.due_at FROM steps d
         WHERE d.tool_id = a.tool_id AND d.lane = l.lane AND d.state IN ('ready', 'confirming') AND d.lease_owner IS NULL
           AND d.due_at <= now() AND (d.dispatched_until IS NULL OR d.dispatched_until <= now())
           ${TRUST_CONDITION[trust]}
         ORDER BY d.due_at, d.id LIMIT LEAST(a.room, $4) FOR UPDATE SKIP LOCKED) s
     ) due WHERE turn <= room ORDER BY turn, due_at LIMIT $4`),
    [
      lanes,
      admissions.map(({ toolId }) => toolId),
      admissions.map(({ fromReserved, fromShared }) => fromReserved + fromShared),
      slots,
    ],
  );
}

async function chargeBudgets(
  tx: EntityManager,
  admissions: readonly Admission[],
  chosen: readonly Chosen[],
): Promise<void> {
  const charges = admissions.flatMap((admission) => {
    const started = chosen.filter(({ toolId }) => toolId === admission.toolId).length;
    const { reserved, shared } = charge(admission, started);
    return [
      { toolId: admission.toolId, share: 'reserved', calls: reserved },
      { toolId: admission.toolId, share: 'shared', calls: shared },
    ].filter(({ calls }) => calls > 0);
  });
  if (charges.length === 0) return;
  await tx.query(
    prepared(`UPDATE tool_budgets b SET refilled_at = now(),
       allowance = LEAST(b.burst, b.allowance + EXTRACT(EPOCH FROM now() - b.refilled_at) * b.calls_per_second) - c.calls
     FROM unnest($1::uuid[], $2::text[], $3::int[]) AS c (tool_id, share, calls)
     WHERE b.tool_id = c.tool_id AND b.share = c.share`),
    [charges.map(({ toolId }) => toolId), charges.map(({ share }) => share), charges.map(({ calls }) => calls)],
  );
}

/** Lease, fence and intent in one statement. The fence carries the installation's epoch in its high bits. */
async function claimSteps(
  tx: DataSource | EntityManager,
  workerId: string,
  stepIds: readonly string[],
  lockTimeout: LockTimeout = '0',
): Promise<Claim[]> {
  if (stepIds.length === 0) return [];
  return queryRows<Claim>(
    tx,
    prepared(`WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', $5, true)
     ), due AS MATERIALIZED (
       SELECT id FROM patience, steps
       WHERE id = ANY (${idsIn('$2')}) AND state IN ('ready', 'confirming') AND lease_owner IS NULL AND due_at <= now()
       ORDER BY id FOR UPDATE OF steps
     ), taken AS (
       UPDATE steps s SET
         state = CASE s.state WHEN 'ready' THEN 'running' ELSE s.state END,
         lease_owner = $1, lease_until = now() + $3 * interval '1 ms', call_deadline = now() + $4 * interval '1 ms',
         dispatched_until = NULL,
         fence = GREATEST(s.fence + 1, i.epoch::bigint << 32),
         attempts = s.attempts + 1,
         read_backs = s.read_backs + CASE s.state WHEN 'confirming' THEN 1 ELSE 0 END
       FROM installation i, due WHERE s.id = due.id
       RETURNING s.*
     ), intended AS (
       INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline)
       SELECT gen_random_uuid(), t.id, t.person_id, t.tool_id, t.attempts,
         CASE WHEN t.effect = 'look' THEN 'look' WHEN t.state = 'confirming' THEN 'read_back' ELSE 'act' END,
         t.effect, t.fence, $1, jsonb_build_object('act', t.act, 'accountId', t.account_id, 'grantId', t.grant_id), t.call_deadline
       FROM taken t RETURNING id, step_id, number, kind
     )
     SELECT ${CLAIM_COLUMNS}, i.id AS "attemptId", i.kind AS "attemptKind", i.number AS "attemptNumber"
     FROM taken s JOIN intended i ON i.step_id = s.id`),
    [workerId, stepIds, TIMING.lease, TIMING.call, lockTimeout],
  );
}

/** Keeps the leases of calls that are still within their deadline. Answers the ids that are still ours. */
export async function renewLeases(db: DataSource, workerId: string): Promise<Set<string>> {
  const rows = await queryRows<{ id: string }>(
    db,
    prepared(`WITH ours AS MATERIALIZED (SELECT id FROM steps WHERE lease_owner = $1 ORDER BY id FOR UPDATE)
     UPDATE steps s SET lease_until = LEAST(now() + $2 * interval '1 ms', GREATEST(s.call_deadline, s.lease_until))
     FROM ours WHERE s.id = ours.id RETURNING s.id`),
    [workerId, TIMING.lease],
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Gives back what this worker dropped although it lives on: PostgreSQL failed it at the write, or it had slept past its
 * lease before the call. Only the worker itself knows that it won't send a grant any more, so nobody else takes one from
 * it; it is read back first, like one of a worker that died. Answers how many there were.
 */
export async function handBackDropped(db: DataSource, workerId: string, running: readonly string[]): Promise<number> {
  const rows = await queryRows(
    db,
    `WITH dropped AS (
       UPDATE steps SET state = CASE WHEN state = 'running' THEN $3::jsonb ->> effect ELSE state END,
         lease_owner = NULL, lease_until = NULL, due_at = now()
       WHERE lease_owner = $1 AND lease_until < now() AND id <> ALL($2) RETURNING id
     ), left_open AS (
       UPDATE attempts SET abandoned_at = now()
       WHERE step_id IN (SELECT id FROM dropped) AND worker_id = $1 AND outcome IS NULL AND abandoned_at IS NULL)
     SELECT id FROM dropped`,
    [workerId, running, AFTER_DEATH],
  );
  return rows.length;
}
