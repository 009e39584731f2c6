import type { CommandKind } from '../device-command.entity.js';
import { whyNotBack, type Return } from '../why-not-back.js';
import { whyNotThere, type Whereabouts } from '../why-not-there.js';

/** What an order stands on, as it is now. */
export interface CommandStanding extends Whereabouts, Return {
  kind: CommandKind;
  /** Of any loss of the machine. */
  legalHold: boolean;
  /** What was decided last. */
  containment: string | null;
  /** Of a wipe: whether its approval stands and is for exactly this machine. */
  isAsApproved: boolean;
}

/** Why an order may not be given (any more), in words that say what to do; null: it may. */
export function whyNotGiven(standing: CommandStanding): string | null {
  const { kind, legalHold, containment, isAsApproved } = standing;
  const isElsewhere = kind === 'unlock' ? whyNotBack(standing) : whyNotThere(standing);
  if (isElsewhere !== null) return `${isElsewhere} End the order: say what became of it.`;
  if (kind !== 'wipe') return null;
  if (legalHold)
    return 'It is under legal hold by now: a wipe would destroy evidence. It is given once the hold is lifted.';
  if (containment !== 'wipe')
    return 'The decision to wipe it doesn’t stand any more. End the order: say what became of it.';
  if (!isAsApproved) {
    return 'What was approved isn’t what would be wiped: the order, its approval or the machine’s serial number has changed since. Find out who changed it. If it is the right machine, give the order by hand and say here what you saw.';
  }
  return null;
}
