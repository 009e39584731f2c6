import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

/** What a tool holds. Unlike a real one it takes any number of users with one name: doubles must show (I2). */
export interface FakeUser {
  id: string;
  externalId: string | null;
  userName: string;
  email: string;
  active: boolean;
  password: string | null;
  version: number;
}

/** One request, as the tool saw it. */
export interface SeenCall {
  number: number;
  /** By the monotonic clock of the tests, and by the machine's. */
  at: number;
  wallAt: number;
  /** The attempt's id, from `X-Request-Id`. */
  attemptId: string | null;
  /** The connection that it came on: its port at the caller's end. */
  connection: number | undefined;
  method: string;
  path: string;
  /** What it was about, in the words of a person: `create`, `suspend`, `restore`, `reset`, `look`. */
  what: 'create' | 'suspend' | 'restore' | 'reset' | 'look';
  userName: string | null;
}

export type Behaviour =
  /** Answers with this status and changes nothing. */
  | { kind: 'fail'; status: number; headers?: Record<string, string> }
  /** Carries it out, and never answers. */
  | { kind: 'swallow-answer' }
  /** Answers 200 without carrying it out. */
  | { kind: 'pretend' }
  /** Waits for `release()` before it does anything. */
  | { kind: 'hold' }
  /** Carries it out and answers, but the answer's body trickles in and never ends. */
  | { kind: 'drip' }
  /** Carries it out, and answers for as long as somebody reads. */
  | { kind: 'flood' }
  /** Carries it out; the JSON of the answer breaks off. */
  | { kind: 'broken-json' }
  /** Changes nothing and sends the caller elsewhere. */
  | { kind: 'redirect'; to: string };

interface Rule {
  applies: (call: SeenCall) => boolean;
  behaviour: Behaviour;
  times: number;
}

const Body = z.looseObject({
  externalId: z.string().optional(),
  userName: z.string().optional(),
  password: z.string().optional(),
  emails: z.array(z.object({ value: z.string() })).optional(),
  Operations: z.array(z.looseObject({ path: z.string().optional(), value: z.unknown() })).optional(),
});
type Body = z.infer<typeof Body>;

const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';

/**
 * A tool with scripted latency and errors, on loopback, that records every call it saw. It speaks the part of SCIM 2.0
 * that the connector uses. Kinder than a real tool: it never loses a write and pages everything at once. Harsher: it
 * doesn't refuse a second user of the same name.
 */
