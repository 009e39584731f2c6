import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chaotic } from '../kit/chaos.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { Connector, NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { webhookConnector } from './connector.js';
import { INTEGRATION, startExampleTool, type ExampleTool } from './example-tool.js';
import type { WebhookSettings } from './manifest.js';
import { accountShape, REQUEST_TYPES } from './protocol.js';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const SECRET = newSecret();

function newPerson(): NewAccount {
  const username = `ada-${randomUUID()}`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  const holder = { personId: randomUUID(), ...names, email: `${username}@corp.example` };
  return { mark: randomUUID(), username, holder, password: 'first-password' };
}

function goodAt(url: string, secret = SECRET): Omit<ToolConnection<WebhookSettings>, 'call'> {
  return { settings: { url, pageSize: 3 }, secrets: { secret }, allowPrivateAddresses: true };
}

async function openAt(url: string, connector: Connector<WebhookSettings> = webhookConnector): Promise<ToolSession> {
  return connector.open({ ...goodAt(url), call: callWithin(10_000) });
}

describe('the webhook connector, against the example tool', () => {
  let tool: ExampleTool;
  let url: string;

  beforeAll(async () => {
    tool = await startExampleTool({ secret: SECRET, groups: ['engineering'] });
    tool.accounts.add({ ...INTEGRATION, mark: null, email: null, password: randomUUID() });
    url = `${tool.url}/quartermaster`;
  });
  afterAll(() => tool?.close());

  const named = (username: string) => [...tool.accounts.byId.values()].find((one) => one.username === username);

  const fixture = (): ConformanceFixture<WebhookSettings> => ({
    good: goodAt(url),
    wrongSecrets: { secret: newSecret() },
    group: { kind: 'group', name: 'engineering' },
    async signIn(username, password) {
      const response = await fetch(`${tool.url}/session`, {
        method: 'POST',
        body: JSON.stringify({ username, password }),
      });
      if (response.status !== 201) return null;
      const { token } = (await response.json()) as { token: string };
      const me = () => fetch(`${tool.url}/me`, { headers: { authorization: `Bearer ${token}` } });
      return { works: async () => (await me()).status === 200, end: async () => undefined };
    },
    async observe(username) {
      const account = named(username);
      if (!account) return null;
      return { externalId: account.id, state: account.active ? 'active' : 'suspended', groups: [...account.groups] };
    },
    async ownPrincipal() {
      return { externalId: INTEGRATION.id, username: INTEGRATION.username };
    },
    async makeTwoWithMark(mark) {
      for (const username of [`first-${mark}`, `second-${mark}`]) {
        tool.accounts.add({ username, mark, email: null, password: randomUUID() });
      }
    },
  });

  for (const check of conformanceChecks(webhookConnector, fixture)) it(check.name, check.run);

  async function withSession<T>(work: (session: ToolSession) => Promise<T>, connector = webhookConnector): Promise<T> {
    const session = await openAt(url, connector);
    return work(session).finally(() => session.close());
  }

  it('ends what one device has and keeps the person’s other one', async () => {
    const person = newPerson();
    await withSession((session) => session.createAccount?.(person) ?? Promise.reject());
    const account = named(person.username);
    if (!account) throw new Error('the account was not made');
    const signIn = (device: string) => tool.accounts.signIn({ ...person, device }) ?? '';
    const [lost, kept] = [signIn('laptop-1'), signIn('laptop-2')];
    const ref = { externalId: account.id, username: account.username };

    const revoke = () => withSession((session) => session.revokeDevice?.(ref, 'laptop-1') ?? Promise.reject());
    expect(await revoke()).toMatchObject({ outcome: 'done' });

    expect(tool.accounts.holderOf(lost)).toBeUndefined();
    expect(tool.accounts.holderOf(kept)).toBe(account);
    expect(await revoke()).toMatchObject({ outcome: 'already' });
  });

  it('makes one account when the answer to a create is lost and it is sent again', async () => {
    const person = newPerson();
    const losing = chaotic(webhookConnector, ({ capability, before }) =>
      capability === 'createAccount' && before === 0 ? { fault: 'executed-but-timed-out' } : undefined,
    );
    const create = (session: ToolSession) => session.createAccount?.(person) ?? Promise.reject();
    await expect(withSession(create, losing)).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await withSession(create, losing)).toMatchObject({ outcome: 'already' });
    expect([...tool.accounts.byId.values()].filter(({ mark }) => mark === person.mark)).toHaveLength(1);
  });
});

interface Seen {
  url: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: Record<string, unknown>;
}

