import { z } from 'zod';

/** What the service carries out, or sees the end of, by itself. Every other task ends by a person's word. */
export const TASK_ENDINGS = [
  /** With the report, in its transaction. */
  'freeze-facts',
  /** When the case is closed: each account is shown cut by its tool, or somebody answers for it by name. */
  'cut-access',
  /** When a person decided whether the machine is locked, wiped or left. */
  'decide-containment',
  /** When what was decided is verified, or a named person accepts the risk that it never is. */
  'follow-containment',
  /** When the breach assessment is decided. */
  'assess-breach',
  /** When access is given back. */
  'give-back-access',
  /** When its time is over. Any sign of the machine until then alerts. */
  'watch',
] as const;
export type TaskEnding = (typeof TASK_ENDINGS)[number];

export const CONTAINMENTS = ['lock', 'wipe', 'leave'] as const;
export type Containment = (typeof CONTAINMENTS)[number];

/** What was known of the disk at the moment of the loss. `aged`: longer ago than the runbook's `freshFor`. */
export const DISK_KNOWLEDGE = ['encrypted', 'not_encrypted', 'suspended', 'converting', 'unknown', 'aged'] as const;
/** What has to happen before the machine opens its disk. */
export const UNLOCKS = ['before_boot', 'tpm_only', 'unknown'] as const;
export const YES_NO = ['yes', 'no', 'unknown'] as const;

const Text = z
  .string('must be a text')
  .trim()
  .min(1, 'must not be empty')
  .max(20_000, 'must have 20,000 characters at most');
const Line = Text.max(300, 'must have 300 characters at most');
const Slug = z
  .string('must be a text')
  .regex(/^[a-z][a-z0-9-]{0,49}$/, 'must be a word of small letters, digits and hyphens');

const SECONDS = { s: 1, min: 60, h: 3_600, d: 86_400 } as const;

/** `5 s`, `15 min`, `72 h`, `30 d`, in whole seconds; nobody means a time that is longer than ten years. */
const Duration = z
  .string('must be a time such as 5 s, 15 min, 72 h or 30 d')
  .regex(/^[1-9]\d{0,4} ?(s|min|h|d)$/, { error: 'must be a time such as 5 s, 15 min, 72 h or 30 d', abort: true })
  .refine((duration) => secondsOf(duration) <= 3_650 * SECONDS.d, 'must be ten years (3650 d) at most');

const oneOrMore = <T extends readonly [string, ...string[]]>(values: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(z.enum(values, `must be one of ${values.join(', ')}`)).min(1, 'must name at least one'),
  );

const When = z.strictObject({
  disk: oneOrMore(DISK_KNOWLEDGE).optional(),
  unlocks: oneOrMore(UNLOCKS).optional(),
  awake: oneOrMore(YES_NO).optional(),
  keyRevealed: oneOrMore(['yes', 'no']).optional(),
  legalHold: oneOrMore(['yes', 'no']).optional(),
});

const Row = z.strictObject({
  when: When.refine(
    (when) => Object.keys(when).length > 0,
    'must have a condition; what else there is stands under otherwise',
  ),
  propose: z.enum(CONTAINMENTS, `must be one of ${CONTAINMENTS.join(', ')}`),
  because: Line,
});

const Task = z.strictObject({
  id: Slug,
  title: Line,
  owner: Line,
  within: Duration,
  ends: z.enum(TASK_ENDINGS, `must be one of ${TASK_ENDINGS.join(', ')}`).optional(),
  how: Text,
});

export const RUNBOOK = z.strictObject({
  title: Line,
  introduction: Text,
  report: Text,
  scope: z.strictObject({ propose: z.enum(['person', 'device'], 'must be person or device'), because: Line }),
  tasks: z.array(Task, 'must be a list').min(1, 'must have a task').max(50, 'must have 50 tasks at most'),
  containment: z.strictObject({
    freshFor: Duration,
    rows: z.array(Row, 'must be a list').max(30, 'must have 30 rows at most'),
    otherwise: Row.pick({ propose: true, because: true }),
  }),
  found: Text,
  drill: Text,
});

export type Runbook = z.infer<typeof RUNBOOK>;
export type RunbookTask = Runbook['tasks'][number];
export type ContainmentRow = Runbook['containment']['rows'][number];

/** A duration of the runbook in seconds. */
export function secondsOf(duration: string): number {
  const [, count, unit] = /^(\d+) ?(s|min|h|d)$/.exec(duration) ?? [];
  return Number(count) * SECONDS[unit as keyof typeof SECONDS];
}
