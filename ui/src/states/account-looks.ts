import type { Account } from '../api/types.js';
import { text } from '../text/text.js';
import type { Tone } from './step-states.js';

interface Looks {
  shape: string;
  tone: Tone;
  word: string;
}

type AccountStates = Pick<Account, 'desiredState' | 'observedState'>;

/** What the tool showed, beside what should be: good only when both are known and the same. */
export function accountLooks({ desiredState, observedState }: AccountStates): Looks {
  if (observedState === 'unknown') return { shape: '○', tone: 'waiting', word: text.accounts.neverSeen(desiredState) };
  if (isAsWanted({ desiredState, observedState })) {
    return { shape: '●', tone: 'good', word: text.accounts.observed[observedState] };
  }
  const isTooMuch = observedState === 'active';
  return {
    shape: isTooMuch ? '▲' : '◑',
    tone: isTooMuch ? 'bad' : 'busy',
    word: text.accounts.otherThan(text.accounts.observed[observedState], text.accounts.observed[desiredState]),
  };
}

/** An account that is gone lets nobody in either. */
function isAsWanted({ desiredState, observedState }: AccountStates): boolean {
  return desiredState === observedState || (desiredState === 'suspended' && observedState === 'absent');
}
