import type { ReactNode } from 'react';
import { Empty, Loaded, type LoadedQuery } from './loaded.js';
import { MoreButton, type MoreQuery } from './more-button.js';

interface Props<T> {
  query: LoadedQuery<{ pages: readonly { items: readonly T[] }[] }> & MoreQuery;
  /** What is said when there is nothing. */
  none: string;
  children: (rows: readonly T[]) => ReactNode;
}

/** A list that comes page by page: as far as it was read, and a button for more. */
export function Endless<T>({ query, none, children }: Props<T>): ReactNode {
  return (
    <>
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          return rows.length === 0 ? <Empty>{none}</Empty> : children(rows);
        }}
      </Loaded>
      <MoreButton query={query} />
    </>
  );
}
