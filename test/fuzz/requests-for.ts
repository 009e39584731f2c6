import fc from 'fast-check';
import type { Example } from './company.js';
import type { ApiOperation, Parameter } from './api-operations.js';
import {
  HOSTILE_BODIES,
  HOSTILE_HEADERS,
  HOSTILE_QUERIES,
  HOSTILE_SEGMENTS,
  HOSTILE_VALUES,
  spoil,
  type Spoiling,
} from './hostile.js';
import { valuesOf, type Hints } from './values-of.js';

/** Who asks: a token or a browser with every scope, a token with none, one that there isn't, or nobody. */
export type Caller = 'all-scopes' | 'browser' | 'no-scope' | 'unknown-token' | 'nobody';

export interface FuzzRequest {
  kind: 'valid' | 'near-valid' | 'hostile';
  caller: Caller;
  method: string;
  /** With its query, encoded. */
  path: string;
  headers: Record<string, string>;
  body: Buffer | string | undefined;
}

/** A request's parts, before they are written down. */
interface Parts {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
}

/** Node answers a longer head by itself, and hangs up. */
const LONGEST_IN_HEAD = 1_000;

/** Requests for one operation: nearly half of them valid, the others off by one thing, or meant to do harm. */
export function requestsFor(
  operation: ApiOperation,
  hints: Hints,
  examples: readonly Example[],
): fc.Arbitrary<FuzzRequest> {
  const caller: fc.Arbitrary<Caller> = fc.oneof(
    { weight: 11, arbitrary: fc.constant('all-scopes' as const) },
    { weight: 5, arbitrary: fc.constant('browser' as const) },
    { weight: 2, arbitrary: fc.constant('no-scope' as const) },
    { weight: 1, arbitrary: fc.constant('unknown-token' as const) },
    { weight: 1, arbitrary: fc.constant('nobody' as const) },
  );
  const parts = partsOf(operation, hints, examples);
  const valid = fc.tuple(caller, parts).map(([who, one]) => written(operation, 'valid', who, one));
  const near = fc
    .tuple(caller, parts, fc.nat(), spoilings())
    .map(([who, one, place, how]) =>
      written(
        operation,
        'near-valid',
        who,
        one.body === undefined || Buffer.isBuffer(one.body)
          ? off(one, place)
          : { ...one, body: spoil(one.body, place, how) },
      ),
    );
  return fc.oneof(
    { weight: 9, arbitrary: valid },
    { weight: 6, arbitrary: near },
    { weight: 5, arbitrary: hostile(operation, caller, parts) },
  );
}

function partsOf(operation: ApiOperation, hints: Hints, examples: readonly Example[]): fc.Arbitrary<Parts> {
  const values = (where: Parameter['in']): fc.Arbitrary<Record<string, unknown>> => {
    const parameters = operation.parameters.filter((one) => one.in === where);
    return fc.record(
      Object.fromEntries(parameters.map(({ name, schema }) => [name, valuesOf(schema, hints, `${where}:${name}`)])),
      { requiredKeys: parameters.filter(({ required }) => required).map(({ name }) => name) },
    ) as fc.Arbitrary<Record<string, unknown>>;
  };
  const body = operation.body && operation.body.mediaType === 'application/json' ? operation.body.schema : null;
  const files = fc.nat(50).map((length) => (operation.body ? Buffer.alloc(length, 'evidence') : undefined));
  return fc.record({
    path: values('path'),
    query: values('query'),
    headers: values('header'),
    body: body ? fc.oneof(valuesOf(body, hints), ...examples.map((example) => fc.nat().map(example))) : files,
  });
}

function spoilings(): fc.Arbitrary<Spoiling> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_VALUES).map((by): Spoiling => ({ kind: 'replace', by })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Spoiling>(
        { kind: 'drop' },
        { kind: 'stranger' },
        { kind: 'stretch' },
        { kind: 'wrap' },
      ),
    },
  );
}

/** A parameter more, less or otherwise, where there is no body. */
function off(parts: Parts, place: number): Parts {
  const names = Object.keys(parts.query);
  const name = names[place % Math.max(1, names.length)] ?? 'limit';
  const value = HOSTILE_VALUES[place % HOSTILE_VALUES.length];
  const text = typeof value === 'string' && value.length < LONGEST_IN_HEAD ? value : String(place);
  return { ...parts, query: { ...parts.query, [name]: text } };
}

function hostile(
  operation: ApiOperation,
  caller: fc.Arbitrary<Caller>,
  parts: fc.Arbitrary<Parts>,
): fc.Arbitrary<FuzzRequest> {
  const base = fc.tuple(caller, parts).map(([who, one]) => ({ who, one }));
  const inBody = fc.tuple(base, fc.constantFrom(...HOSTILE_BODIES)).map(([{ who, one }, { headers, body }]) => {
    const request = written(operation, 'hostile', who, { ...one, body: undefined });
    return { ...request, headers: { ...request.headers, ...headers }, body };
  });
  const inHeaders = fc.tuple(base, fc.constantFrom(...HOSTILE_HEADERS)).map(([{ who, one }, headers]) => {
    const request = written(operation, 'hostile', who, one);
    // The length of what is sent is right, or the next request on the connection would be the one that suffers.
    const fitting = request.body === undefined ? headers : without(headers, 'content-length', 'transfer-encoding');
    return { ...request, headers: { ...request.headers, ...fitting } };
  });
  const inQuery = fc.tuple(base, fc.constantFrom(...HOSTILE_QUERIES)).map(([{ who, one }, query]) => {
    const request = written(operation, 'hostile', who, { ...one, query: {} });
    return { ...request, path: `${request.path}?${query}` };
  });
  const inMethod = fc
    .tuple(base, fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND'))
    .map(([{ who, one }, method]) => ({ ...written(operation, 'hostile', who, one), method }));
  const inPath = fc
    .tuple(base, fc.constantFrom(...HOSTILE_SEGMENTS))
    .map(([{ who, one }, segment]) => written(operation, 'hostile', who, one, segment));
  const hasPath = operation.path.includes('{');
  return fc.oneof(
    { weight: operation.body ? 3 : 1, arbitrary: inBody },
    { weight: 2, arbitrary: inHeaders },
    { weight: operation.method === 'GET' ? 2 : 1, arbitrary: inQuery },
    { weight: 1, arbitrary: inMethod },
    { weight: hasPath ? 2 : 0, arbitrary: inPath },
  );
}

function without(headers: Record<string, string>, ...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** @param segment what stands in the path instead of its parameters, as it is */
function written(
  { method, path, body }: ApiOperation,
  kind: FuzzRequest['kind'],
  caller: Caller,
  parts: Parts,
  segment?: string,
): FuzzRequest {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => segment ?? encoded(parts.path[name]));
  const query = Object.entries(parts.query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const payload = parts.body instanceof Buffer ? parts.body : parts.body !== undefined && JSON.stringify(parts.body);
  return {
    kind,
    caller,
    method,
    path: query.length > 0 ? `${filled}?${query.join('&')}` : filled,
    headers: {
      ...(body && { 'content-type': body.mediaType }),
      ...Object.fromEntries(
        Object.entries(parts.headers).map(([name, value]) => [name.toLowerCase(), headerText(value)] as const),
      ),
    },
    body: payload === false ? undefined : payload,
  };
}

function encoded(value: unknown): string {
  return encodeURIComponent(String(value).toWellFormed()) || '%20';
}

/** What Node's client agrees to send. */
function headerText(value: unknown): string {
  return String(value).replace(/[^\t\x20-\x7e]/g, '?');
}
