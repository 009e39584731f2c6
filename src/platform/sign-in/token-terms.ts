import { DateTime } from 'luxon';
import type { Scope } from './actor.js';

const DEFAULT_DAYS = 90;
const MOST_DAYS = 365;

/**
 * Until when a new token is good: 90 days unless something else is wished, a year at most.
 *
 * @throws RangeError with a sentence
 */
export function endOfToken(wish: Date | undefined, now: Date): Date {
  const from = DateTime.fromJSDate(now, { zone: 'utc' });
  if (wish === undefined) return from.plus({ days: DEFAULT_DAYS }).toJSDate();
  if (wish <= now) throw new RangeError('A token’s end has to be to come.');
  // To the end of the last day, so that a date a year away is a year away in every zone.
  if (wish > from.plus({ days: MOST_DAYS }).endOf('day').toJSDate()) {
    throw new RangeError(`A token is good for ${MOST_DAYS} days at most; make a new one then.`);
  }
  return wish;
}

/** What a token is to do that its maker may not. */
export function beyondMaker(wanted: readonly Scope[], held: readonly Scope[]): Scope[] {
  return wanted.filter((scope) => !held.includes(scope));
}
