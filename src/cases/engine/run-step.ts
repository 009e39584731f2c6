import { channel } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { ActResult, GrantRef, ObservedAccount, ToolSession } from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { CredentialsService } from '../../accounts/credentials.service.js';
import { InstallationKey } from '../../platform/crypto/installation-key.js';
import { Grouped } from '../../platform/database/grouped.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { withSignal } from '../../platform/lifecycle/with-signal.js';
import { Permits } from '../../platform/roles/permits.service.js';
import { reaches } from '../../platform/roles/within-reach.js';
import { ToolSessions } from '../../tools/tool-sessions.service.js';
import { takesApproval, whyNotApproved } from '../approved-step.js';
import { actOnTool, lookAtAccount, type Target } from './act-on-tool.js';
import { failedAttempt, type Called, type Failed } from './call-result.js';
import type { Claim } from './claim.js';
import {
  decideAfterAct,
  decideAfterFailedLook,
  decideAfterFailure,
  decideAfterReadBack,
  judgeReadBack,
  type Decision,
  type Next,
  type StepSoFar,
  type Moment,
} from './decide.js';
import { stepMayLand } from './in-the-air.js';
import { LookForAccess } from './look-for-access.js';
import { whyNotSent } from './may-send.js';
import { noLongerAllowed, stillToBeHeld } from './may-still-ask.js';
import { SettleTogether } from './settle-together.js';
import { Settlement, StaleFence, type AttemptResult } from './settle.js';
import { standingAgainst } from './standing.js';
import { loadTargets, type LoadedTarget } from './target.js';
import { TIMING } from './timing.js';

/**
 * Where a step is, for metrics and for the fault tests: `claimed` (intent committed), `sending` (the last check is
 * over, the call is next), `answered` (the call is over, nothing written yet), `over` (whatever was to be written is).
 */
export const stepPhases = channel('quartermaster.step');

/** What the worker knows about its hold on a step: aborted when the lease is lost, valid for a local time. */
export interface Lease {
  signal: AbortSignal;
  /** Whether the lease is surely still ours, by this machine's monotonic clock. */
  holds(): boolean;
}

/** A grant that isn't sent: something newer stands against it, or nobody who may stands behind it. */
type Refusal = Extract<Next, { state: 'superseded' | 'needs_human' }>;

type Work<T> = (session: ToolSession) => Promise<T>;

/** Runs one claimed step as far as it goes: the act, its read-back, and what both lead to. */
@Injectable()
export class StepRunner {
  private readonly targets = new Grouped<Claim, LoadedTarget>((claims) => loadTargets(this.db, claims));

  constructor(
    private readonly db: DataSource,
    private readonly sessions: ToolSessions,
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly settlement: Settlement,
    private readonly together: SettleTogether,
    private readonly looks: LookForAccess,
    private readonly permits: Permits,
    private readonly key: InstallationKey,
  ) {}

  /** Never throws for what a tool does. Throws when PostgreSQL fails: then the lease lapses and another takes over. */
  async run(claim: Claim, lease: Lease): Promise<void> {
    stepPhases.publish({ phase: 'claimed', ...claim });
    try {
      if (claim.attemptKind === 'look') await this.looks.run(claim, (work) => this.look(claim, lease, work));
      else if (claim.attemptKind === 'read_back') await this.readBack(claim, lease, { actAnswered: false });
      else await this.act(claim, lease);
    } catch (error) {
      // Overtaken: whoever holds the step now looks for itself.
      if (!(error instanceof StaleFence)) throw error;
    }
    stepPhases.publish({ phase: 'over', ...claim });
  }

  private async act(claim: Claim, lease: Lease): Promise<void> {
    const target = await this.targets.ask(claim);
    const drift = this.driftOf(claim, target);
    if (drift !== null) {
      await this.settle(claim, { outcome: 'not_sent' }, { next: { state: 'needs_human', reason: drift } });
      return;
    }
    const prepared = await this.prepare(claim, target);
    const answer = await this.call(
      claim,
      lease,
      (session) => actOnTool(session, claim.act, prepared),
      claim.effect === 'grant' ? () => this.refusalOf(claim) : undefined,
    );
    if ('refusal' in answer) {
      await this.settle(claim, { outcome: 'not_sent' }, { next: answer.refusal });
      return;
    }
    if ('failure' in answer) {
      const decision = decideAfterFailure(soFar(claim), answer.failure, this.moment());
      await this.afterAct(claim, lease, failedAttempt(answer), decision, {});
      return;
    }
    const result = answer.value;
    await this.afterAct(
      claim,
      lease,
      {
        outcome: ATTEMPT_OUTCOME[result.outcome],
        detail: { sideEffects: result.sideEffects },
        sentAt: answer.sentAt,
      },
      decideAfterAct(result),
      remembered(result),
    );
  }

