import { infiniteQueryOptions, keepPreviousData, queryOptions, type QueryKey } from '@tanstack/react-query';
import { answerOf, api } from './client.js';
import { cursor, type Query } from './queries.js';
import type { paths } from './schema.js';

/**
 * What the pages about devices, their models and their images read. What the change feed tells as a change of a device
 * (its returns, its signatures, what is on the shelves) has a key that begins as a device's.
 */
const PAGE = 50;
/** Of a list that is a part of a page. */
const FEW = 8;

type Filters<Path extends keyof paths> = Omit<Query<Path>, 'cursor' | 'limit'>;

/** A list that is read page by page. */
function endless<Page extends { next: string | null }>(
  queryKey: QueryKey,
  read: (page: { limit: number; cursor?: string }) => Promise<Page>,
  limit = PAGE,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => read({ limit, ...cursor(pageParam) }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
  });
}

/** Of all devices in use. Agents report all the time: it is read once a minute, and not at each change. */
export const fleetEncryptionQuery = queryOptions({
  queryKey: ['fleet-encryption'],
  queryFn: () => answerOf(api.GET('/v1/devices/encryption')),
  staleTime: 30_000,
  refetchInterval: 60_000,
});

/** The newest token of a device's own reporter: since when, and why it ended. */
export function deviceTokenQuery(id: string) {
  return queryOptions({
    queryKey: ['device', 'one', id, 'token'],
    queryFn: () => answerOf(api.GET('/v1/devices/{id}/token', { params: { path: { id } } })),
  });
}

export function returnsQuery(filters: Query<'/v1/returns'>) {
  return queryOptions({
    queryKey: ['device', 'list', 'returns', filters],
    queryFn: () => answerOf(api.GET('/v1/returns', { params: { query: filters } })),
  });
}

export function endlessReturns(filters: Filters<'/v1/returns'>) {
  return endless(['device', 'list', 'returns', 'endless', filters], (page) =>
    answerOf(api.GET('/v1/returns', { params: { query: { ...filters, ...page } } })),
  );
}

export const sitesQuery = queryOptions({
  queryKey: ['site', 'list'],
  queryFn: () => answerOf(api.GET('/v1/sites')),
  staleTime: 300_000,
});

export function acknowledgementsQuery(filters: Query<'/v1/acknowledgements'>) {
  return queryOptions({
    queryKey: ['device', 'list', 'acknowledgements', filters],
    queryFn: () => answerOf(api.GET('/v1/acknowledgements', { params: { query: filters } })),
  });
}

/** @param at an instant in ISO 8601; without it, now */
export function knownEncryptionQuery(id: string, at: string | undefined) {
  return queryOptions({
    queryKey: ['device', 'one', id, 'encryption', at ?? null],
    queryFn: () =>
      answerOf(
        api.GET('/v1/devices/{id}/encryption', { params: { path: { id }, query: at === undefined ? {} : { at } } }),
      ),
  });
}

export function endlessEncryptionReports(id: string) {
  return endless(
    ['device', 'one', id, 'encryption-history'],
    (query) => answerOf(api.GET('/v1/devices/{id}/encryption/history', { params: { path: { id }, query } })),
    FEW,
  );
}

export function endlessImagings(id: string) {
  return endless(
    ['device', 'one', id, 'imagings'],
    (query) => answerOf(api.GET('/v1/devices/{id}/imagings', { params: { path: { id }, query } })),
    FEW,
  );
}

export function driftQuery(deviceId: string) {
  return queryOptions({
    queryKey: ['device', 'one', deviceId, 'drift'],
    queryFn: () => answerOf(api.GET('/v1/images/drift', { params: { query: { deviceId } } })),
  });
}

export function sparesQuery(filters: Query<'/v1/devices/spares'>) {
  return queryOptions({
    queryKey: ['device', 'list', 'spares', filters],
    queryFn: () => answerOf(api.GET('/v1/devices/spares', { params: { query: filters } })),
  });
}

/** How long replacements took; each page has the figures over all losses. */
export const endlessLeadTimes = endless(['device', 'list', 'lead-times'], (query) =>
  answerOf(api.GET('/v1/lost-devices/lead-times', { params: { query } })),
);

export const endlessModels = endless(['device-model', 'list', 'endless'], (query) =>
  answerOf(api.GET('/v1/device-models', { params: { query } })),
);

export const endlessImages = endless(['image', 'list', 'endless'], (query) =>
  answerOf(api.GET('/v1/images', { params: { query } })),
);

export function imageQuery(id: string) {
  return queryOptions({
    queryKey: ['image', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/images/{id}', { params: { path: { id } } })),
  });
}

export function imageVersionQuery(id: string) {
  return queryOptions({
    queryKey: ['image', 'version', id],
    queryFn: () => answerOf(api.GET('/v1/images/versions/{id}', { params: { path: { id } } })),
  });
}

export function endlessCarriers(id: string) {
  return endless(['image', 'version', id, 'devices'], (query) =>
    answerOf(api.GET('/v1/images/versions/{id}/devices', { params: { path: { id }, query } })),
  );
}

export function endlessMedia(filters: Filters<'/v1/images/media'>) {
  return endless(['image', 'media', filters], (page) =>
    answerOf(api.GET('/v1/images/media', { params: { query: { ...filters, ...page } } })),
  );
}

export const releaseKeysQuery = queryOptions({
  queryKey: ['image', 'release-keys'],
  queryFn: () => answerOf(api.GET('/v1/images/release-keys')),
});

export function deviceImportQuery(id: string) {
  return queryOptions({
    queryKey: ['device-import', 'one', id],
    queryFn: () => answerOf(api.GET('/v1/devices/imports/{id}', { params: { path: { id } } })),
  });
}
