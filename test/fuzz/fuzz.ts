import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { ApiDescription } from '../../src/platform/api-docs/api-description.service.js';
import { SCOPES, SYSTEM } from '../../src/platform/sign-in/actor.js';
import { newSecretToken } from '../../src/platform/sign-in/secret-token.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import type { ServiceApp } from '../factories/service-app.js';
import { operationsOf, type ApiOperation } from './api-operations.js';
import { KNOWN_VALUES, OWN_TOOL_SECRET, type Company } from './company.js';
import { Judge } from './judge.js';
import { requestsFor, type Caller, type FuzzRequest } from './requests-for.js';
import { SeenValues } from './seen-values.js';
import { send, type FuzzAnswer } from './send.js';

/** A request whose answer isn't one that it may have, with what is needed to send it again. */
export interface Finding {
  complaint: string;
  request: FuzzRequest;
  answer: FuzzAnswer;
}

export interface FuzzReport {
  requests: number;
  /** How many answers there were of each status. */
  statuses: Record<string, number>;
  /** Operations that were never answered with 2xx: the fuzz tests their refusals only. */
  neverDone: string[];
  slowestMs: number;
  findings: Finding[];
}

export interface FuzzPlan {
  seed: number;
  /** Called before each round over all operations: whether there is another. */
  goesOn: (roundsDone: number) => boolean;
}

/** The collection that an id of this name belongs to. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  personId: '/v1/people',
  holderId: '/v1/people',
  ownerId: '/v1/people',
  siteId: '/v1/sites',
  ownerPersonId: '/v1/people',
  modelId: '/v1/device-models',
  deviceId: '/v1/devices',
  replacementDeviceId: '/v1/devices',
  toolId: '/v1/tools',
  caseId: '/v1/cases',
  channelIds: '/v1/alert-channels',
  imageId: '/v1/images',
  imageVersionId: '/v1/images/versions',
  mediumId: '/v1/images/media',
  releaseKeyId: '/v1/images/release-keys',
};

const LISTS = [
  ...new Set(Object.values(COLLECTIONS)),
  '/v1/steps',
  '/v1/accounts',
  '/v1/alerts',
  '/v1/returns',
  '/v1/acknowledgements',
  '/v1/osquery/nodes',
  '/v1/loss-reports',
];

/** Doors that the document leaves out: their answers are pages for people. */
const UNDESCRIBED: readonly ApiOperation[] = [
  'GET /sign-in/{token}',
  'POST /sign-in/{token}',
  'GET /credential-links/{token}',
  'POST /credential-links/{token}',
  'GET /acknowledgement-links/{token}',
  'POST /acknowledgement-links/{token}',
  'GET /docs/{file}',
  'GET /app/{path}',
  'GET /app/assets/{file}',
  'GET /{nothing}',
].map((route) => {
  const [method = '', path = ''] = route.split(' ');
  const name = /\{(\w+)\}/.exec(path)?.[1] ?? '';
  return {
    method,
    path,
    parameters: [{ name, in: 'path', required: true, schema: { type: 'string' } }],
    body: null,
    answers: {},
    callsOut: false,
    isPublic: true,
    isUndescribed: true,
  };
});

const DECIDES = /^\/v1\/steps\/\{id\}\/(complete|confirm|waive|retry|assign|task-link|evidence\/)/;

/** How often an operation that wasn't done yet is asked at the end. */
const MORE = 80;

/** As many findings as somebody reads; each operation's first ones. */
const FINDINGS_EACH = 3;

