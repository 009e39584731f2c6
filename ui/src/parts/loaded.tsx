import type { ReactNode } from 'react';
import { text } from '../text/text.js';
import { ProblemNotice } from './problem-notice.js';
import { Page } from './section.js';

export interface LoadedQuery<T> {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
}

interface Props<T> {
  query: LoadedQuery<T>;
  children: (data: T) => ReactNode;
  /** How many lines what is awaited will take, about. */
  lines?: number;
}

/** What was read; until then, that it is being read; or why it can't be. Old data stays beside a new problem. */
export function Loaded<T>({ query, children, lines = 3 }: Props<T>): ReactNode {
  const { data, error, refetch } = query;
  return (
    <>
      {error && <ProblemNotice error={error} onRetry={refetch} />}
      {data === undefined ? !error && <Loading lines={lines} /> : children(data)}
    </>
  );
}

/**
 * A page that is about one thing; until that was read, it is called by its kind. Its key is the thing's id: nothing that was
 * typed or asked for is carried over to another.
 */
export function LoadedPage<T>({ query, title, children }: Props<T> & { title: string }): ReactNode {
  if (query.data !== undefined) return <Loaded query={query}>{children}</Loaded>;
  return (
    <Page title={title}>
      <Loaded query={query} lines={8}>
        {children}
      </Loaded>
    </Page>
  );
}

export function Loading({ lines = 3 }: { lines?: number }): ReactNode {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">{text.loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="loading-line" aria-hidden="true" />
      ))}
    </div>
  );
}

/** Nothing is there, which is said, and what to do about it where something can be done. */
export function Empty({ children }: { children: ReactNode }): ReactNode {
  return <p className="empty">{children}</p>;
}
