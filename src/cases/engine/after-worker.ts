import type { StepEffect, StepState } from '../step-states.js';

/**
 * What becomes of a step that a worker was running when it surely died. A revocation or a look starts over: it sets an
 * absolute state, or changes nothing. A grant is read back first, since nobody knows whether its call was executed.
 */
export const AFTER_DEATH = {
  grant: 'confirming',
  revoke: 'ready',
  look: 'ready',
} as const satisfies Record<StepEffect, StepState>;

/**
 * The same when its lease lapsed without that proof. A grant stays with its worker: one that is frozen may still send
 * it when it wakes up, so a second one must not be sent beside it (I2).
 */
export const AFTER_LAPSE = {
  grant: 'running',
  revoke: 'ready',
  look: 'ready',
} as const satisfies Record<StepEffect, StepState>;

/** Crashes of a worker that ran this step and nothing else, after which it stays out until a person retries it. */
export const LONE_CRASHES = 3;