/** Sends requests of every operation in turn, one at a time, and judges each answer. The same seed asks the same. */
export async function fuzz(service: ServiceApp, company: Company, { seed, goesOn }: FuzzPlan): Promise<FuzzReport> {
  await service.app.listen(0, '127.0.0.1');
  const { port } = service.app.getHttpServer().address() as AddressInfo;
  const base = new URL(`http://127.0.0.1:${port}`);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const document = service.app.get(ApiDescription).document();
  const operations = operationsOf(document);
  const judge = new Judge(document.components ?? {});
  const credentials = await credentialsOf(service);
  const tokens = await service.db.query<{ id: string }[]>('SELECT id FROM api_tokens');
  // Whoever ends their own token is nobody from then on.
  const untouchable = new Set([...Object.values(company.callable).flat(), ...tokens.map(({ id }) => id)]);
  const seen = new SeenValues((id) => untouchable.has(String(id)));
  const ask = async (path: string): Promise<void> => {
    const headers = credentials['all-scopes'];
    const answer = await send(base, agent, { method: 'GET', path, headers, body: undefined });
    if (answer.status === 200) seen.learn(path, JSON.parse(answer.text));
  };
  /** Some name the version that it has now, as whoever has read it just before; a fixed one is soon outdated. */
  const upToDate = async (request: FuzzRequest): Promise<FuzzRequest> => {
    if (request.kind !== 'valid' || request.headers['if-match'] !== '"1"') return request;
    const headers = credentials['all-scopes'];
    const now = await send(base, agent, { method: 'GET', path: request.path, headers, body: undefined });
    const etag = now.headers['etag'];
    return etag === undefined ? request : { ...request, headers: { ...request.headers, 'if-match': etag } };
  };
  const plans = [...operations, ...UNDESCRIBED].map((operation) => ({
    operation,
    requests: requestsFor(
      operation,
      (name) => hintsFor(name, operation, seen, company),
      company.examples[`${operation.method} ${operation.path}`] ?? [],
    ),
  }));
  const report: FuzzReport = { requests: 0, statuses: {}, neverDone: [], slowestMs: 0, findings: [] };
  const done = new Set<ApiOperation>();
  const play = async ({ operation, requests }: (typeof plans)[number], drawing: number): Promise<void> => {
    const [drawn] = fc.sample(requests, { numRuns: 1, seed: seed + drawing });
    if (!drawn) throw new Error('fast-check drew nothing');
    const headers = { ...credentials[drawn.caller], ...drawn.headers };
    const request = await upToDate(signed(operation, { ...drawn, headers }, service));
    const answer = await send(base, agent, request);
    report.requests += 1;
    report.statuses[answer.status] = (report.statuses[answer.status] ?? 0) + 1;
    report.slowestMs = Math.max(report.slowestMs, answer.ms);
    if (answer.status < 300 && request.method === operation.method) {
      done.add(operation);
      if (/json/.test(answer.headers['content-type'] ?? '')) seen.learn(request.path, JSON.parse(answer.text));
    }
    const complaint = judge.complaint(operation, request, answer);
    if (complaint) report.findings.push({ complaint, request, answer });
  };
  let drawing = 0;
  for (let round = 0; goesOn(round); round += 1) {
    // Lists without a filter show what there is.
    if (round % 10 === 0) for (const path of LISTS) await ask(path);
    for (const plan of plans) await play(plan, (drawing += 1));
  }
  // What chance left out so far is tried for a while.
  for (const plan of plans) {
    for (let more = 0; more < MORE && !done.has(plan.operation) && !plan.operation.isUndescribed; more += 1) {
      await play(plan, (drawing += 1));
    }
  }
  agent.destroy();
  report.neverDone = operations.filter((one) => !done.has(one)).map(({ method, path }) => `${method} ${path}`);
  report.findings = firstOfEach(report.findings);
  return report;
}

