import { Problem } from '../../platform/errors/problem.js';

export const RETURN_STATES = ['asked', 'sent', 'received', 'inspected', 'written_off'] as const;
export type ReturnState = (typeof RETURN_STATES)[number];

/** Where a return may go from where it is; the database keeps to the same list. What was received is inspected, and not given up. */
export const NEXT_RETURN_STATES = {
  asked: ['sent', 'received', 'written_off'],
  sent: ['received', 'written_off'],
  received: ['inspected'],
  inspected: [],
  written_off: [],
} as const satisfies Record<ReturnState, readonly ReturnState[]>;

/** In these the device still counts as theirs. */
export const OUTSTANDING: readonly ReturnState[] = ['asked', 'sent', 'received'];

export const CONDITIONS = ['good', 'worn', 'faulty', 'not_stated'] as const;
export const WIPED = ['yes', 'no', 'unknown'] as const;

/** @throws Problem `conflict` that names both states */
export function refuseReturnUnless(from: ReturnState, to: ReturnState): void {
  if ((NEXT_RETURN_STATES[from] as readonly ReturnState[]).includes(to)) return;
  throw new Problem('conflict', `A return that is ${inWords(from)} can’t become ${inWords(to)}.`);
}

function inWords(state: ReturnState): string {
  return state.replace('_', ' ');
}
