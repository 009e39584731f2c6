import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ObservedAccount } from '../../../connectors/kit/contract.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { CredentialsService } from '../../accounts/credentials.service.js';
import { Grouped, type LockTimeout } from '../../platform/database/grouped.js';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';
import type { Lane } from '../step-states.js';
import type { Claim } from './claim.js';
import type { Next } from './decide.js';
import { sentAgo, Settlement, type AttemptResult } from './settle.js';
import { TIMING } from './timing.js';

/** An emergency never waits for what an ordinary step's group waits for (I8). */
function groupedByLane<Request, Answer>(
  answerAll: (requests: readonly Request[], lockTimeout: LockTimeout) => Promise<readonly Answer[]>,
): Record<Lane, Grouped<Request, Answer>> {
  return { emergency: new Grouped(answerAll), standard: new Grouped(answerAll), bulk: new Grouped(answerAll) };
}

interface Acted {
  claim: Claim;
  result: AttemptResult;
  input: Record<string, unknown>;
}

interface Shown {
  claim: Claim;
  accountId: string;
  result: AttemptResult;
  observed: ObservedAccount | null;
  loadedAt: Date;
  next: Extract<Next, { state: 'done' }>;
}

/**
 * What every step does when all goes well, for many steps in one transaction (group commit): its act's outcome with the
 * intent of the read-back, and its end with all that follows. Everything else is `Settlement`'s, step by step. Answers
 * false, or nothing, for a step whose lease isn't the caller's any more: for it nothing is written (I5).
 */
@Injectable()
export class SettleTogether {
  private readonly acted = groupedByLane<Acted, Claim | undefined>((all, lockTimeout) =>
    this.readBackAll(all, lockTimeout),
  );
  private readonly shown = groupedByLane<Shown, boolean>((all, lockTimeout) =>
    inTransaction(this.db, (tx) => this.endAll(tx, all, lockTimeout)),
  );

  constructor(
    private readonly db: DataSource,
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly settlement: Settlement,
  ) {}

  /**
   * Ends the act's attempt, and opens the read-back's with its intent, in one go: the lease and the fence stay. The
   * answer is the claim of the read-back.
   */
  goOnToReadBack(claim: Claim, result: AttemptResult, input: Record<string, unknown>): Promise<Claim | undefined> {
    return this.acted[claim.lane].ask({ claim, result, input });
  }

  /** What a read-back showed is recorded, and the step is done. */
  end(shown: Shown): Promise<boolean> {
    return this.shown[shown.claim.lane].ask(shown);
  }

  private async readBackAll(all: readonly Acted[], lockTimeout: LockTimeout): Promise<(Claim | undefined)[]> {
    // One statement, which is a transaction of its own. Steps are locked in the order of their ids, here and in renewals.
    const opened = await queryRows<{
      attemptId: string;
      stepId: string;
      attemptNumber: number;
      readBacks: number;
      input: Record<string, unknown>;
    }>(
      this.db,
      prepared(`WITH acted AS (
         SELECT * FROM jsonb_to_recordset($1::jsonb) AS a (step uuid, worker uuid, fence bigint, attempt uuid, outcome text,
           error_kind text, detail jsonb, sent_ago float8, input jsonb)
       ), patience AS MATERIALIZED (SELECT set_config('lock_timeout', $4, true)
       ), locked AS MATERIALIZED (
         SELECT s.id FROM patience, steps s JOIN acted a ON a.step = s.id AND a.worker = s.lease_owner AND a.fence = s.fence
         ORDER BY s.id FOR UPDATE OF s
       ), step AS (
         UPDATE steps s SET state = 'confirming', attempts = s.attempts + 1, read_backs = s.read_backs + 1, input = s.input || a.input,
           sent_at = COALESCE(s.sent_at, clock_timestamp() - a.sent_ago * interval '1 ms'),
           lease_until = now() + $2 * interval '1 ms', call_deadline = now() + $3 * interval '1 ms'
         FROM acted a JOIN locked l ON l.id = a.step WHERE s.id = a.step RETURNING s.*
       ), ended AS (
         UPDATE attempts t SET outcome = a.outcome, error_kind = a.error_kind, detail = a.detail, finished_at = clock_timestamp()
         FROM acted a JOIN step ON step.id = a.step WHERE t.id = a.attempt AND t.outcome IS NULL
       ), opened AS (
         INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline)
         SELECT gen_random_uuid(), id, person_id, tool_id, attempts, 'read_back', effect, fence, lease_owner,
           jsonb_build_object('act', act, 'accountId', account_id, 'grantId', grant_id), call_deadline FROM step
         RETURNING id, step_id, number)
       SELECT o.id AS "attemptId", o.step_id AS "stepId", o.number AS "attemptNumber", s.read_backs AS "readBacks", s.input
       FROM opened o JOIN step s ON s.id = o.step_id`),
      [
        JSON.stringify(all.map(({ claim, result, input }) => ({ ...attemptRow(claim, result), input }))),
        TIMING.lease,
        TIMING.call,
        lockTimeout,
      ],
    );
    const byStep = new Map(opened.map((one) => [one.stepId, one]));
    return all.map(({ claim }) => {
      const readBack = byStep.get(claim.stepId);
      return readBack && { ...claim, ...readBack, attemptKind: 'read_back' };
    });
  }

