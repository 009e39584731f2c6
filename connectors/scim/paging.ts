import { ToolError } from '../kit/errors.js';
import type { ScimPage } from './client.js';

/** By index (RFC 7644, section 3.4.2.4) or by cursor (RFC 9865), and how many a page asks for. */
export interface Paging {
  by: 'index' | 'cursor';
  count: number;
}

export type PageQuery = Record<string, string | number>;

interface OnePage<T> {
  page: readonly T[];
  /** Null on the last page. */
  next: string | null;
  /** Whether all pages up to this last one showed everything. */
  complete: boolean;
}

/** Where a listing is: how many were seen, what the server said there are, and what to ask for next. */
interface Place {
  seen: number;
  /** Null: nothing was said. `moved`: it said different things. */
  total: number | 'moved' | null;
  cursor: string;
}

/** One page of a listing; `next` is the opaque place of the page before, null for the first. */
export async function onePage<T>(
  { by, count }: Paging,
  next: string | null,
  ask: (query: PageQuery) => Promise<ScimPage<T>>,
): Promise<OnePage<T>> {
  const before: Place = next === null ? { seen: 0, total: null, cursor: '' } : (JSON.parse(next) as Place);
  const where: PageQuery = by === 'cursor' ? { cursor: before.cursor } : { startIndex: before.seen + 1 };
  const { resources, totalResults, nextCursor } = await ask({ ...where, count });
  const seen = before.seen + resources.length;
  const total = before.total !== null && before.total !== totalResults ? 'moved' : totalResults;
  if (by === 'cursor') {
    // The same cursor again would never end.
    const stuck = nextCursor !== null && nextCursor === before.cursor;
    const isLast = nextCursor === null || stuck;
    const place: Place = { seen, total, cursor: nextCursor ?? '' };
    return {
      page: resources,
      next: isLast ? null : JSON.stringify(place),
      complete: nextCursor === null && (total === null || total === seen),
    };
  }
  if (totalResults === null) throw new ToolError('invalid', 'The server listed without saying how many there are.');
  const isLast = seen >= totalResults;
  // An empty page before the end, or a total that moved, means some account may never have been shown.
  const stuck = !isLast && resources.length === 0;
  const place: Place = { seen, total, cursor: '' };
  return {
    page: resources,
    next: isLast || stuck ? null : JSON.stringify(place),
    complete: isLast && total !== 'moved',
  };
}

/** All pages of a query. Throws `transient` when they don't add up: a partial answer is no answer. */
export async function everyPage<T>(
  paging: Paging,
  ask: (query: PageQuery) => Promise<ScimPage<T>>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let next: string | null = null;
  for (;;) {
    const { page, ...where }: OnePage<T> = await onePage(paging, next, ask);
    all.push(...page);
    next = where.next;
    if (next !== null) continue;
    if (where.complete) return all;
    throw new ToolError(
      'transient',
      `The server’s pages don’t add up: ${all.length} results, and it announced another number.`,
    );
  }
}