  /** A new password is made and sealed before the call, so that a lost answer loses no password. */
  private async prepare(claim: Claim, target: Target): Promise<Target> {
    if (!writesPassword(claim)) return target;
    const password = await inTransaction(this.db, async (tx) => {
      const { credentialId } = await this.credentials.sealNewPassword(tx, accountOf(claim));
      return this.credentials.passwordOf(tx, credentialId);
    });
    return { ...target, password };
  }

  /** Why a step isn't what two people approved, when a brake had held it; what was loaded for the call says it. */
  private driftOf(claim: Claim, { username, mark, grant, externalId }: Target): string | null {
    if (!takesApproval(claim.act)) return null;
    return whyNotApproved(this.key, claim.input, { ...claim, username, mark, grant, externalId });
  }

  /** Why a grant may not be sent any more; looked up as late as can be (I4). */
  private async refusalOf(claim: Claim): Promise<Refusal | null> {
    const standing = await standingAgainst(this.db, claim);
    const reason = whyNotSent(standing);
    if (reason !== null) return { state: 'superseded', reason };
    const held = standing ? stillToBeHeld(standing) : null;
    if (!held) return null;
    const permit = await this.permits.ofPrincipal(held.principal, held.scope);
    if (permit && (await reaches(this.db.manager, permit, 'whole person', claim.personId))) return null;
    return { state: 'needs_human', reason: noLongerAllowed(held.scope) };
  }

  private async afterAct(
    claim: Claim,
    lease: Lease,
    attempt: AttemptResult,
    decision: Decision,
    input: Record<string, unknown>,
  ): Promise<void> {
    if (decision.next.state === 'confirming' && decision.next.dueIn === 0) {
      const readBack = await this.unlessOvertaken(claim, attempt, () =>
        this.together.goOnToReadBack(claim, attempt, input),
      );
      await this.readBack(readBack, lease, { actAnswered: true });
      return;
    }
    await this.settle(claim, attempt, decision, input);
  }

  private async readBack(claim: Claim, lease: Lease, { actAnswered }: { actAnswered: boolean }): Promise<void> {
    const target = await this.targets.ask(claim);
    const answer = await this.look(claim, lease, (session) => lookAtAccount(session, target));
    if ('failure' in answer) {
      const step = { ...soFar(claim), mayStillLand: await this.mayStillLand(claim) };
      await this.settle(claim, failedAttempt(answer), decideAfterFailedLook(step, answer.failure, this.moment()));
      return;
    }
    const observed = answer.value;
    const verdict = judgeReadBack(
      {
        act: claim.act,
        credentialVersion: textOf(claim.input['credentialVersion']),
        grant: target.grant,
        device: target.device,
      },
      observed,
    );
    // Right after its own act no call of the step is open: what is shown needs no second thought, and no query.
    const mayStillLand = !(actAnswered && verdict.seen === 'shown') && (await this.mayStillLand(claim));
    const step = { ...soFar(claim), mayStillLand };
    const decision = decideAfterReadBack(step, verdict, this.moment());
    const outcome = decision.next.state === 'confirming' ? 'not_yet' : verdict.seen;
    const attempt: AttemptResult = { outcome, detail: summaryOf(observed), sentAt: answer.sentAt };
    const { next } = decision;
    const accountId = accountOf(claim);
    const { loadedAt } = target;
    if (next.state === 'done' && !changesCredentials(claim)) {
      const shown = { claim, accountId, result: attempt, observed, loadedAt, next };
      await this.unlessOvertaken(claim, attempt, async () => (await this.together.end(shown)) || undefined);
      return;
    }
    await this.write(claim, attempt, async (tx) => {
      await this.accounts.recordObservations(tx, [{ accountId, observed, source: 'read-back', at: loadedAt }]);
      if (next.state === 'done' && target.device !== null) {
        await this.credentials.revokeOfDevice(tx, accountId, target.device);
      } else if (next.state === 'done') await this.notePassword(tx, accountId);
      await this.settlement.settle(tx, claim, attempt, next);
    });
  }

  private async mayStillLand({ effect, stepId }: Claim): Promise<boolean> {
    return effect === 'grant' && (await stepMayLand(this.db, stepId));
  }

  /** The new password works, as the tool just showed: it can be handed over now, and those before it are worthless. */
  private async notePassword(tx: EntityManager, accountId: string): Promise<void> {
    const pending = (await this.credentials.forAccount(tx, accountId)).find(({ state }) => state === 'pending');
    if (pending) await this.credentials.markCredentialLive(tx, pending.id);
  }

