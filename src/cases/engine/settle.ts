import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { SYSTEM, type Actor } from '../../platform/sign-in/actor.js';
import { AlertsService, struggleKey } from '../alerts.service.js';
import type { AttemptOutcome } from '../attempt.entity.js';
import { CasesService } from '../cases.service.js';
import { chooseOwner, dutyTime } from '../human-duty.js';
import type { Lane, StepAct, StepEffect } from '../step-states.js';
import type { Claim } from './claim.js';
import type { Next, ToolPause } from './decide.js';
import { whyNotSent } from './may-send.js';
import { standingAgainst } from './standing.js';

/** Somebody else took the step over; what this worker still has to say about it changes nothing (I5). */
export class StaleFence extends Error {
  override readonly name = 'StaleFence';

  constructor(stepId: string) {
    super(`step ${stepId} was taken over`);
  }
}

export interface AttemptResult {
  outcome: AttemptOutcome;
  errorKind?: string;
  /** What was seen, for people: never a secret, never a provider's raw answer. */
  detail?: Record<string, unknown>;
  /** When the call was sent, by this process's monotonic clock (`performance.now()`); absent when nothing was sent. */
  sentAt?: number;
}

/** How long ago the call was sent, in milliseconds: taken when it is written, so that a wait for the database doesn't count. */
export function sentAgo({ sentAt }: AttemptResult): number | null {
  return sentAt === undefined ? null : performance.now() - sentAt;
}

/** A step about to be a person's. */
interface Duty {
  stepId: string;
  caseId: string;
  toolId: string;
  act: StepAct;
  effect: StepEffect;
  lane: Lane;
}

interface EndedStep {
  stepId: string;
  caseId: string;
  personId: string;
  toolId: string;
  act: StepAct;
}

const STRUGGLING_AFTER = 5;

/** Writes what an attempt led to, in the caller's transaction: attempt, step, dependents, case, audit, alerts. */
@Injectable()
export class Settlement {
  constructor(
    private readonly cases: CasesService,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
  ) {}

  /**
   * Ends the attempt and moves the step on. Throws `StaleFence` when the lease isn't the caller's any more; the
   * transaction is then rolled back as a whole. With `input` the step remembers what the act wrote.
   */
  async settle(
    tx: EntityManager,
    claim: Claim,
    result: AttemptResult,
    decided: Next,
    input: Record<string, unknown> = {},
  ): Promise<void> {
    await this.endAttempt(tx, claim, result);
    const next = await this.unlessObsolete(tx, claim, decided);
    const [moved] = await queryRows<{ failures: number }>(
      tx,
      prepared(`UPDATE steps SET state = $4, lease_owner = NULL, lease_until = NULL, call_deadline = NULL,
         sent_at = COALESCE(sent_at, clock_timestamp() - $5::float8 * interval '1 ms'),
         due_at = now() + $6::float8 * interval '1 ms',
         failures = CASE WHEN $7 THEN failures + 1 ELSE failures END,
         reason = $8, residual_until = COALESCE($9, residual_until), input = (CASE WHEN $4 = 'ready' THEN input - 'inProgress' ELSE input END) || $10::jsonb,
         confirmed_at = CASE WHEN $4 = 'done' THEN clock_timestamp() END,
         ended_at = CASE WHEN $4 IN ('done', 'superseded') THEN clock_timestamp() END,
         owner = CASE WHEN $4 = 'needs_human' THEN '' END, deadline = CASE WHEN $4 = 'needs_human' THEN now() END
       WHERE id = $1 AND lease_owner = $2 AND fence = $3 RETURNING failures`),
      [
        claim.stepId,
        claim.workerId,
        claim.fence,
        next.state,
        sentAgo(result),
        'dueIn' in next ? next.dueIn : 0,
        next.state === 'ready' && next.failed,
        'reason' in next ? (next.reason ?? null) : next.state === 'done' ? next.unprovable : null,
        next.state === 'done' ? next.residualUntil : null,
        JSON.stringify(input),
      ],
    );
    if (!moved) throw new StaleFence(claim.stepId);
    switch (next.state) {
      case 'done':
      case 'superseded':
        await this.end(tx, [claim], SYSTEM, next.state);
        break;
      case 'needs_human':
        await this.handOver(tx, claim, next.reason);
        break;
      case 'ready':
        if (moved.failures >= STRUGGLING_AFTER) await this.warnOfStruggle(tx, claim, next.reason);
        break;
      case 'confirming':
        if (next.reason !== undefined && claim.readBacks >= STRUGGLING_AFTER) {
          await this.warnOfStruggle(tx, claim, next.reason);
        }
        break;
    }
  }

