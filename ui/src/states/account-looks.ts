import type { Account } from '../api/types.js';
import { text } from '../text/text.js';
import type { Looks } from './step-states.js';

type AccountStates = Pick<Account, 'desiredState' | 'observedState' | 'observedSource'>;

/** What the tool showed, beside what should be: good only when both are known and the same, and not by a person’s word. */
export function accountLooks({ desiredState, observedState, observedSource }: AccountStates): Looks {
  if (observedState === 'unknown') return { shape: '○', tone: 'waiting', word: text.accounts.neverSeen(desiredState) };
  if (isAsWanted({ desiredState, observedState })) {
    if (observedSource?.startsWith('attested by ')) {
      const word = text.accounts.onWord(text.accounts.observed[observedState], observedSource);
      return { shape: '◉', tone: 'over', word };
    }
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
function isAsWanted({ desiredState, observedState }: Pick<Account, 'desiredState' | 'observedState'>): boolean {
  return desiredState === observedState || (desiredState === 'suspended' && observedState === 'absent');
}
