import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './problem.js';
import { callerQuery } from './queries.js';

const RETRIES = 2;

export const queryClient: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What was refused stays refused; what didn't answer may answer in a moment.
      retry: (failures, error) => failures < RETRIES && isPassing(error),
    },
  },
  queryCache: new QueryCache({
    onError(error, query) {
      // Signed out meanwhile: the shell finds out, and says so.
      const isAboutCaller = query.queryKey[0] === callerQuery.queryKey[0];
      if (isProblem(error, 'unauthenticated') && !isAboutCaller) {
        void queryClient.invalidateQueries({ queryKey: callerQuery.queryKey });
      }
    },
  }),
});

export function isProblem(error: unknown, kind: string): boolean {
  return error instanceof ApiProblem && error.kind === kind;
}

function isPassing(error: Error): boolean {
  return !(error instanceof ApiProblem) || error.status === 0 || error.status >= 500;
}