describe('the webhook connector, against tools that mislead', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
  });

  type Answer = { status?: number; headers?: Record<string, string>; text: string };

  async function serve(answer: (seen: Seen) => Answer): Promise<string> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString('utf8');
      const body = JSON.parse(text) as Record<string, unknown>;
      const {
        status = 200,
        headers,
        text: out,
      } = answer({ url: request.url ?? '', headers: request.headers, text, body });
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(out);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  interface Differing {
    id?: string;
    at?: Date;
    secret?: string;
  }

  function signed(seen: Seen, content: object, { id, at = new Date(), secret = SECRET }: Differing = {}): Answer {
    const text = JSON.stringify({ version: 1, ...content });
    const answerId = id ?? `${String(seen.headers['webhook-id'])}:answer`;
    return {
      headers: {
        'webhook-id': answerId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(answerId, at, text),
      },
      text,
    };
  }

  const CHECK = { principal: { id: 'i1', username: 'integration' }, version: null, implements: ['check'] };
  const REF = { externalId: 'a1', username: 'ada' };
  const ACCOUNT = {
    id: 'a1',
    username: 'ada',
    mark: null,
    email: null,
    state: 'active',
    sessions: { seen: false, residualUntil: '2026-01-01T00:00:00Z', because: 'tokens live an hour' },
    credentials: { seen: true, live: 0 },
    credentialVersion: null,
    grants: [],
  };

  /** Answers `check` as it should, and the rest with this. */
  const besidesCheck =
    (answer: (seen: Seen) => Answer) =>
    (seen: Seen): Answer =>
      seen.body['type'] === 'check' ? signed(seen, { answer: CHECK }) : answer(seen);

  const look = async (url: string) => (await openAt(url)).getAccount(REF);
  const suspend = async (url: string) => (await openAt(url)).suspendAccount?.(REF);

  it('sends what the README says, signed over its exact bytes', async () => {
    const seen: Seen[] = [];
    const url = await serve((one) => {
      seen.push(one);
      return one.body['type'] === 'check'
        ? signed(one, { answer: CHECK })
        : signed(one, { answer: { outcome: 'done' } });
    });
    const made = callWithin(10_000);
    const session = await webhookConnector.open({ ...goodAt(url), call: made });
    const ada = { externalId: 'a1', username: '李 “ada”' };
    expect(await session.grant?.(ada, { kind: 'role', name: 'auditor' })).toMatchObject({ outcome: 'done' });
    await session.close();
    const [, sent] = seen;
    expect(sent?.url).toBe('/hook');
    expect(sent?.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': made.attemptId });
    expect(sent?.body).toEqual({
      version: 1,
      type: 'grant.give',
      attempt: made.attemptId,
      account: { id: 'a1', username: '李 “ada”' },
      grant: { kind: 'role', name: 'auditor' },
    });
    for (const { text, headers } of seen) {
      expect(() => new Webhook(SECRET).verify(text, headers as Record<string, string>)).not.toThrow();
    }
    expect(new Set(seen.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('reads an account as the README says', async () => {
    const url = await serve((seen) => signed(seen, { answer: { account: ACCOUNT } }));
    expect(await look(url)).toMatchObject({
      externalId: 'a1',
      sessions: { seen: false, residualUntil: new Date('2026-01-01T00:00:00Z') },
    });
  });

  it.each<[string, (seen: Seen) => Answer]>([
    ['isn’t signed', () => ({ text: '{"version":1,"answer":{"outcome":"done"}}' })],
    ['is signed with another secret', (seen) => signed(seen, { answer: { outcome: 'done' } }, { secret: newSecret() })],
    ['was signed for another request', (seen) => signed(seen, { answer: { outcome: 'done' } }, { id: 'req_1:answer' })],
    [
      'is ten minutes old',
      (seen) => signed(seen, { answer: { outcome: 'done' } }, { at: new Date(Date.now() - 600_000) }),
    ],
    [
      'is the request itself, sent back',
      ({ text, headers }) => ({ text, headers: { ...(headers as Record<string, string>), connection: 'close' } }),
    ],
    [
      'was changed after it was signed',
      (seen) => {
        const answer = signed(seen, { answer: { outcome: 'done' } });
        return { ...answer, text: answer.text.replace('done', 'already') };
      },
    ],
  ])('believes no answer that %s: a look stops the tool, an act is read back', async (_what, answer) => {
    const all = await serve(answer);
    await expect(look(all)).rejects.toMatchObject({ kind: 'auth-broken', message: expect.stringContaining('signed') });
    await expect(suspend(await serve(besidesCheck(answer)))).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  it.each([
    ['a field it doesn’t know', { account: { ...ACCOUNT, isAdmin: true } }, 'answer.account.isAdmin'],
    ['a field that is missing', { account: { ...ACCOUNT, state: undefined } }, 'answer.account.state'],
    ['an account without grants', { account: { ...ACCOUNT, grants: undefined } }, 'answer.account.grants'],
    ['no account and no null', {}, 'answer.account'],
    [
      'a time that is none',
      { account: { ...ACCOUNT, sessions: { ...ACCOUNT.sessions, residualUntil: 'soon' } } },
      'residualUntil',
    ],
  ])('refuses %s and says where', async (_what, answer, where) => {
    const url = await serve((seen) => signed(seen, { answer }));
    await expect(look(url)).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining(where) });
  });

  it('reads an act’s unreadable answer back: it may have been carried out', async () => {
    const url = await serve(besidesCheck((seen) => signed(seen, { answer: { outcome: 'success' } })));
    await expect(suspend(url)).rejects.toMatchObject({ kind: 'ambiguous' });
  });

  it('refuses another account than it asked for, and what only looks like the one it searched', async () => {
    const other = { ...ACCOUNT, id: 'a2' };
    const url = await serve((seen) =>
      signed(seen, { answer: seen.body['type'] === 'account.get' ? { account: other } : { accounts: [other] } }),
    );
    await expect(look(url)).rejects.toMatchObject({ kind: 'invalid' });
    const session = await openAt(url);
    expect(await session.findAccounts({ mark: 'm', username: 'bob', email: 'bob@corp.example' })).toEqual([]);
    await session.close();
  });

  it.each([
    ['transient', {}],
    ['rate-limited', { resetAt: new Date('2030-01-01T00:00:00Z') }],
    ['forbidden', { permission: 'accounts:write', remedy: 'Ask the owner of the tool.' }],
    ['not-found', {}],
    ['conflict', {}],
    ['invalid', {}],
    ['unsupported', {}],
  ])('hands on the tool’s own word that it is %s', async (kind, details) => {
    const url = await serve(
      besidesCheck((seen) => signed(seen, { error: { kind, message: 'because it is so', ...details } })),
    );
    await expect(suspend(url)).rejects.toMatchObject({ kind, message: 'The tool says: because it is so.', ...details });
  });

  it('never shows a tool’s words that hold the password', async () => {
    const url = await serve(
      besidesCheck((seen) =>
        signed(seen, { error: { kind: 'invalid', message: `${String(seen.body['password'])} is too short` } }),
      ),
    );
    const session = await openAt(url);
    const reset = session.resetCredentials?.(REF, 'hunter2-hunter2');
    await expect(reset).rejects.toMatchObject({ kind: 'invalid', message: expect.not.stringContaining('hunter2') });
    await session.close();
  });

  it.each([
    [401, 'auth-broken'],
    [403, 'invalid'],
    [404, 'invalid'],
    [409, 'invalid'],
    [410, 'invalid'],
    [501, 'invalid'],
    [302, 'invalid'],
    [429, 'rate-limited'],
    [503, 'ambiguous'],
  ])('takes an unsigned %i of somebody on the way as %s, never as news of an account', async (status, kind) => {
    const url = await serve(besidesCheck(() => ({ status, text: '{}' })));
    await expect(suspend(url)).rejects.toMatchObject({ kind });
    if (status === 503)
      await expect(look(await serve(() => ({ status, text: '{}' })))).rejects.toMatchObject({ kind: 'transient' });
  });

  it('hands on what the tool still works at, and what it wants a person to do', async () => {
    const working = await serve(
      besidesCheck((seen) => signed(seen, { answer: { outcome: 'in-progress', handle: 'job-7' } })),
    );
    expect(await suspend(working)).toMatchObject({ outcome: 'in-progress', handle: 'job-7' });
    const asking = { outcome: 'action-required', instructions: 'Take the key from their desk.' };
    const wanting = await serve(besidesCheck((seen) => signed(seen, { answer: asking })));
    expect(await suspend(wanting)).toMatchObject(asking);
  });

  it('says which requests the tool doesn’t implement, and which it may not carry out', async () => {
    const lack = { type: 'check', permission: 'admin API', remedy: 'Ask operations.' };
    const url = await serve((seen) => signed(seen, { answer: { ...CHECK, missing: [lack] } }));
    const session = await openAt(url);
    const { missing } = await session.check();
    await session.close();
    expect(missing).toContainEqual({ capability: 'check', permission: 'admin API', remedy: 'Ask operations.' });
    expect(missing).toContainEqual(
      expect.objectContaining({ capability: 'grant', permission: 'the tool implements `grant.give`' }),
    );
    expect(missing).toHaveLength(13);
  });

  it('refuses a page that is complete and not the last', async () => {
    const url = await serve((seen) => signed(seen, { answer: { accounts: [], next: 'more', complete: true } }));
    const session = await openAt(url);
    await expect(session.listAccounts?.(null)).rejects.toMatchObject({ kind: 'invalid' });
    await session.close();
  });

  it.each(['hunter2', 'whsec_c2hvcnQ=', `whsec_${'x'.repeat(200)}`, 'whsec_%%%%'])(
    'refuses the secret %s before anything is sent',
    async (secret) => {
      const opening = webhookConnector.open({
        ...goodAt('https://tool.example.com/hook', secret),
        call: callWithin(10_000),
      });
      await expect(opening).rejects.toMatchObject({
        kind: 'auth-broken',
        message: expect.not.stringContaining(secret),
      });
    },
  );

  it('keeps the secret to the host it was saved for, and reaches no private address unless it may', async () => {
    const good = { ...goodAt('http://127.0.0.1:9/hook'), call: callWithin(10_000) };
    const elsewhere = webhookConnector.open({ ...good, secretsSavedFor: 'https://tool.example.com' });
    await expect(elsewhere).rejects.toMatchObject({ kind: 'auth-broken' });
    const inside = webhookConnector.open({
      ...goodAt('https://127.0.0.1:9/hook'),
      allowPrivateAddresses: false,
      call: callWithin(10_000),
    });
    await expect(inside).rejects.toMatchObject({ kind: 'forbidden', permission: 'allowPrivateAddresses' });
    await expect(look('http://127.0.0.1:9/hook')).rejects.toMatchObject({ kind: 'transient' });
  });
});

describe('a signing secret that is being changed', () => {
  const [old, fresh] = [newSecret(), newSecret()];
  const both = `${fresh} ${old}`;
  const check = async (url: string, secret: string) => {
    const session = await webhookConnector.open({ ...goodAt(url, secret), call: callWithin(10_000) });
    return session.listAccounts?.(null);
  };
  const callBackSignedWith = (secret: string) => {
    const text = '{"version":1,"type":"operation.finished","handle":"job-7"}';
    const [id, at] = [randomUUID(), new Date()];
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, text),
    };
    return { headers, text };
  };

  it('works with the tool before and after it changed its own', async () => {
    for (const known of [old, fresh]) {
      const tool = await startExampleTool({ secret: known, groups: [] });
      try {
        const url = `${tool.url}/quartermaster`;
        expect(await check(url, both)).toMatchObject({ complete: true });
        await expect(check(url, known === old ? fresh : old)).rejects.toMatchObject({ kind: 'auth-broken' });
      } finally {
        await tool.close();
      }
    }
  });

  it('takes call-backs that are signed with either, and with no other', () => {
    for (const known of [old, fresh]) {
      expect(webhookConnector.readCallBack?.(callBackSignedWith(known), { secret: both })).toBe('job-7');
    }
    expect(() => webhookConnector.readCallBack?.(callBackSignedWith(newSecret()), { secret: both })).toThrow('signed');
    expect(() => webhookConnector.readCallBack?.(callBackSignedWith(old), { secret: fresh })).toThrow('signed');
  });

  it('is two at most, and neither is weak', async () => {
    for (const secret of [`${both} ${newSecret()}`, `${fresh} hunter2`]) {
      await expect(check('http://127.0.0.1:9/hook', secret)).rejects.toMatchObject({ kind: 'auth-broken' });
    }
  });
});

describe('the README', () => {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

  it('shows a request and an answer whose signatures are right', () => {
    const secret = /`(whsec_[^`]+)`/.exec(readme)?.[1] ?? '';
    const messages = [
      ...readme.matchAll(/webhook-id: (\S+)\nwebhook-timestamp: (\d+)\nwebhook-signature: (\S+)\n\n(.+)\n/g),
    ];
    expect(messages).toHaveLength(2);
    for (const [, id = '', seconds, signature, body = ''] of messages) {
      expect(new Webhook(secret).sign(id, new Date(Number(seconds) * 1000), body)).toBe(signature);
    }
  });

  it('shows an account that the connector reads, and describes every type of request', () => {
    const account: unknown = JSON.parse(/```json\n([\s\S]+?)```/.exec(readme)?.[1] ?? '');
    expect(accountShape.safeParse(account)).toMatchObject({ success: true });
    for (const type of Object.keys(REQUEST_TYPES)) expect(readme).toContain(`| \`${type}\` `);
  });
});