export class FakeTool {
  readonly calls: SeenCall[] = [];
  readonly users = new Map<string, FakeUser>();
  /** Milliseconds before each answer. */
  latency = 0;
  /** Bytes of the longest `flood` that somebody read before they had enough. */
  longestFlood = 0;
  private readonly rules: Rule[] = [];
  private readonly held: (() => void)[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));

  static async start(): Promise<FakeTool> {
    const tool = new FakeTool();
    await new Promise<void>((resolve) => tool.server.listen(0, '127.0.0.1', resolve));
    return tool;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on, for the next `times` calls about `what`. */
  next(what: SeenCall['what'], behaviour: Behaviour, times = 1): void {
    this.rules.push({ applies: (call) => call.what === what, behaviour, times });
  }

  /** From now on, for all calls that it applies to, until the function that is answered is called. */
  whenever(applies: (call: SeenCall) => boolean, behaviour: Behaviour): () => void {
    const rule: Rule = { applies, behaviour, times: Infinity };
    this.rules.push(rule);
    return () => void (this.rules.includes(rule) && this.rules.splice(this.rules.indexOf(rule), 1));
  }

  /** How many calls wait for `release()`. */
  get waiting(): number {
    return this.held.length;
  }

  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  /** Calls that change something, in the order in which they came. */
  acts(what?: SeenCall['what']): SeenCall[] {
    return this.calls.filter((call) => call.what !== 'look' && (what === undefined || call.what === what));
  }

  usersNamed(userName: string): FakeUser[] {
    return [...this.users.values()].filter((user) => user.userName === userName);
  }

  async stop(): Promise<void> {
    this.release();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? {} : Body.parse(JSON.parse(text));
    const url = new URL(request.url ?? '/', this.url);
    const call = this.record(request, url, body);
    const behaviour = this.takeRule(call)?.behaviour;
    if (behaviour?.kind === 'hold') await new Promise<void>((resolve) => this.held.push(resolve));
    if (this.latency > 0) await new Promise((resolve) => setTimeout(resolve, this.latency));
    if (behaviour?.kind === 'fail') {
      response.writeHead(behaviour.status, { 'content-type': 'application/scim+json', ...behaviour.headers });
      response.end('{}');
      return;
    }
    if (behaviour?.kind === 'redirect') {
      response.writeHead(307, { location: behaviour.to });
      response.end();
      return;
    }
    const { status, answer } = this.carryOut(call, url, body, behaviour?.kind === 'pretend');
    if (behaviour?.kind === 'swallow-answer') return;
    response.writeHead(status, { 'content-type': 'application/scim+json' });
    const json = answer === undefined ? undefined : JSON.stringify(answer);
    if (behaviour?.kind === 'drip') return this.drip(response);
    if (behaviour?.kind === 'flood') return this.flood(response);
    response.end(behaviour?.kind === 'broken-json' ? json?.slice(0, -2) : json);
  }

  private drip(response: ServerResponse): void {
    const more = setInterval(() => response.write(' '), 200);
    response.on('close', () => clearInterval(more));
  }

  private flood(response: ServerResponse): void {
    const chunk = `"${'x'.repeat(65_536)}",`;
    let sent = 0;
    response.write('[');
    const pour = (): void => {
      while (!response.destroyed && response.write(chunk)) sent += chunk.length;
    };
    response.on('drain', pour);
    response.on('error', () => undefined);
    response.on('close', () => (this.longestFlood = Math.max(this.longestFlood, sent)));
    pour();
  }

  private record(request: IncomingMessage, url: URL, body: Body): SeenCall {
    const header = request.headers['x-request-id'];
    const call: SeenCall = {
      number: this.calls.length + 1,
      at: performance.now(),
      wallAt: Date.now(),
      attemptId: typeof header === 'string' ? header : null,
      connection: request.socket.remotePort,
      method: request.method ?? '',
      path: url.pathname,
      what: whatIs(request.method ?? '', body),
      userName: body.userName ?? this.users.get(url.pathname.split('/')[2] ?? '')?.userName ?? null,
    };
    this.calls.push(call);
    return call;
  }

  private takeRule(call: SeenCall): Rule | undefined {
    const rule = this.rules.find(({ applies }) => applies(call));
    if (rule && (rule.times -= 1) === 0) this.rules.splice(this.rules.indexOf(rule), 1);
    return rule;
  }

  private carryOut(call: SeenCall, url: URL, body: Body, pretend: boolean): { status: number; answer?: unknown } {
    const [, kind, id] = url.pathname.split('/');
    if (kind === 'ServiceProviderConfig') {
      const yes = { supported: true };
      return {
        status: 200,
        answer: { schemas: [CONFIG], patch: yes, filter: yes, changePassword: yes, etag: { supported: false } },
      };
    }
    if (kind === 'Groups') return { status: 200, answer: list([]) };
    if (kind !== 'Users') return { status: 404, answer: {} };
    if (call.what === 'create') return { status: 201, answer: resource(this.create(body, pretend)) };
    if (id === undefined)
      return { status: 200, answer: list(this.matching(url.searchParams.get('filter')).map(resource)) };
    const user = this.users.get(decodeURIComponent(id));
    if (!user) return { status: 404, answer: {} };
    if (call.method === 'PATCH' && !pretend) {
      for (const { path, value } of body.Operations ?? []) {
        if (path === 'active') user.active = value === true;
        if (path === 'password') user.password = String(value);
        user.version += 1;
      }
    }
    return { status: 200, answer: resource(user) };
  }

  private create(body: Body, pretend: boolean): FakeUser {
    const user: FakeUser = {
      id: randomUUID(),
      externalId: body.externalId ?? null,
      userName: body.userName ?? '',
      email: body.emails?.[0]?.value ?? '',
      active: true,
      password: body.password ?? null,
      version: 1,
    };
    if (!pretend) this.users.set(user.id, user);
    return user;
  }

  private matching(filter: string | null): FakeUser[] {
    const all = [...this.users.values()];
    const [, attribute, quoted] = /^(\S+) eq (".*")$/.exec(filter ?? '') ?? [];
    if (!attribute || !quoted) return all;
    const value = z.string().parse(JSON.parse(quoted));
    const of = { externalId: 'externalId', userName: 'userName', 'emails.value': 'email' } as const;
    const key = of[attribute as keyof typeof of];
    return all.filter((user) => user[key] === value);
  }
}

function whatIs(method: string, body: Body): SeenCall['what'] {
  if (method === 'POST') return 'create';
  if (method !== 'PATCH') return 'look';
  const [operation] = body.Operations ?? [];
  if (operation?.path === 'password') return 'reset';
  return operation?.value === true ? 'restore' : 'suspend';
}

function resource(user: FakeUser): object {
  return {
    id: user.id,
    externalId: user.externalId,
    userName: user.userName,
    active: user.active,
    emails: [{ value: user.email, primary: true }],
    groups: [],
    meta: { version: `W/"${user.version}"` },
  };
}

function list(resources: readonly object[]): object {
  return { schemas: [LIST], totalResults: resources.length, startIndex: 1, Resources: resources };
}