  private async unlessObsolete(tx: EntityManager, claim: Claim, next: Next): Promise<Next> {
    if (next.state !== 'needs_human') return next;
    const refusal = await this.whyObsolete(tx, claim);
    return refusal === null ? next : { state: 'superseded', reason: refusal };
  }

  /** A grant that was overtaken by a hold or a newer decision is nobody's task: somebody might do it by hand (I4). */
  private async whyObsolete(
    tx: EntityManager,
    step: Pick<Claim, 'stepId' | 'effect' | 'personId' | 'accountId' | 'generation'>,
  ): Promise<string | null> {
    if (step.effect !== 'grant') return null;
    // Whoever decides about the person holds the row: their decision is seen here, or they see the task.
    await tx.query(`SELECT 1 FROM people WHERE id = $1 FOR SHARE`, [step.personId]);
    return whyNotSent(await standingAgainst(tx, step));
  }

  /** For a worker that was overtaken: its attempt's outcome is still true and is kept; the step stays as it is. */
  async recordLate(tx: EntityManager, claim: Claim, result: AttemptResult): Promise<void> {
    await this.endAttempt(tx, claim, { ...result, detail: { ...result.detail, late: true } });
  }

  private async endAttempt(
    tx: EntityManager,
    claim: Claim,
    { outcome, errorKind, detail }: AttemptResult,
  ): Promise<void> {
    await tx.query(
      prepared(
        `UPDATE attempts SET outcome = $2, error_kind = $3, detail = $4, finished_at = clock_timestamp() WHERE id = $1 AND outcome IS NULL`,
      ),
      [claim.attemptId, outcome, errorKind ?? null, detail ? JSON.stringify(detail) : null],
    );
  }

  /** What follows from the end of steps: those that waited for them, their alerts, their cases, the audit log. */
  async end(
    tx: EntityManager,
    steps: readonly EndedStep[],
    actor: Actor,
    how: 'done' | 'superseded' | 'waived',
    facts: Record<string, unknown> = {},
  ): Promise<void> {
    await this.audit.recordAll(
      tx,
      actor,
      `step.${how}`,
      steps.map(({ stepId, caseId, personId, toolId, act }) => ({
        subject: { kind: 'person', id: personId },
        caseId,
        stepId,
        facts: { act, toolId, ...facts },
      })),
    );
    await this.alerts.resolveSteps(tx, steps);
    const stepIds = steps.map(({ stepId }) => stepId);
    for (const stuck of await this.cases.releaseDependents(tx, stepIds)) {
      await this.giveToHuman(tx, stuck.stepId, stuck.reason);
    }
    await this.cases.closeFinished(tx, [...new Set(steps.map(({ caseId }) => caseId))]);
  }

  /**
   * Makes a step somebody's: an owner who isn't the subject, a deadline, an alert. From `planned`, `ready` or a lapsed
   * run. An obsolete grant is superseded instead.
   */
  async giveToHuman(tx: EntityManager, stepId: string, reason: string): Promise<void> {
    const [duty] = await queryRows<Duty & Pick<Claim, 'personId' | 'accountId' | 'generation'>>(
      tx,
      `SELECT id AS "stepId", case_id AS "caseId", tool_id AS "toolId", person_id AS "personId", account_id AS "accountId",
         act, effect, lane, generation FROM steps WHERE id = $1`,
      [stepId],
    );
    if (!duty) return;
    const refusal = await this.whyObsolete(tx, duty);
    if (refusal !== null) {
      await tx.query(
        `UPDATE steps SET state = 'superseded', reason = $2, ended_at = now(), dispatched_until = NULL WHERE id = $1`,
        [stepId, refusal],
      );
      await this.end(tx, [duty], SYSTEM, 'superseded');
      return;
    }
    await tx.query(
      `UPDATE steps SET state = 'needs_human', reason = $2, owner = '', deadline = now(), lease_owner = NULL, lease_until = NULL
       WHERE id = $1`,
      [stepId, reason],
    );
    await this.handOver(tx, duty, reason);
  }

