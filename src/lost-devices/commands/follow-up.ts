import type { ToolError } from '../../../connectors/kit/errors.js';
import type { CommandState } from '../command-states.js';
import { DONE, type GivenCommand, type Judgement } from './judge-command.js';

/** What is written of an order after a look or a failure, and when it is looked at again. */
export interface Outlook {
  shows: { state: CommandState; note: string } | null;
  problem: string | null;
  needsPerson: boolean;
  failures: number;
  /** Milliseconds until the next look. */
  ms: number;
}

interface Following extends GivenCommand {
  failures: number;
  ageMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Somebody may have taken it back at its manager: so long they can decide otherwise before it is given again. */
export const TO_DECIDE = 10 * MINUTE;
/** A manager that can't be asked this often in a row needs somebody who gives the order by hand. */
const PATIENCE = 5;
/** Where a person is needed it is looked at all the same: what they mend goes on by itself. */
const UNTIL_MENDED = 5 * MINUTE;

/** After a look. A machine that is away may be back in a minute or in a month. */
export function dueIn(command: Following, judged: Judgement): Outlook {
  const { tool, kind, ageMs } = command;
  const then = { shows: null, problem: null, needsPerson: false, failures: 0 };
  if (judged.next === 'give') return { ...then, ms: 0 };
  if (judged.next === 'person') return { ...then, problem: judged.because, needsPerson: true, ms: UNTIL_MENDED };
  const { shows, because, tell: needsPerson = false } = judged;
  if (shows === 'failed') {
    const problem = `${because ?? ''} It is given again.`;
    const ms = within(kind === 'wipe' ? TO_DECIDE : MINUTE, ageMs / 4, 60 * MINUTE);
    return { ...then, shows: { state: shows, note: problem }, problem, needsPerson, ms };
  }
  const note =
    shows === 'acknowledged'
      ? `“${tool}” shows it as ${DONE[kind]}: the machine said so.`
      : `“${tool}” shows the ${kind} as pending: the machine hasn’t taken it yet.`;
  return {
    ...then,
    shows: shows && { state: shows, note },
    problem: because,
    needsPerson,
    ms: within(15 * SECOND, ageMs / 4, 15 * MINUTE),
  };
}

/** The manager couldn't be asked, or said no. */
export function afterFailure(command: Following, error: ToolError, now: Date): Outlook {
  const { tool, assetTag, state, failures } = command;
  const { kind, message, remedy, resetAt } = error;
  const then = { shows: null, failures: failures + 1 };
  if (kind === 'not-found') {
    const left =
      state === 'ordered'
        ? 'The order isn’t given.'
        : 'What was sent may still be carried out, and nothing shows it there.';
    const problem = `“${tool}” has no record of this machine any more: it was deleted there, or is enrolled anew under another id. ${left} Look there for the serial number of ${assetTag}, and say here what you saw.`;
    return { ...then, problem, needsPerson: true, ms: UNTIL_MENDED };
  }
  if (kind === 'transient' || kind === 'rate-limited' || kind === 'ambiguous') {
    const pause = Math.min(UNTIL_MENDED, SECOND * 2 ** Math.min(failures, 10));
    const ms = Math.max(pause, resetAt ? resetAt.getTime() - now.getTime() : 0);
    // A manager that lets nobody in for hours is no faster to ask than one that can't be asked.
    const needsPerson = failures + 1 >= PATIENCE || ms > UNTIL_MENDED;
    return { ...then, problem: needsPerson ? `${message} ${BY_HAND}` : message, needsPerson, ms };
  }
  const problem = [message, remedy, BY_HAND].filter(Boolean).join(' ');
  return { ...then, problem, needsPerson: true, ms: UNTIL_MENDED };
}

const BY_HAND = 'Until then, give the order by hand and say here what you saw.';

function within(least: number, wanted: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, wanted)));
}