  private async look<T>(claim: Claim, lease: Lease, work: Work<T>): Promise<Called<T> | Failed> {
    const answer = await this.call(claim, lease, work);
    if ('refusal' in answer) throw new Error('a look is never refused');
    return answer;
  }

  /**
   * One call on a connection of its own, within the deadline and the lease. The refusal is asked for when the connection
   * stands, so that nothing but the lease's own check comes between it and the call.
   */
  private async call<T>(
    claim: Claim,
    lease: Lease,
    work: Work<T>,
    refusalOf: () => Promise<Refusal | null> = () => Promise.resolve(null),
  ): Promise<Called<T> | Failed | { refusal: Refusal }> {
    const deadline = new Date(Date.now() + TIMING.call);
    let sentAt: number | undefined;
    try {
      return await withSignal([lease.signal], TIMING.call, async (signal) => {
        const opened = await this.sessions.open(claim.toolId, { signal, deadline, attemptId: claim.attemptId });
        try {
          const refusal = await refusalOf();
          if (refusal !== null) return { refusal };
          if (!lease.holds()) throw new StaleFence(claim.stepId);
          stepPhases.publish({ phase: 'sending', ...claim });
          sentAt = performance.now();
          const value = await work(opened.session);
          stepPhases.publish({ phase: 'answered', ...claim });
          if (opened.tool.state === 'paused') {
            await inTransaction(this.db, (tx) => this.settlement.resumeTool(tx, claim.toolId));
          }
          return { value, sentAt };
        } finally {
          await opened.session.close().catch(() => undefined);
        }
      });
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      return {
        failure: error,
        ...(sentAt !== undefined && { sentAt }),
      };
    }
  }

  private async settle(
    claim: Claim,
    attempt: AttemptResult,
    { next, pauseTool }: Decision,
    input: Record<string, unknown> = {},
  ): Promise<void> {
    await this.write(claim, attempt, async (tx) => {
      await this.settlement.settle(tx, claim, attempt, next, input);
      if (pauseTool) await this.settlement.pauseTool(tx, claim.toolId, pauseTool);
    });
  }

  /** One transaction; when this worker was overtaken, the attempt's outcome alone is kept. */
  private async write(
    claim: Claim,
    attempt: AttemptResult,
    decide: (tx: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.unlessOvertaken(claim, attempt, async () => {
      await inTransaction(this.db, decide);
      return true;
    });
  }

  /** Nothing answered means the same as `StaleFence`. */
  private async unlessOvertaken<T>(
    claim: Claim,
    attempt: AttemptResult,
    decide: () => Promise<T | undefined>,
  ): Promise<T> {
    try {
      const answer = await decide();
      if (answer === undefined) throw new StaleFence(claim.stepId);
      return answer;
    } catch (error) {
      if (error instanceof StaleFence) {
        await inTransaction(this.db, (tx) => this.settlement.recordLate(tx, claim, attempt));
      }
      throw error;
    }
  }

  private moment(): Moment {
    return { now: new Date(), chance: Math.random() };
  }
}

const ATTEMPT_OUTCOME = {
  done: 'done',
  already: 'already',
  'in-progress': 'in_progress',
  'action-required': 'action_required',
} as const satisfies Record<ActResult['outcome'], AttemptResult['outcome']>;

/** What the read-back needs to know of the act's answer. */
function remembered(result: ActResult): Record<string, unknown> {
  if (result.outcome === 'in-progress') return { inProgress: result.handle };
  if (result.outcome !== 'done' && result.outcome !== 'already') return {};
  const value: unknown = result.value;
  if (typeof value !== 'object' || value === null || !('credentialVersion' in value)) return {};
  return { credentialVersion: value.credentialVersion };
}

function summaryOf(observed: ObservedAccount | null): Record<string, unknown> {
  if (!observed) return { account: 'absent' };
  return {
    account: observed.state,
    ...(observed.sessions.seen
      ? { liveSessions: observed.sessions.live }
      : { sessionsUnseen: observed.sessions.because, residualUntil: observed.sessions.residualUntil }),
    ...(observed.grants && { grants: observed.grants.map(({ kind, name }: GrantRef) => `${kind}:${name}`) }),
  };
}

function soFar({ act, effect, failures, readBacks, input }: Claim): StepSoFar {
  return { act, effect, failures, readBacks, inProgress: 'inProgress' in input };
}

function writesPassword({ act }: Claim): boolean {
  return act === 'create_account' || act === 'reset_credentials';
}

function changesCredentials(claim: Claim): boolean {
  return writesPassword(claim) || claim.act === 'revoke_device';
}

function accountOf({ accountId, stepId }: Claim): string {
  if (accountId === null) throw new Error(`step ${stepId} names no account`);
  return accountId;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