  private async handOver(tx: EntityManager, duty: Duty & { personId: string }, reason: string): Promise<void> {
    const [about] = await queryRows<{ owners: string[]; toolName: string; subjectEmail: string; subject: string }>(
      tx,
      `SELECT t.owners, t.name AS "toolName", p.corporate_email AS "subjectEmail", p.display_name AS subject
       FROM tools t, people p WHERE t.id = $1 AND p.id = $2`,
      [duty.toolId, duty.personId],
    );
    if (!about) throw new Error(`step ${duty.stepId} has no tool or person`);
    const owner = chooseOwner(about.owners, about.subjectEmail);
    await tx.query(`UPDATE steps SET owner = $2, deadline = now() + $3 * interval '1 ms' WHERE id = $1`, [
      duty.stepId,
      owner,
      dutyTime(duty.lane, duty.effect),
    ]);
    await this.audit.record(tx, SYSTEM, 'step.needs_human', {
      subject: { kind: 'person', id: duty.personId },
      caseId: duty.caseId,
      stepId: duty.stepId,
      facts: { act: duty.act, toolId: duty.toolId },
    });
    await this.alerts.raise(tx, {
      dedupKey: `needs_human:${duty.stepId}`,
      kind: 'needs_human',
      severity: duty.lane === 'emergency' ? 'critical' : 'warning',
      owner,
      message: `${about.toolName}, ${about.subject}: ${reason}`,
      stepId: duty.stepId,
      toolId: duty.toolId,
    });
  }

  private async warnOfStruggle(tx: EntityManager, { stepId, toolId }: Claim, reason: string): Promise<void> {
    const [tool] = await queryRows<{ name: string; owners: string[] }>(
      tx,
      `SELECT name, owners FROM tools WHERE id = $1`,
      [toolId],
    );
    await this.alerts.raise(tx, {
      dedupKey: struggleKey(toolId),
      kind: 'step_struggling',
      severity: 'warning',
      owner: chooseOwner(tool?.owners ?? [], ''),
      message: `${tool?.name ?? 'A tool'} keeps failing and is tried again: ${reason}`,
      stepId,
      toolId,
    });
  }

  /** Stops handing steps to a tool until `until`; an owner hears of it once, and only when it needs them. */
  async pauseTool(tx: EntityManager, toolId: string, pause: ToolPause): Promise<void> {
    const [tool] = await queryRows<{ name: string; owners: string[] }>(
      tx,
      `UPDATE tools SET state = 'paused', pause_reason = $3,
         paused_until = GREATEST(now() + $2::float8 * interval '1 ms', paused_until)
       WHERE id = $1 AND state <> 'retired' AND (state <> 'paused' OR paused_until IS NOT NULL) RETURNING name, owners`,
      [toolId, pause.lasting, pause.reason],
    );
    if (!tool || !pause.alertOwner) return;
    await this.alerts.raise(tx, {
      dedupKey: `tool_paused:${toolId}`,
      kind: 'tool_paused',
      severity: 'error',
      owner: chooseOwner(tool.owners, ''),
      message: `${tool.name} is paused: ${pause.reason}`,
      toolId,
    });
  }

  /** A tool that answered again after a pause that ended by itself. */
  async resumeTool(tx: EntityManager, toolId: string): Promise<void> {
    const resumed = await queryRows(
      tx,
      `UPDATE tools SET state = 'active', paused_until = NULL, pause_reason = NULL
       WHERE id = $1 AND state = 'paused' AND paused_until <= now() RETURNING id`,
      [toolId],
    );
    if (resumed.length > 0) await this.alerts.resolve(tx, [`tool_paused:${toolId}`]);
  }
}
