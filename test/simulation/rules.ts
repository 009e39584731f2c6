import { desiredAccess } from '../../src/access-policy/desired-access.js';
import { admit, charge } from '../../src/cases/engine/admission.js';
import { AFTER_DEATH, AFTER_LAPSE } from '../../src/cases/engine/after-worker.js';
import {
  decideAfterAct,
  decideAfterFailedLook,
  decideAfterFailure,
  decideAfterReadBack,
  judgeReadBack,
} from '../../src/cases/engine/decide.js';
import { decideAfterLook, growCut, sortFound } from '../../src/cases/engine/grow-plan.js';
import { whyNotSent } from '../../src/cases/engine/may-send.js';
import { TIMING } from '../../src/cases/engine/timing.js';
import { planAccess } from '../../src/cases/plan-access.js';
import { planCut } from '../../src/cases/plan-cut.js';
import { planReset } from '../../src/cases/plan-reset.js';
import { FINISHED, SUPERSEDABLE, type StepEffect, type StepState } from '../../src/cases/step-states.js';
import { planStart } from '../../src/joiners/plan-start.js';
import { planRestoration } from '../../src/lost-devices/plan-restoration.js';
import { orderOf } from '../../src/people/event-order.js';
import { generationAfter } from '../../src/people/generation.js';
import type { Claimed, SimAttempt, SimStep } from './tables.js';

/**
 * Every decision of the engine, as one object, so that a mutated one can be given. Those above the line are the real
 * functions. Those below it are SQL in the engine, for atomicity; here they are said once more, in a line each, and the
 * run against the real database (test/model) shows that the SQL says the same.
 */
export const RULES = {
  desiredAccess,
  planAccess,
  planCut,
  planReset,
  planStart,
  planRestoration,
  generationAfter,
  orderOf,
  admit,
  charge,
  whyNotSent,
  decideAfterAct,
  decideAfterFailure,
  decideAfterFailedLook,
  decideAfterReadBack,
  judgeReadBack,
  sortFound,
  growCut,
  decideAfterLook,
  afterDeath: (effect: StepEffect): StepState => AFTER_DEATH[effect],
  afterLapse: (effect: StepEffect): StepState => AFTER_LAPSE[effect],

  // ---- SQL in the engine ----

  /** CasesService.supersedeGrants */
  isSuperseded: ({ effect, state, owner }: SimStep): boolean =>
    effect === 'grant' && owner === null && SUPERSEDABLE.includes(state),

  /** Settlement: a grant that was overtaken by a hold or a newer decision is nobody's task. */
  isNobodysTask: ({ effect }: SimStep, refusal: string | null): boolean => effect === 'grant' && refusal !== null,

  /** CasesService.releaseDependents */
  afterNeeds: (effect: StepEffect, needs: readonly SimStep[]): 'go' | 'wait' | 'ask' => {
    const lets = ({ state }: SimStep) =>
      state === 'done' || state === 'superseded' || (effect !== 'grant' && state === 'waived');
    if (needs.every(lets)) return 'go';
    return needs.every(({ state }) => FINISHED.includes(state)) ? 'ask' : 'wait';
  },

  /** CasesService.closeFinished */
  isFinished: (steps: readonly SimStep[]): boolean => steps.every(({ state }) => FINISHED.includes(state)),

  /** in-the-air.ts: a call that may still land, … */
  mayLand,

  /** … and why a last look waits. */
  lastLookWaits: (steps: readonly SimStep[], attempts: readonly SimAttempt[], now: number): boolean =>
    steps.some(({ effect, state }) => effect === 'grant' && (state === 'running' || state === 'confirming')) ||
    attempts.some((attempt) => mayLand(attempt, now)),

  /** The WHERE of every write of Settlement. */
  isHolder: (step: SimStep, claim: Claimed): boolean => step.owner === claim.worker && step.fence === claim.fence,

  /** LeaseKeeper: what a living worker dropped, it gives back. */
  handsBack: true,

  /** The connectors' createAccount. */
  createLooksFirst: true,
};

export type Rules = typeof RULES;

function mayLand({ effect, kind, outcome, abandonedAt }: SimAttempt, now: number): boolean {
  if (effect !== 'grant' || kind !== 'act' || outcome !== null) return false;
  return abandonedAt === null || abandonedAt + TIMING.call > now;
}
