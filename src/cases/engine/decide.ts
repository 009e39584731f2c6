import type { ActResult, ObservedAccount, GrantRef } from '../../../connectors/kit/contract.js';
import type { ToolErrorKind } from '../../../connectors/kit/errors.js';
import type { StepAct, StepEffect } from '../step-states.js';
import { backoff, TIMING } from './timing.js';

/** What a step's state becomes after an attempt, and what that means for its tool. Pure: time and chance come in. */
export type Next =
  | { state: 'confirming'; dueIn: number; reason?: string }
  | { state: 'ready'; dueIn: number; failed: boolean; reason: string }
  | { state: 'done'; residualUntil: Date | null; unprovable: string | null }
  | { state: 'needs_human'; reason: string }
  | { state: 'superseded'; reason: string };

export interface ToolPause {
  /** Milliseconds from now. */
  lasting: number;
  reason: string;
  /** A rate limit passes by itself; broken credentials need the tool's owner. */
  alertOwner: boolean;
}

export interface Decision {
  next: Next;
  pauseTool?: ToolPause;
}

export interface StepSoFar {
  act: StepAct;
  effect: StepEffect;
  /** Attempts in a row that didn't bring the step on. */
  failures: number;
  readBacks: number;
  /** The tool said that it goes on working on it: what isn't shown yet isn't contradicted. */
  inProgress: boolean;
  /** A call of it was sent by a worker that is gone, and may land yet: what is there now may be otherwise soon. */
  mayStillLand?: boolean;
}

export interface Moment {
  now: Date;
  chance: number;
}

/** What a connector let out, reduced to what decides. */
export interface Failure {
  kind: ToolErrorKind;
  message: string;
  resetAt?: Date | undefined;
  permission?: string | undefined;
  remedy?: string | undefined;
}

/** Milliseconds before the first look at something that a tool said it is still working on. */
const FIRST_LOOK = 2_000;
const MANY_CONTRADICTIONS = 5;
const MANY_READ_BACKS = 60;

export function decideAfterAct(result: ActResult): Decision {
  switch (result.outcome) {
    case 'done':
    case 'already':
      return { next: { state: 'confirming', dueIn: 0 } };
    case 'in-progress':
      return { next: { state: 'confirming', dueIn: FIRST_LOOK } };
    case 'action-required':
      return { next: { state: 'needs_human', reason: result.instructions } };
  }
}

/** A failure of the act itself. One kind, one next step (see `connectors/kit/errors.ts`). */
export function decideAfterFailure(step: StepSoFar, failure: Failure, moment: Moment): Decision {
  switch (failure.kind) {
    // It may have been executed: look before anything else.
    case 'ambiguous':
    case 'conflict':
      return { next: { state: 'confirming', dueIn: 0 } };
    // For a revocation "not there" may be success: the read-back, which can be trusted, decides.
    case 'not-found':
      return { next: { state: 'confirming', dueIn: 0 } };
    default:
      return decideAfterAnyFailure(step, failure, moment, 'ready');
  }
}

/** A failure of a read-back or a look: nothing was changed, so it is simply looked at again. */
export function decideAfterFailedLook(step: StepSoFar, failure: Failure, moment: Moment): Decision {
  const decision = decideAfterAnyFailure(step, failure, moment, step.effect === 'look' ? 'ready' : 'confirming');
  // A newer decision supersedes what is a person's, and goes ahead beside the call.
  return step.mayStillLand && decision.next.state === 'needs_human' ? waitForLanding() : decision;
}

function decideAfterAnyFailure(
  step: StepSoFar,
  failure: Failure,
  { now, chance }: Moment,
  again: 'ready' | 'confirming',
): Decision {
  const later = (dueIn: number, failed = true): Next =>
    again === 'confirming'
      ? { state: 'confirming', dueIn, reason: failure.message }
      : { state: 'ready', dueIn, failed, reason: failure.message };
  // A read-back that fails is no failure of the act, so it is counted by itself.
  const wait = (): number => backoff(again === 'confirming' ? step.readBacks : step.failures + 1, chance);
  switch (failure.kind) {
    case 'rate-limited': {
      const lasting = failure.resetAt ? Math.max(0, failure.resetAt.getTime() - now.getTime()) : wait();
      // A tool that says until when isn't failing; one that doesn't is asked less and less often.
      return {
        next: later(lasting, !failure.resetAt),
        pauseTool: { lasting, reason: failure.message, alertOwner: false },
      };
    }
    case 'auth-broken':
      return { next: later(0, false), pauseTool: { lasting: TIMING.probe, reason: failure.message, alertOwner: true } };
    case 'forbidden':
      return { next: { state: 'needs_human', reason: lackOf(failure) } };
    case 'invalid':
    case 'unsupported':
      return { next: { state: 'needs_human', reason: withRemedy(failure) } };
    default:
      return { next: later(wait()) };
  }
}

function lackOf(failure: Failure): string {
  const lack = failure.permission ? `The permission "${failure.permission}" is missing. ` : '';
  return `${lack}${withRemedy(failure)}`;
}

function withRemedy({ message, remedy }: Failure): string {
  return remedy ? `${message} ${remedy}` : message;
}