  private async endAll(tx: EntityManager, all: readonly Shown[], lockTimeout: LockTimeout): Promise<boolean[]> {
    const ours = await lockOurs(tx, all, lockTimeout);
    const ending = all.filter(({ claim }) => ours.has(claim.stepId));
    await this.accounts.recordObservations(
      tx,
      ending.map(({ accountId, observed, loadedAt: at }) => ({ accountId, observed, source: 'read-back', at })),
    );
    // After a cut no credential of the account works.
    const cut = ending.filter(({ claim }) => claim.act === 'suspend_account').map(({ accountId }) => accountId);
    await this.credentials.revokeCredentials(tx, cut);
    await writeEnds(tx, ending);
    await this.settlement.end(
      tx,
      ending.map(({ claim }) => claim),
      SYSTEM,
      'done',
    );
    return all.map(({ claim }) => ours.has(claim.stepId));
  }
}

/** The steps that are still their worker's, locked until the commit. */
async function lockOurs(
  tx: EntityManager,
  all: readonly Shown[],
  lockTimeout: LockTimeout,
): Promise<ReadonlySet<string>> {
  const rows = await queryRows<{ id: string }>(
    tx,
    prepared(`WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', $2, true))
     SELECT s.id FROM patience, steps s
     JOIN jsonb_to_recordset($1::jsonb) AS r (step uuid, worker uuid, fence bigint)
       ON r.step = s.id AND r.worker = s.lease_owner AND r.fence = s.fence
     ORDER BY s.id FOR UPDATE OF s`),
    [JSON.stringify(all.map(({ claim, result }) => attemptRow(claim, result))), lockTimeout],
  );
  return new Set(rows.map(({ id }) => id));
}

async function writeEnds(tx: EntityManager, ending: readonly Shown[]): Promise<void> {
  const rows = ending.map(({ claim, result, next }) => ({
    ...attemptRow(claim, result),
    reason: next.unprovable,
    residual_until: next.residualUntil,
  }));
  await tx.query(
    prepared(`WITH shown AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS r (step uuid, attempt uuid, outcome text, error_kind text, detail jsonb,
         sent_ago float8, reason text, residual_until timestamptz)
     ), ended AS (
       UPDATE attempts t SET outcome = r.outcome, error_kind = r.error_kind, detail = r.detail, finished_at = clock_timestamp()
       FROM shown r WHERE t.id = r.attempt AND t.outcome IS NULL)
     UPDATE steps s SET state = 'done', lease_owner = NULL, lease_until = NULL, call_deadline = NULL,
       sent_at = COALESCE(s.sent_at, clock_timestamp() - r.sent_ago * interval '1 ms'), due_at = now(),
       reason = r.reason, residual_until = COALESCE(r.residual_until, s.residual_until),
       confirmed_at = clock_timestamp(), ended_at = clock_timestamp(), owner = NULL, deadline = NULL
     FROM shown r WHERE s.id = r.step`),
    [JSON.stringify(rows)],
  );
}

function attemptRow(claim: Claim, result: AttemptResult): Record<string, unknown> {
  const { stepId: step, workerId: worker, fence, attemptId: attempt } = claim;
  const { outcome, errorKind, detail } = result;
  return { step, worker, fence, attempt, outcome, error_kind: errorKind, detail, sent_ago: sentAgo(result) };
}
