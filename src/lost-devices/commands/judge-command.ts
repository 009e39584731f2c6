import type { ComputerOrder, DeviceStatus } from '../../../connectors/kit/contract.js';
import type { CommandState } from '../command-states.js';
import type { CommandKind } from '../device-command.entity.js';

/** An order as it stands here, and what stands against giving it. */
export interface GivenCommand {
  kind: CommandKind;
  state: CommandState;
  /** The device manager's name. */
  tool: string;
  serial: string;
  assetTag: string;
  /**
   * The last call that may have been carried out, and how many there were; of an unlock also one to lock the machine before
   * that.
   */
  lastGiven: { act: ComputerOrder; ageMs: number; times: number } | null;
  /** As `whyNotGiven` says. */
  whyNot: string | null;
}

export type Judgement =
  | { next: 'give'; act: ComputerOrder }
  /** `shows`: a state that the manager shows and that isn't written down yet. */
  | {
      next: 'wait';
      shows: Extract<CommandState, 'requested' | 'acknowledged' | 'failed'> | null;
      because: string | null;
      /** It goes on by itself, and somebody should know. */
      tell?: boolean;
    }
  | { next: 'person'; because: string };

/** A manager that took an order may answer a look from a copy that is behind: milliseconds in which it needn't show it. */
const SHOWN_WITHIN = 60_000;
/** An order that comes to nothing this often is more than bad luck. */
const OFTEN = 3;

export const DONE = { lock: 'locked', unlock: 'unlocked', wipe: 'wiped' } as const;

/**
 * What is next about an order, by what its manager shows. Asked for is `requested`; only the machine's own state makes it
 * `acknowledged`. It is given again exactly when the manager shows it neither pending nor done.
 */
export function judgeCommand(command: GivenCommand, seen: DeviceStatus): Judgement {
  const { kind, state, tool, serial, assetTag, whyNot } = command;
  // Whoever reads this may know asset tags, and not serial numbers.
  if (seen.serial !== serial) {
    const shown = seen.serial === null ? 'no serial number' : 'another serial number';
    return {
      next: 'person',
      because: `“${tool}” shows ${shown} under the id that ${assetTag} had: nothing is sent there.`,
    };
  }
  if (seen.pending === kind) {
    if (whyNot !== null) {
      return { next: 'person', because: `“${tool}” still has the ${kind} pending: take it back there. ${whyNot}` };
    }
    return { next: 'wait', shows: wasTaken(state) ? null : 'requested', because: null };
  }
  // What is unlocked because a lock isn’t shown yet isn’t unlocked.
  const isShown = !(kind === 'unlock' && mayAppearYet(command, seen));
  if (seen.pending === null && seen.state === DONE[kind] && isShown) {
    return { next: 'wait', shows: 'acknowledged', because: null };
  }
  if (wasTaken(state)) {
    const because = `“${tool}” shows it neither pending nor done: it failed at the machine, or somebody took it back there.`;
    return { next: 'wait', shows: 'failed', because, tell: (command.lastGiven?.times ?? 0) >= OFTEN };
  }
  if (mayAppearYet(command, seen)) {
    const times = command.lastGiven?.times ?? 0;
    const because = `“${tool}” was asked${times > 1 ? ` ${times} times` : ''} and doesn’t show the order yet.`;
    return { next: 'wait', shows: null, because, tell: times >= OFTEN };
  }
  if (whyNot !== null) return { next: 'person', because: whyNot };
  return nextCall(kind, seen);
}

function nextCall(kind: CommandKind, { orders }: DeviceStatus): Judgement {
  const readiness = orders[kind];
  if (readiness.takes === 'now') return { next: 'give', act: kind };
  if (readiness.takes === 'once-unlocked' && orders.unlock.takes === 'now') return { next: 'give', act: 'unlock' };
  const { because } = readiness;
  return readiness.takes === 'later' ? { next: 'wait', shows: null, because } : { next: 'person', because };
}

function wasTaken(state: CommandState): boolean {
  return state === 'requested' || state === 'delivered';
}

function mayAppearYet({ lastGiven }: GivenCommand, { state, pending }: DeviceStatus): boolean {
  if (lastGiven === null || lastGiven.ageMs >= SHOWN_WITHIN) return false;
  return pending !== lastGiven.act && state !== DONE[lastGiven.act];
}
