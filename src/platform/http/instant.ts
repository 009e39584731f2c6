import { z } from 'zod';

/** An instant with an offset, of a year that is written in four digits in UTC as well: answers tell no other. */
export const Instant = z.iso
  .datetime({ offset: true })
  .refine(isOfFourDigits, 'This has to be of the years 0000 to 9999, in UTC.');

const FIRST = Date.parse('0000-01-01T00:00:00Z');
/** Its fractions are left out: PostgreSQL rounds `.9999999` up, to the year 10000. */
const LAST = Date.parse('9999-12-31T23:59:59Z');

/** `9999-12-31T23:00:00-02:00` isn't: in UTC it is of the year +010000 (ECMA-262, expanded years). */
export function isOfFourDigits(text: string): boolean {
  const instant = Date.parse(text);
  return FIRST <= instant && instant <= LAST && !(instant === LAST && text.includes('.'));
}
