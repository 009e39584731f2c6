import { z } from 'zod';
import { isKnownZone } from '../people/start-instant.js';
import { isOfFourDigits } from '../platform/http/instant.js';

const LocalDate = z.iso.date({ error: 'must be a date such as 2026-03-29' });
const Zone = z.string().refine(isKnownZone, 'must be an IANA time zone such as Europe/Berlin');
// JSON may hold a NUL, which PostgreSQL can't store; no other control character belongs in a name either.
const Word = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .refine((text) => !/\p{Cc}/u.test(text), 'must hold no control characters')
  .refine((text) => text.isWellFormed(), 'must hold no half of a surrogate pair');

const Employee = z.object({
  id: Word.describe("The HR system's own id of this employment; it never changes."),
  givenName: Word,
  familyName: Word,
  displayName: Word.optional(),
  workEmail: z.email({ error: 'must be the corporate e-mail address' }),
  department: Word,
  title: Word.nullish(),
  employmentType: Word.default('employee'),
  location: Word.nullish(),
  timeZone: Zone.describe('Where the local dates count.'),
  startDate: LocalDate.describe('First day, in the time zone.'),
  endDate: LocalDate.nullish().describe('Last day, in the time zone; access ends when it is over.'),
});

const Position = {
  occurredAt: z.iso
    .datetime({ offset: true, error: 'must be an instant such as 2026-03-29T09:00:00Z' })
    .refine(isOfFourDigits, 'must be of the years 0000 to 9999, in UTC')
    .describe('When it happened in the HR system; events are ordered by this, whenever they arrive.'),
  sequence: z.int().min(0).default(0).describe('Tells apart events of one instant; the higher one is newer.'),
};

/**
 * What an HR system may tell, as the signed body of a webhook. Fields that aren't named here are ignored, personal
 * addresses among them: nothing is ever made on one.
 */
export const HrEvent = z.discriminatedUnion(
  'type',
  [
    z.object({ type: z.literal('employee.joined'), ...Position, employee: Employee }),
    z.object({ type: z.literal('employee.changed'), ...Position, employee: Employee }),
    z.object({
      type: z.literal('employee.left'),
      ...Position,
      employee: z.object({ id: Word, endDate: LocalDate }),
      immediate: z.boolean().default(false).describe('Access ends now, not when the last day is over.'),
    }),
    z.object({ type: z.literal('employee.leave-cancelled'), ...Position, employee: z.object({ id: Word }) }),
  ],
  { error: 'must be employee.joined, employee.changed, employee.left or employee.leave-cancelled' },
);
export type HrEvent = z.infer<typeof HrEvent>;

/** The event, or why it isn't one, in a sentence that its sender can act on. */
export function readHrEvent(body: string): { event: HrEvent } | { mistake: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { mistake: 'The body is not JSON.' };
  }
  const result = HrEvent.safeParse(parsed);
  if (result.success) return { event: result.data };
  const issues = result.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return { mistake: `Not an event that is understood here: ${issues.join('; ')}.` };
}
