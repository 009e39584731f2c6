import type { CommandState } from './command-states.js';
import type { COMMAND_KINDS } from './device-command.entity.js';
import type { Containment } from './runbook/runbook-schema.js';

/** An order of a loss, as far as it stands in the way of another decision. */
export interface EarlierOrder {
  kind: (typeof COMMAND_KINDS)[number];
  state: CommandState;
  /** Since when a device manager may carry it out; null: nobody has given it, or it failed since. */
  givenAt: Date | null;
}

/**
 * Why this can't be decided of a lost machine now, because of an order of before, in words that say what to do; null: it can. A wipe is taken back as long
 * as nobody has given it; after that nothing here ends it. Pure.
 */
export function whyNotDecided(decision: Containment, { kind, state, givenAt }: EarlierOrder): string | null {
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
