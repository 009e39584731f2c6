import type { CommandState } from './command-states.js';
import type { CommandKind } from './device-command.entity.js';
import type { Containment } from './runbook/runbook-schema.js';
import { whyNotBack, type Return } from './why-not-back.js';
import { whyNotThere, type Whereabouts } from './why-not-there.js';

/** What people decide of a machine: while it is away, and once it is back. */
export const DECISIONS = ['lock', 'wipe', 'leave', 'unlock'] as const satisfies readonly (Containment | CommandKind)[];
export type Decision = (typeof DECISIONS)[number];

/** An order of a loss, as far as it stands in the way of another decision. */
export interface EarlierOrder {
  /** In which report of the loss it stands. */
  caseId: string;
  kind: CommandKind;
  state: CommandState;
  /** Since when a device manager may carry it out; null: nobody has given it, or it failed since. */
  givenAt: Date | null;
}

/** What stands in the way of a decision about a lost machine. */
export interface LossStanding extends Whereabouts, Return {
  /** The losses of this machine in which nothing on it may be destroyed. */
  legalHolds: readonly string[];
  /** In which report of the loss it is to be decided. */
  caseId: string;
  /** Of this loss, in whichever report of it. */
  orders: readonly EarlierOrder[];
}

/**
 * Why this can't be decided of a lost machine now, in words that say what to do; null: it can. A wipe is taken back as long
 * as nobody has given it; after that nothing here ends it. Pure.
 */
export function whyNotDecided(decision: Decision, standing: LossStanding): string | null {
  const { legalHolds, orders, caseId } = standing;
  if (decision === 'wipe' && legalHolds.length > 0) {
    return `It is under legal hold: a wipe would destroy evidence. Lock it, or lift the hold first, in the loss ${legalHolds.join(' and ')}.`;
  }
  const elsewhere = whereItIs(decision, standing);
  if (elsewhere !== null) return elsewhere;
  for (const order of orders) {
    const why = standsInTheWay(order, decision);
    if (why === null) continue;
    return order.caseId === caseId ? why : `${why} That is in another report of this loss: ${order.caseId}.`;
  }
  return null;
}

function whereItIs(decision: Decision, standing: LossStanding): string | null {
  if (decision === 'leave') return null;
  return decision === 'unlock' ? whyNotBack(standing) : whyNotThere(standing);
}

function standsInTheWay({ kind, state, givenAt }: EarlierOrder, decision: Decision): string | null {
  switch (state) {
    case 'superseded':
    case 'risk_accepted':
      return null;
    case 'verified':
      return kind === 'wipe' ? 'It was wiped: nothing is left to decide about it.' : null;
    default:
      if (kind === decision && state !== 'failed') {
        return `It was decided to ${kind} it before, and the order is ${state}: follow that one.`;
      }
      if (kind !== 'wipe' || decision === 'wipe' || givenAt === null) return null;
      return `The wipe was requested at the device manager at ${givenAt.toISOString()}: cancel it there, then note “failed” here, and decide within ten minutes.`;
  }
}
