import type { DeliveryAction, DeliveryState } from './alert-delivery.entity.js';
import type { SendOutcome } from './send/notice.js';

export interface DeliverySoFar {
  action: DeliveryAction;
  /** Calls made, this one included. */
  attempts: number;
  handedOn: boolean;
  createdAt: Date;
}

export interface DeliveryDecision {
  state: DeliveryState;
  /** Milliseconds until the next try, while it waits. */
  nextTryIn: number;
  /** The channel counts as failed: an alert says so, and what was to be told is told by the next one as well. */
  handOn: boolean;
}

/** About four seconds: a blip passes, and an emergency isn't kept from the next channel for long. */
const FAILURES_BEFORE_NEXT = 3;
/** A provider that wants a longer pause than this, in milliseconds, counts as failed at once. */
const LONG_PAUSE = 30_000;
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 5 * 60_000;
const GIVE_UP_AFTER = 24 * 60 * 60_000;

/**
 * What follows from a try. A refusal is never tried again; a failure is, with growing pauses, also after the next
 * channel was asked: a channel that is back should know what the others know. Pure: time and chance come in.
 * @param chance uniform in [0, 1)
 */
export function decideDelivery(
  { action, attempts, handedOn, createdAt }: DeliverySoFar,
  outcome: SendOutcome,
  { now, chance }: { now: Date; chance: number },
): DeliveryDecision {
  if (outcome.outcome === 'sent') return { state: 'sent', nextTryIn: 0, handOn: false };
  // Nobody has to be told by somebody else that a thing is over.
  const mayHandOn = action === 'trigger' && !handedOn;
  if (outcome.outcome === 'refused') return { state: 'refused', nextTryIn: 0, handOn: mayHandOn };
  if (now.getTime() - createdAt.getTime() > GIVE_UP_AFTER) return { state: 'refused', nextTryIn: 0, handOn: mayHandOn };
  const pause = outcome.notBefore ? Math.max(0, outcome.notBefore.getTime() - now.getTime()) : 0;
  const ceiling = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** (attempts - 1));
  return {
    state: 'waiting',
    nextTryIn: Math.max(pause, Math.round(ceiling * (0.5 + chance / 2))),
    handOn: mayHandOn && (attempts >= FAILURES_BEFORE_NEXT || pause > LONG_PAUSE),
  };
}
