import { Problem } from '../../errors/problem.js';
import { CHALLENGE_MINUTES } from './key-challenges.service.js';

/** Why what a key answered doesn't count, and what to do about it. */
const REFUSALS = {
  'not-asked': `This sign-in didn't ask for a key, or the answer came after more than ${CHALLENGE_MINUTES} minutes, or a second time. Begin again.`,
  'not-theirs': "This key isn't registered for you, or it was removed. Use another one of yours.",
  'not-shown':
    'The answer has to be by this key, for this address, and with its PIN or your finger. Begin again at the address that you signed in at.',
  copied:
    'This key counted backwards, so there is a copy of it. It is not taken any more: use another one of yours, or have it removed by an owner.',
} as const;

export type KeyRefusal = keyof typeof REFUSALS;

export function keyRefused(why: KeyRefusal): Problem {
  return new Problem('key-refused', REFUSALS[why]);
}
