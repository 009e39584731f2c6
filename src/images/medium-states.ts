import { Problem } from '../platform/errors/problem.js';

/**
 * writing: nobody has said yet that it was read back. verified: it read back as the image, past the system's memory. failed:
 * it didn't.
 */
export const MEDIUM_STATES = ['writing', 'verified', 'failed'] as const;
export type MediumState = (typeof MEDIUM_STATES)[number];

/** What somebody found who read a stick back. */
export const READ_BACK_VERDICTS = ['same', 'different', 'unreadable', 'interrupted'] as const;
export type ReadBackVerdict = (typeof READ_BACK_VERDICTS)[number];

/** What a stick is after it was read back. One that failed is written anew, which is another record. */
const NEXT = {
  writing: { same: 'verified', different: 'failed', unreadable: 'failed', interrupted: 'failed' },
  // A check that was broken off says nothing about a stick that was found right before.
  verified: { same: 'verified', different: 'failed', unreadable: 'failed', interrupted: 'verified' },
  failed: null,
} as const satisfies Record<MediumState, Record<ReadBackVerdict, MediumState> | null>;

/**
 * @param uncached it was read past the system's memory: what comes from there may never have reached the stick
 * @throws Problem `conflict` for one that failed before
 */
export function afterReadBack(state: MediumState, verdict: ReadBackVerdict, uncached: boolean): MediumState {
  const next = NEXT[state];
  if (next === null) throw new Problem('conflict', 'This stick failed before: write it anew, and read that back.');
  return verdict === 'same' && !uncached ? state : next[verdict];
}
