import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { Taken } from './tool-orders.js';

const Body = z.looseObject({
  externalId: z.string().optional(),
  userName: z.string().optional(),
  Operations: z.array(z.looseObject({ path: z.string().optional(), value: z.unknown() })).optional(),
});
type Body = z.infer<typeof Body>;

interface User {
  id: string;
  userName: string;
  externalId: string | null;
  active: boolean;
}

/** Users whose names begin so are there without having been made: the bench seeds their accounts by SQL. */
export const SEEDED = 'bench-';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const CONFIG = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';

/** What all tools of one process share: how long they take, and what they saw. */
export class ToolRoom {
  latency = 0;
  private taken: Taken = { requests: 0, cuts: [], perAttempt: {} };

  saw(request: IncomingMessage): void {
    this.taken.requests += 1;
    const attempt = request.headers['x-request-id'];
    // A long run must not fill this process with what nobody asks for.
    if (typeof attempt !== 'string' || this.taken.requests > 100_000) return;
    this.taken.perAttempt[attempt] = (this.taken.perAttempt[attempt] ?? 0) + 1;
  }

  sawCut(tool: number, userName: string): void {
    if (this.taken.cuts.length > 100_000) return;
    this.taken.cuts.push({ tool, userName, at: Date.now() });
  }

  take(): Taken {
    const { taken } = this;
    this.taken = { requests: 0, cuts: [], perAttempt: {} };
    return taken;
  }
}

/**
 * A tool that speaks the part of SCIM 2.0 that the connector uses, with a fixed latency. It keeps only users that were
 * touched, so that a million of them cost nothing. Kinder than a real tool: it never fails.
 */
export class BenchTool {
  private readonly users = new Map<string, User>();
  private readonly byMark = new Map<string, User>();
  private readonly server = createServer((request, response) => void this.answer(request, response));

  constructor(
    private readonly index: number,
    private readonly room: ToolRoom,
  ) {
    // The service opens a connection per conversation; an idle one is the client's to close.
    this.server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', 1_024, resolve));
    return (this.server.address() as AddressInfo).port;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    request.setEncoding('utf8');
    for await (const chunk of request) text += String(chunk);
    const body = text === '' ? {} : Body.parse(JSON.parse(text));
    this.room.saw(request);
    const url = new URL(request.url ?? '/', 'http://tool');
    if (isCut(request, body)) this.room.sawCut(this.index, nameOf(url));
    if (this.room.latency > 0) await pause(this.room.latency);
    const { status, answer } = this.carryOut(request.method ?? '', url, body);
    const json = Buffer.from(JSON.stringify(answer));
    response.writeHead(status, { 'content-type': 'application/scim+json', 'content-length': json.length });
    response.end(json);
  }

  private carryOut(method: string, url: URL, body: Body): { status: number; answer: unknown } {
    const [, kind, id] = url.pathname.split('/');
    if (kind === 'ServiceProviderConfig') return { status: 200, answer: CONFIG_ANSWER };
    if (kind !== 'Users') return { status: 200, answer: list([]) };
    if (method === 'POST') return { status: 201, answer: resource(this.create(body)) };
    if (id === undefined) return { status: 200, answer: list(this.matching(url.searchParams.get('filter'))) };
    const user = this.find(decodeURIComponent(id));
    if (!user) return { status: 404, answer: {} };
    for (const { path, value } of method === 'PATCH' ? (body.Operations ?? []) : []) {
      if (path === 'active') this.users.set(user.id, Object.assign(user, { active: value === true }));
    }
    return { status: 200, answer: resource(user) };
  }

  private create({ userName = '', externalId }: Body): User {
    const user: User = { id: `u-${userName}`, userName, externalId: externalId ?? null, active: true };
    this.users.set(user.id, user);
    if (externalId) this.byMark.set(externalId, user);
    return user;
  }

  private find(id: string): User | undefined {
    const userName = id.slice(2);
    const seeded = userName.startsWith(SEEDED) ? { id, userName, externalId: null, active: true } : undefined;
    return this.users.get(id) ?? seeded;
  }

  private matching(filter: string | null): object[] {
    const [, attribute, value = ''] = /^(\S+) eq "(.*)"$/.exec(filter ?? '') ?? [];
    const name = attribute === 'emails.value' ? value.slice(0, value.indexOf('@')) : value;
    const user = attribute === 'externalId' ? this.byMark.get(value) : this.find(`u-${name}`);
    return user ? [resource(user)] : [];
  }
}

function isCut({ method }: IncomingMessage, { Operations = [] }: Body): boolean {
  return method === 'PATCH' && Operations.some(({ path, value }) => path === 'active' && value === false);
}

function nameOf(url: URL): string {
  return decodeURIComponent(url.pathname.split('/')[2] ?? '').slice(2);
}

const yes = { supported: true };
const CONFIG_ANSWER = {
  schemas: [CONFIG],
  patch: yes,
  filter: yes,
  changePassword: yes,
  etag: { supported: false },
};

function resource({ id, userName, externalId, active }: User): object {
  const emails = [{ value: `${userName}@acme.example`, primary: true }];
  return { id, externalId, userName, active, emails, groups: [], meta: { version: `W/"${active ? 1 : 2}"` } };
}

function list(resources: readonly object[]): object {
  return { schemas: [LIST], totalResults: resources.length, startIndex: 1, Resources: resources };
}
