import { ApiProblem } from '../api/problem.js';

/** What the server said to one row of many. */
export interface Accepted {
  /** Only taken on, of what a case tells how it goes. */
  standing: 'done' | 'waived' | 'under_way';
  said: string;
  caseId: string | null;
}

export type RowResult = { accepted: Accepted } | { refused: string };

/**
 * One request after the other, each row's answer told as it comes.
 *
 * @param isStopped asked before each
 * @returns what ended it before the last row although nobody stopped it, since the next would have fared no better; or null
 */
export async function runOnEach<T extends { id: string }>(
  rows: readonly T[],
  act: (row: T) => Promise<Accepted>,
  tell: (id: string, result: RowResult) => void,
  isStopped: () => boolean,
): Promise<unknown> {
  for (const row of rows) {
    if (isStopped()) return null;
    try {
      tell(row.id, { accepted: await act(row) });
    } catch (error) {
      if (!isAboutRow(error)) return error;
      tell(row.id, { refused: `${error.title}. ${error.detail}` });
    }
  }
  return null;
}

/** Of the row it was sent for: not allowed for it, not there, in another state, changed meanwhile. */
const ABOUT_ROW: readonly string[] = [
  'invalid-request',
  'forbidden',
  'not-found',
  'conflict',
  'gone',
  'precondition-failed',
];

/** Whether an error says something about one row, and nothing about the others. */
export function isAboutRow(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && ABOUT_ROW.includes(error.kind);
}