/** What the tool showed, held against what the step wants to see. */
export type Verdict =
  | { seen: 'shown'; residualUntil: Date | null; unprovable: string | null }
  | { seen: 'contradicted'; because: string }
  | { seen: 'cannot_see'; because: string };

export interface Expectation {
  act: StepAct;
  /** `reset_credentials`: the version that the reset wrote; null when its answer was lost. */
  credentialVersion: string | null;
  /** `grant`, `withdraw`: which one. */
  grant: GrantRef | null;
  /** `revoke_device`: which one. */
  device: string | null;
}

export function judgeReadBack(want: Expectation, observed: ObservedAccount | null): Verdict {
  switch (want.act) {
    case 'suspend_account':
      return judgeCut(observed);
    case 'create_account':
    case 'restore_account':
      if (!observed) return contradicted('the account is not there');
      return observed.state === 'active' ? shown() : contradicted('the account is suspended');
    case 'reset_credentials':
      if (!observed) return contradicted('the account is not there');
      if (observed.credentialVersion === null) {
        return { seen: 'cannot_see', because: 'the tool does not show when credentials were changed' };
      }
      return observed.credentialVersion === want.credentialVersion
        ? shown()
        : contradicted('the credentials are not the ones that were written');
    case 'revoke_device':
      return judgeDevice(want, observed);
    case 'grant':
    case 'withdraw':
      return judgeGrant(want, observed);
    case 'discover':
    case 'final_look':
      return shown();
  }
}

function judgeCut(observed: ObservedAccount | null): Verdict {
  if (!observed) return shown();
  if (observed.state === 'active') return contradicted('the account is still active');
  const unseen: { what: string; until: Date | null }[] = [];
  for (const [what, things] of [
    ['sessions', observed.sessions],
    ['credentials', observed.credentials],
  ] as const) {
    if (!things.seen) unseen.push({ what, until: things.residualUntil });
    // A key of an account that can't sign in opens nothing; a session that is open already does.
    else if (what === 'sessions' && things.live > 0) return contradicted(`${things.live} sessions are still open`);
  }
  const residuals = unseen.map(({ until }) => until).filter((until) => until !== null);
  const residualUntil = residuals.length > 0 ? new Date(Math.max(...residuals.map((until) => until.getTime()))) : null;
  const unknown = unseen.filter(({ until }) => until === null).map(({ what }) => what);
  const unprovable = unknown.length > 0 ? `The tool does not show its ${unknown.join(' and ')}.` : null;
  return { seen: 'shown', residualUntil, unprovable };
}

/** The account goes on; what belongs to this device alone must be gone. */
function judgeDevice({ device }: Expectation, observed: ObservedAccount | null): Verdict {
  if (!observed) return shown();
  const { credentials } = observed;
  if (!credentials.seen || !credentials.ids) {
    return { seen: 'cannot_see', because: 'the tool does not show which devices have credentials' };
  }
  return device !== null && credentials.ids.includes(device)
    ? contradicted('the device still has credentials')
    : shown();
}

function judgeGrant({ act, grant }: Expectation, observed: ObservedAccount | null): Verdict {
  if (!observed) return act === 'withdraw' ? shown() : contradicted('the account is not there');
  if (!observed.grants) return { seen: 'cannot_see', because: 'the tool does not show its grants' };
  const present = observed.grants.some((one) => one.kind === grant?.kind && one.name === grant.name);
  if (present === (act === 'grant')) return shown();
  return contradicted(present ? 'the grant still stands' : 'the grant is not there');
}

function shown(): Verdict {
  return { seen: 'shown', residualUntil: null, unprovable: null };
}

function contradicted(because: string): Verdict {
  return { seen: 'contradicted', because };
}

/** Sent again beside it, a create would make a second account (I2); ended before it, it would land unseen (I4). */
function waitForLanding(): Decision {
  return { next: { state: 'confirming', dueIn: FIRST_LOOK, reason: 'Waits for a call that may still land.' } };
}

export function decideAfterReadBack(step: StepSoFar, verdict: Verdict, { chance }: Pick<Moment, 'chance'>): Decision {
  switch (verdict.seen) {
    case 'shown':
      // What is shown may be an earlier step's doing. An account with our mark is this create's: a second isn't made.
      if (step.mayStillLand && step.act !== 'create_account') return waitForLanding();
      return { next: { state: 'done', residualUntil: verdict.residualUntil, unprovable: verdict.unprovable } };
    case 'cannot_see':
      if (step.mayStillLand) return waitForLanding();
      return {
        next: { state: 'needs_human', reason: `This can't be read back: ${verdict.because}. See for yourself.` },
      };
    case 'contradicted':
      if (step.mayStillLand) return waitForLanding();
      if (step.inProgress && step.readBacks < MANY_READ_BACKS) {
        return { next: { state: 'confirming', dueIn: FIRST_LOOK + backoff(step.readBacks, chance) } };
      }
      if (step.failures + 1 >= MANY_CONTRADICTIONS || step.readBacks >= MANY_READ_BACKS) {
        return {
          next: {
            state: 'needs_human',
            reason: `The tool accepts the change, but does not show it: ${verdict.because}.`,
          },
        };
      }
      return {
        next: {
          state: 'ready',
          dueIn: step.failures === 0 ? 0 : backoff(step.failures, chance),
          failed: true,
          reason: `Read back: ${verdict.because}.`,
        },
      };
  }
}
