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
