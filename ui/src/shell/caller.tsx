import { useQuery } from '@tanstack/react-query';
import { callerQuery } from '../api/queries.js';
import type { Scope } from '../api/types.js';

/**
 * Whether the one signed in may do this somewhere; or `everywhere`, for what is nobody's in particular. The server decides
 * where it is done; this only decides what is offered.
 */
export function useMay(): (scope: Scope, where?: 'everywhere') => boolean {
  const { data } = useQuery(callerQuery);
  return (scope, where) =>
    data?.scopes.some((held) => held.scope === scope && (where === undefined || held.everywhere)) ?? false;
}

/** Whether they may do this everywhere, and not within limits only: much of what is set up has no place. */
export function useMayEverywhere(): (scope: Scope) => boolean {
  const { data } = useQuery(callerQuery);
  return (scope) => data?.scopes.some((held) => held.scope === scope && held.everywhere) ?? false;
}
