import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answerOf, api } from './client.js';
import type { paths } from './schema.js';

/**
 * What the pages read. A key begins with the kind that the change feed tells, then `list` or `one` and the id. Those whose
 * second word is `endless`, people and audit entries, are too long to be read again by themselves.
 */
export type Query<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Filters } } }
  ? NonNullable<Filters>
  : never;

const PAGE = 100;

/**
 * For what changes without a word of the change feed, such as a tool that the engine pauses: it is asked for by itself,
 * every so many milliseconds, while somebody looks.
 */
export const OFTEN = { refetchInterval: 10_000 } as const;

export const callerQuery = queryOptions({
  queryKey: ['caller'],
  queryFn: () => answerOf(api.GET('/v1/caller')),
  staleTime: 60_000,
});

export const ownKeysQuery = queryOptions({
  queryKey: ['security-key', 'list', 'own'],
  queryFn: () => answerOf(api.GET('/v1/caller/security-keys')),
});

export const heldKeysQuery = queryOptions({
  queryKey: ['security-key', 'list'],
  queryFn: () => answerOf(api.GET('/v1/security-keys')),
});

export function endlessPeople(filters: Omit<Query<'/v1/people'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    queryKey: ['person', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/people', { params: { query: { ...filters, limit: PAGE, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
  });
}

