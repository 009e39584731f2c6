import type { CaseStep } from '../../api/types.js';
import { text, wordFor } from '../../text/text.js';
import { duration } from '../../time/relative-time.js';

type Attempt = CaseStep['attemptsMade'][number];

/** One call in a line: what was asked, what came of it, and how long it took. */
export function attemptsInWords({ kind, outcome, errorKind, intendedAt, finishedAt, abandonedAt }: Attempt): string {
  const asked = text.cases.attemptKind[kind];
  if (abandonedAt !== null) return `${asked}: ${text.cases.abandoned}`;
  if (outcome === null || finishedAt === null) return `${asked}: ${text.cases.underWay}`;
  const came = wordFor(text.cases.outcome, outcome);
  const why = errorKind === null ? '' : ` (${wordFor(text.cases.errorKind, errorKind)})`;
  return `${asked}: ${came}${why}, ${duration(Date.parse(finishedAt) - Date.parse(intendedAt))}`;
}