function firstOfEach(findings: readonly Finding[]): Finding[] {
  const counts = new Map<string, number>();
  return findings.filter(({ complaint, request }) => {
    const key = `${request.method} ${request.path.replace(/[0-9a-f-]{36}.*/, '')} ${complaint.slice(0, 60)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return (counts.get(key) ?? 0) <= FINDINGS_EACH;
  });
}

async function credentialsOf(service: ServiceApp): Promise<Record<Caller, Record<string, string>>> {
  const { app, db, stranger } = service;
  const link = await db.transaction((tx) => app.get(SignInLinks).create(tx, SYSTEM, 'fuzz in a browser', SCOPES));
  const signedIn = await stranger.post(new URL(link).pathname).set('Sec-Fetch-Site', 'same-origin').expect(303);
  const cookie = String(signedIn.get('Set-Cookie')?.[0]).split(';')[0] ?? '';
  const authorizationOf = async (name: string): Promise<string> =>
    (await service.caller(name)).get('/health/live').get('authorization');
  const [everything, nothing] = [await authorizationOf('fuzz'), await authorizationOf('fuzz-without-scopes')];
  await service.db.query(`UPDATE api_tokens SET scopes = '{}' WHERE name = 'fuzz-without-scopes'`);
  return {
    'all-scopes': { authorization: everything },
    browser: { cookie, 'sec-fetch-site': 'same-origin' },
    'no-scope': { authorization: nothing },
    'unknown-token': { authorization: `Bearer qm_01234567_${newSecretToken()}` },
    nobody: {},
  };
}

function hintsFor(name: string, operation: ApiOperation, seen: SeenValues, company: Company): readonly unknown[] {
  const known = KNOWN_VALUES[name];
  if (known) return known;
  const [where = name, parameter = where] = name.split(':');
  const before = operation.path.split('/{')[0] ?? '';
  if (where === 'path' && parameter === 'id') {
    if (DECIDES.test(operation.path)) return company.humanSteps;
    return operation.callsOut ? (company.callable[before] ?? []) : seen.ofCollection(before);
  }
  // In an HR event: other bodies' ids have longer names, but for a security key's, which no chance draws.
  if (name === 'id') return KNOWN_VALUES['employeeId'] ?? [];
  if (where === 'query' && parameter === 'cursor') return seen.named('next');
  if (where === 'path' && parameter === 'caseId') return seen.named('caseId');
  const collection = COLLECTIONS[parameter];
  if (collection) return [...seen.ofCollection(collection), ...(company.callable[collection] ?? [])];
  return where === 'path' || where === 'query' ? seen.named(parameter) : [];
}

/** A webhook's signature is right, unless the request was drawn to be nobody's. */
function signed({ path }: ApiOperation, request: FuzzRequest, { hrSecret }: ServiceApp): FuzzRequest {
  if (!path.startsWith('/hooks/') || request.caller === 'nobody') return fileHash(path, request);
  const body = request.body ?? JSON.stringify({ version: 1, type: 'operation.finished', handle: 'h-1' });
  const secret = path.startsWith('/hooks/hr/') ? hrSecret : OWN_TOOL_SECRET;
  const id = `msg_${createHash('sha256').update(body).digest('hex').slice(0, 20)}`;
  const sentAt = new Date();
  return {
    ...request,
    headers: {
      'content-type': 'application/json',
      ...request.headers,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, sentAt, body.toString('utf8')),
    },
    body,
  };
}

/** Where a path names the hash of its body, the right one most of the time. */
function fileHash(path: string, request: FuzzRequest): FuzzRequest {
  if (!path.includes('{sha256}') || request.kind !== 'valid' || request.body === undefined) return request;
  const hash = createHash('sha256').update(request.body).digest('hex');
  return { ...request, path: request.path.replace(/\/evidence\/[^?]+/, `/evidence/${hash}`) };
}

/** What to do about a finding, and how to see it again. */
export function findingText({ complaint, request, answer }: Finding): string {
  const body = request.body === undefined ? '' : `\n  ${JSON.stringify(request.body.toString('utf8').slice(0, 600))}`;
  const headers = JSON.stringify({ ...request.headers, authorization: `(${request.caller})` });
  return `${complaint}\n  ${request.method} ${request.path.slice(0, 300)} (${request.kind})\n  ${headers}${body}\n  → ${answer.status} ${answer.text.slice(0, 400)}`;
}
