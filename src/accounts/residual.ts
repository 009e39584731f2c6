import type { LiveThings, ObservedAccount } from '../../connectors/kit/contract.js';

/** Until when something that the tool can't show may still work; null: all is shown, or nobody knows until when. */
export function residualOf(observed: Pick<ObservedAccount, 'sessions' | 'credentials'>): Date | null {
  const ends = [observed.sessions, observed.credentials].flatMap(endOfUnseen);
  return ends.length === 0 ? null : ends.reduce((latest, end) => (end > latest ? end : latest));
}

function endOfUnseen(things: LiveThings): Date[] {
  return things.seen || things.residualUntil === null ? [] : [things.residualUntil];
}
