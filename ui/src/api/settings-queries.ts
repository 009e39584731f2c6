import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from './client.js';
import { cursor, OFTEN } from './queries.js';

/** What the pages of settings read. The change feed tells nothing of it; each act reads it again. */
export const channelsQuery = queryOptions({
  queryKey: ['alert-channel', 'list'],
  queryFn: () => answerOf(api.GET('/v1/alert-channels')),
});

export const escalationQuery = queryOptions({
  queryKey: ['escalation'],
  queryFn: () => answerOf(api.GET('/v1/escalation')),
});

export const rolesQuery = queryOptions({
  queryKey: ['role', 'list'],
  queryFn: () => answerOf(api.GET('/v1/roles')),
  staleTime: Infinity,
});

export const assignmentsQuery = infiniteQueryOptions({
  queryKey: ['role-assignment', 'list'],
  queryFn: ({ pageParam }) =>
    answerOf(api.GET('/v1/role-assignments', { params: { query: { limit: 100, ...cursor(pageParam) } } })),
  initialPageParam: null as string | null,
  getNextPageParam: ({ next }) => next,
});

export const identitiesQuery = queryOptions({
  queryKey: ['sign-in-identity', 'list'],
  queryFn: () => answerOf(api.GET('/v1/sign-in-identities')),
});

export const tokensQuery = queryOptions({
  queryKey: ['token', 'list'],
  queryFn: () => answerOf(api.GET('/v1/tokens')),
});

export const servicesQuery = queryOptions({
  queryKey: ['service-principal', 'list'],
  queryFn: () => answerOf(api.GET('/v1/service-principals')),
});

export const limitsQuery = queryOptions({
  queryKey: ['brake-limit', 'list'],
  queryFn: () => answerOf(api.GET('/v1/brake-limits')),
});

export const healthQuery = queryOptions({
  ...OFTEN,
  queryKey: ['health'],
  queryFn: () => answerOf(api.GET('/health/ready')),
});

export const checkpointQuery = queryOptions({
  ...OFTEN,
  queryKey: ['audit-checkpoint'],
  queryFn: () => answerOf(api.GET('/v1/audit/checkpoint')),
});

export const installationQuery = queryOptions({
  queryKey: ['installation'],
  queryFn: () => answerOf(api.GET('/v1/installation')),
});

export const hrSourcesQuery = queryOptions({
  ...OFTEN,
  queryKey: ['hr-source', 'list'],
  queryFn: () => answerOf(api.GET('/v1/hr-sources')),
});

export const witnessesQuery = queryOptions({
  ...OFTEN,
  queryKey: ['audit-witness', 'list'],
  queryFn: () => answerOf(api.GET('/v1/audit/witnesses')),
});
