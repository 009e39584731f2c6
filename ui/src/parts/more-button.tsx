import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { text } from '../text/text.js';

export interface MoreQuery {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Props {
  query: MoreQuery;
}

/** The next page of a list that nobody scrolls through for long. */
export function MoreButton({ query: { hasNextPage, isFetchingNextPage, fetchNextPage } }: Props): ReactNode {
  if (!hasNextPage) return null;
  return (
    <Button variant="default" onClick={() => fetchNextPage()} loading={isFetchingNextPage}>
      {text.more}
    </Button>
  );
}
