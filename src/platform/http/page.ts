import { z } from 'zod';
import { Problem } from '../errors/problem.js';

/** One page of a list. */
export interface Page<T> {
  items: T[];
  /** The cursor of the next page; null on the last. */
  next: string | null;
}

/** Where a page starts: after the row with this sort key and id. */
export interface Position {
  key: string;
  id: string;
}

/** The query of a list; merge a list's filters in: `PageQuery.extend({ status: … })`. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many at most.'),
  cursor: z.string().max(1_000).optional().describe('`next` of the page before.'),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** The answer's schema for OpenAPI: `@ApiOkResponse({ standardSchema: pageOf(PersonView) })`. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next: z.ZodNullable<z.ZodString> }> {
  return z.object({ items: z.array(item), next: z.string().nullable().describe('Cursor of the next page.') });
}

/**
 * Reads a cursor. Ask for `limit + 1` rows `WHERE (sort_key, id) > (key, id) ORDER BY sort_key, id`, then `toPage`.
 * @param sortKey What a sort key looks like: a forged one must not reach the database as, say, a timestamp.
 * @returns null for the first page.
 * @throws Problem `invalid-request` for a cursor that we didn't make.
 */
export function positionOf(cursor: string | undefined, sortKey: z.ZodType<string> = z.string()): Position | null {
  if (cursor === undefined) return null;
  try {
    const [key, id] = z.tuple([sortKey, z.uuid()]).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { key, id };
  } catch {
    throw new Problem('invalid-request', 'The cursor is not one that a page gave. Start again without it.', [
      { pointer: '/query/cursor', detail: 'This has to be `next` of the page before.' },
    ]);
  }
}

/**
 * Makes the page of `limit + 1` fetched rows: the row too many shows that there is a next page.
 * @param positionOfRow The row's sort key, exactly as the database compares it (a timestamp with its microseconds, as text), and id.
 */
export function toPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  positionOfRow: (row: Row) => Position,
  view: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? cursorOf(positionOfRow(last)) : null;
  return { items: shown.map(view), next };
}

function cursorOf({ key, id }: Position): string {
  return Buffer.from(JSON.stringify([key, id]), 'utf8').toString('base64url');
}
