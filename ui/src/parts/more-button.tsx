import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { text } from '../text/text.js';

interface Props {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
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