export function endlessCases(filters: Omit<Query<'/v1/cases'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    queryKey: ['case', 'list', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/cases', { params: { query: { ...filters, limit: 50, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
}

/** Of steps, in whatever state is asked for. */
export function endlessSteps(filters: Omit<Query<'/v1/steps'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    ...OFTEN,
    queryKey: ['step', 'list', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/steps', { params: { query: { ...filters, limit: 50, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
}

export function endlessDevices(filters: Omit<Query<'/v1/devices'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    queryKey: ['device', 'list', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/devices', { params: { query: { ...filters, limit: 50, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
}

export function endlessHrEvents(filters: Omit<Query<'/v1/hr-events'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    ...OFTEN,
    queryKey: ['hr-event', 'list', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/hr-events', { params: { query: { ...filters, limit: 50, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
}

export function cursor(value: string | null): { cursor?: string } {
  return value === null ? {} : { cursor: value };
}

export function peopleQuery(filters: Query<'/v1/people'>) {
  return queryOptions({
    queryKey: ['person', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/people', { params: { query: filters } })),
  });
}

export function personQuery(id: string) {
  return queryOptions({
    queryKey: ['person', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/people/{id}', { params: { path: { id } } })),
    staleTime: 30_000,
  });
}

export function accountsQuery(filters: Query<'/v1/accounts'>) {
  return queryOptions({
    queryKey: ['account', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/accounts', { params: { query: filters } })),
  });
}

export function devicesQuery(filters: Query<'/v1/devices'>) {
  return queryOptions({
    queryKey: ['device', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/devices', { params: { query: filters } })),
  });
}

export function deviceQuery(id: string) {
  return queryOptions({
    queryKey: ['device', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/devices/{id}', { params: { path: { id } } })),
  });
}

export function recoveryKeysQuery(id: string) {
  return queryOptions({
    queryKey: ['device', 'one', id, 'recovery-keys'],
    queryFn: () => answerOf(api.GET('/v1/devices/{id}/recovery-keys', { params: { path: { id } } })),
  });
}

export const modelsQuery = queryOptions({
  queryKey: ['device-model', 'list'],
  queryFn: () => answerOf(api.GET('/v1/device-models', { params: { query: { limit: 200 } } })),
  staleTime: 300_000,
});

export function casesQuery(filters: Query<'/v1/cases'>) {
  return queryOptions({
    queryKey: ['case', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/cases', { params: { query: filters } })),
  });
}

export function caseQuery(id: string) {
  return queryOptions({
    queryKey: ['case', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/cases/{id}', { params: { path: { id } } })),
  });
}

/** What a report would cut; told of by accounts, so it is old when they are. */
export function lossPreviewQuery(deviceId: string) {
  return queryOptions({
    queryKey: ['account', 'list', 'loss-preview', deviceId],
    queryFn: () => answerOf(api.POST('/v1/lost-devices/preview', { body: { deviceId } })),
  });
}

/** What the runbook asks for after a loss. */
export function lossQuery(caseId: string) {
  return queryOptions({
    queryKey: ['case', 'one', caseId, 'loss'],
    queryFn: () => answerOf(api.GET('/v1/lost-devices/{caseId}', { params: { path: { caseId } } })),
  });
}

/** What was said at `/lost` by people without a code. */
export function lossReportsQuery(filters: Query<'/v1/loss-reports'>) {
  return queryOptions({
    queryKey: ['loss-report', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/loss-reports', { params: { query: filters } })),
  });
}

export function lossReportQuery(id: string) {
  return queryOptions({
    queryKey: ['loss-report', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/loss-reports/{id}', { params: { path: { id } } })),
  });
}

/** Steps that need a person, the one that is due first before the others. */
export function dutiesQuery(filters: Query<'/v1/duties'>) {
  return queryOptions({
    ...OFTEN,
    queryKey: ['step', 'list', 'duties', filters],
    queryFn: () => answerOf(api.GET('/v1/duties', { params: { query: filters } })),
  });
}

export function stepEvidenceQuery(id: string) {
  return queryOptions({
    queryKey: ['step', 'one', id, 'evidence'],
    queryFn: () => answerOf(api.GET('/v1/steps/{id}/evidence', { params: { path: { id } } })),
  });
}

export function alertsQuery(filters: Query<'/v1/alerts'>) {
  return queryOptions({
    ...OFTEN,
    queryKey: ['alert', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/alerts', { params: { query: filters } })),
  });
}

export const toolsQuery = queryOptions({
  queryKey: ['tool', 'list'],
  queryFn: () => answerOf(api.GET('/v1/tools', { params: { query: { limit: 200 } } })),
  staleTime: 60_000,
});

export function toolQuery(id: string) {
  return queryOptions({
    ...OFTEN,
    queryKey: ['tool', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/tools/{id}', { params: { path: { id } } })),
  });
}

export const connectorsQuery = queryOptions({
  queryKey: ['connector', 'list'],
  queryFn: () => answerOf(api.GET('/v1/connectors')),
  staleTime: Infinity,
});

export function brakesQuery(filters: Query<'/v1/brakes'>) {
  return queryOptions({
    queryKey: ['brake', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/brakes', { params: { query: filters } })),
  });
}

export function brakeQuery(id: string) {
  return queryOptions({
    queryKey: ['brake', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/brakes/{id}', { params: { path: { id } } })),
  });
}

export function approvalsQuery(filters: Query<'/v1/approvals'>) {
  return queryOptions({
    queryKey: ['approval', 'list', filters],
    queryFn: () => answerOf(api.GET('/v1/approvals', { params: { query: filters } })),
  });
}

export function approvalQuery(id: string) {
  return queryOptions({
    queryKey: ['approval', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/approvals/{id}', { params: { path: { id } } })),
  });
}

export const figuresQuery = queryOptions({
  queryKey: ['figures'],
  queryFn: () => answerOf(api.GET('/v1/case-figures')),
  staleTime: 30_000,
});

export function endlessAuditEntries(filters: Omit<Query<'/v1/audit-entries'>, 'cursor' | 'limit'>) {
  return infiniteQueryOptions({
    queryKey: ['audit-entry', 'endless', filters],
    queryFn: ({ pageParam }) =>
      answerOf(api.GET('/v1/audit-entries', { params: { query: { ...filters, limit: 50, ...cursor(pageParam) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });
}

export function auditProofQuery(id: string) {
  return queryOptions({
    queryKey: ['audit-entry', 'one', id, 'proof'],
    queryFn: () => answerOf(api.GET('/v1/audit-entries/{id}/proof', { params: { path: { id } } })),
    retry: false,
  });
}
