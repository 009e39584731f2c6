import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_USER, startScimApp, type ScimApp } from '../../scripts/demo/scim-app/scim-app.js';
import {
  STRICT_SERVICE_USER,
  StrictScim,
  type StrictScimOptions,
  type StrictUser,
} from '../../test/support/tool-servers/strict-scim.js';
import { conformanceChecks, type ConformanceFixture, type LiveAccess } from '../kit/conformance.js';
import type { NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { scimConnector } from './connector.js';
import type { ScimSettings } from './manifest.js';
import { SCIM_PROFILES } from './profiles.js';

const TOKEN = 'scim-token-for-tests';

function settingsFor(baseUrl: string, differing: Partial<ScimSettings> = {}): ScimSettings {
  return {
    baseUrl,
    profile: 'generic',
    tokenLifetimeSeconds: null,
    refusesSuspendedAtOnce: true,
    pageSize: 3,
    ...differing,
  };
}

async function openAt(
  baseUrl: string,
  differing: Partial<ScimSettings> = {},
  connection: Partial<ToolConnection<ScimSettings>> = {},
): Promise<ToolSession> {
  const settings = settingsFor(baseUrl, differing);
  return scimConnector.open({
    settings,
    secrets: { token: TOKEN },
    allowPrivateAddresses: true,
    call: callWithin(10_000),
    ...connection,
  });
}

function newPerson(): NewAccount {
  const username = `ada-${randomUUID()}`;
  const email = `${username}@corp.example`;
  const holder = {
    personId: randomUUID(),
    givenName: 'Ada',
    familyName: 'Lovelace',
    displayName: 'Ada Lovelace',
    email,
  };
  return { mark: randomUUID(), username, holder, password: 'first-password' };
}

describe.each(['supported', 'none'] as const)('the SCIM connector, against a server with PATCH: %s', (patch) => {
  let app: ScimApp;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scim-spec-'));
    app = await startScimApp({ folder, port: 0, scimToken: TOKEN, groups: ['engineering'], patch });
  });
  afterAll(async () => {
    await app?.close();
    await rm(folder, { recursive: true });
  });

  const fixture = (): ConformanceFixture<ScimSettings> => ({
    good: { settings: settingsFor(`${app.url}/scim/v2`), secrets: { token: TOKEN }, allowPrivateAddresses: true },
    wrongSecrets: { token: 'not-this-one' },
    group: { kind: 'group', name: 'engineering' },
    signIn: (userName, password) => signInAt(app.url, userName, password),
    async observe(username) {
      const user = app.store.userNamed(username);
      if (!user) return null;
      const groups = app.store.groupsOf(user.id).map(({ displayName }) => displayName);
      return { externalId: user.id, state: user.attributes.active ? 'active' : 'suspended', groups };
    },
    async ownPrincipal() {
      return { externalId: app.store.userNamed(SERVICE_USER)?.id ?? '', username: SERVICE_USER };
    },
    async makeTwoWithMark(mark) {
      for (const userName of [`first-${mark}`, `second-${mark}`]) {
        await app.store.saveUser(undefined, { userName, externalId: mark, active: true });
      }
    },
  });

  for (const check of conformanceChecks(scimConnector, fixture)) it(check.name, check.run);
});

describe('the SCIM connector', () => {
  let app: ScimApp;
  let folder: string;
  let scim: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scim-spec-'));
    app = await startScimApp({ folder, port: 0, scimToken: TOKEN, groups: ['engineering'] });
    scim = `${app.url}/scim/v2`;
  });
  afterAll(async () => {
    await app?.close();
    await rm(folder, { recursive: true });
  });

  it('says until when a suspended user’s tokens may work, and never that it saw them', async () => {
    const person = newPerson();
    const session = await openAt(scim, { refusesSuspendedAtOnce: false, tokenLifetimeSeconds: 3600 });
    const created = await session.createAccount?.(person);
    const ref = { externalId: app.store.userNamed(person.username)?.id ?? '', username: person.username };
    expect(created?.outcome).toBe('done');
    expect((await session.getAccount(ref))?.sessions).toMatchObject({ seen: false, residualUntil: null });
    const before = Date.now();

    await session.suspendAccount?.(ref);

    const sessions = (await session.getAccount(ref))?.sessions;
    await session.close();
    const residual = sessions?.seen === false ? (sessions.residualUntil?.getTime() ?? 0) : 0;
    expect(residual).toBeGreaterThanOrEqual(before + 3_590_000);
    expect(residual).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });

  it('says that nobody knows when the settings don’t say how long tokens live', async () => {
    const person = newPerson();
    const session = await openAt(scim, { refusesSuspendedAtOnce: false });
    await session.createAccount?.(person);
    const [found] = await session.findAccounts({ mark: person.mark, username: '', email: '' });
    if (!found) throw new Error('the account was not made');
    await session.suspendAccount?.(found.account);
    expect((await session.getAccount(found.account))?.sessions).toMatchObject({ seen: false, residualUntil: null });
    await session.close();
  });

  it('never takes a wrong base URL for an account that is gone', async () => {
    const session = await openAt(`${app.url}/other/v2`);
    await expect(session.getAccount({ externalId: randomUUID(), username: 'ada' })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('isn’t the API'),
    });
    await session.close();
  });

  it('refuses roles and licences, which SCIM groups are not', async () => {
    const person = newPerson();
    const session = await openAt(scim);
    await session.createAccount?.(person);
    const [found] = await session.findAccounts({ mark: person.mark, username: '', email: '' });
    if (!found) throw new Error('the account was not made');
    const licence = { kind: 'licence', name: 'pro' } as const;
    await expect(session.grant?.(found.account, licence)).rejects.toMatchObject({ kind: 'unsupported' });
    await session.close();
  });

  it('does not send the token to another host than the one it was saved for', async () => {
    const opening = openAt(scim, {}, { secretsSavedFor: 'https://app.example.com' });
    await expect(opening).rejects.toMatchObject({ kind: 'auth-broken' });
  });

  it('refuses to remove an account where DELETE only deactivates', async () => {
    const session = await openAt(scim, { profile: 'slack' });
    await expect(session.removeAccount?.({ externalId: '1', username: 'ada' })).rejects.toMatchObject({
      kind: 'unsupported',
    });
    await session.close();
  });

  it('sends no password to a server whose people sign in elsewhere', async () => {
    const person = newPerson();
    const session = await openAt(scim, { profile: 'github' });
    await session.createAccount?.(person);
    await session.close();
    expect(app.store.userNamed(person.username)?.password).toBeNull();
  });
});

describe.each([
  { patch: true, paging: 'index' },
  { patch: true, paging: 'cursor' },
  { patch: false, paging: 'cursor' },
] as const)('the SCIM connector, against a strict server ($paging, PATCH: $patch)', (mode) => {
  let server: StrictScim;

  beforeAll(async () => {
    server = await StrictScim.start({ ...mode, token: TOKEN, groups: ['design', 'engineering', 'sales'] });
  });
  afterAll(() => server?.stop());

  const fixture = (): ConformanceFixture<ScimSettings> => ({
    good: { settings: settingsFor(`${server.url}/scim/v2`), secrets: { token: TOKEN }, allowPrivateAddresses: true },
    wrongSecrets: { token: 'not-this-one' },
    group: { kind: 'group', name: 'engineering' },
    signIn: (userName, password) => signInAt(server.url, userName, password),
    async observe(username) {
      const user = server.userNamed(username);
      if (!user) return null;
      const groups = [...server.groups.values()].filter(({ memberIds }) => memberIds.has(user.id));
      return {
        externalId: user.id,
        state: user.attributes.active ? 'active' : 'suspended',
        groups: groups.map(({ displayName }) => displayName),
      };
    },
    async ownPrincipal() {
      return { externalId: server.userNamed(STRICT_SERVICE_USER)?.id ?? '', username: STRICT_SERVICE_USER };
    },
    async makeTwoWithMark(mark) {
      for (const userName of [`first-${mark}`, `second-${mark}`]) server.addUser({ userName, externalId: mark });
    },
  });

  for (const check of conformanceChecks(scimConnector, fixture)) it(check.name, check.run);

  it('names the version of what it changes, every time', () => {
    const changes = server.seen.filter((line) => /^(PUT|PATCH|DELETE) /.test(line));
    expect(changes.length).toBeGreaterThan(5);
    // Where there is no PATCH, none is tried.
    const methods = new Set(changes.map((line) => line.split(' ')[0]));
    expect(methods).toEqual(new Set([mode.patch ? 'PATCH' : 'PUT', 'DELETE']));
    expect(changes.filter((line) => !line.endsWith(' If-Match'))).toEqual([]);
  });
});

describe('the SCIM connector, against a strict server that is difficult', () => {
  const servers: StrictScim[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  async function start(options: Partial<StrictScimOptions> = {}): Promise<StrictScim> {
    const server = await StrictScim.start({ token: TOKEN, groups: ['engineering'], ...options });
    servers.push(server);
    return server;
  }

  const open = (server: StrictScim, differing: Partial<ScimSettings> = {}) =>
    openAt(`${server.url}/scim/v2`, differing);
  const ada = { mark: 'qm:ada', username: 'ada', email: 'ada@corp.example' };
  const refOf = ({ id, attributes }: StrictUser) => ({ externalId: id, username: attributes.userName });

  it('looks again and changes the newest when somebody else changed it in between', async () => {
    const server = await start();
    const user = server.addUser({ userName: 'ada' });
    const session = await open(server);
    const patches = () => server.seen.filter((line) => line.startsWith('PATCH')).length;
    server.interferences = 2;
    const engineering = { kind: 'group', name: 'engineering' } as const;
    expect(await session.grant?.(refOf(user), engineering)).toMatchObject({ outcome: 'done' });
    expect(patches()).toBe(3);

    server.interferences = Infinity;
    await expect(session.suspendAccount?.(refOf(user))).rejects.toMatchObject({ kind: 'conflict' });
    await session.close();
    expect(user.attributes.active).toBe(true);
    expect(patches()).toBe(7);
  });

  it.each([
    ['120', 119_000],
    [null, null],
  ])('waits as long as the server says (Retry-After: %s)', async (retryAfter, atLeast) => {
    const server = await start();
    const session = await open(server);
    server.throttle(1, retryAfter);
    const before = Date.now();
    const error: unknown = await session.findAccounts(ada).catch((thrown: unknown) => thrown);
    await session.close();
    expect(error).toMatchObject({ kind: 'rate-limited' });
    const { resetAt } = error as { resetAt?: Date };
    if (atLeast === null) expect(resetAt).toBeUndefined();
    else expect((resetAt?.getTime() ?? 0) - before).toBeGreaterThan(atLeast);
  });

  it('finds everybody by address though the server can’t filter for it, and for nothing at all', async () => {
    for (const filters of [['userName'], []]) {
      const server = await start({ filters });
      for (const userName of ['bob', 'eve', 'mallory']) server.addUser({ userName });
      const emails = [{ value: ada.email, primary: true }];
      const user = server.addUser({ userName: 'ada.l', emails });
      const session = await open(server);
      expect(await session.findAccounts(ada)).toMatchObject([{ matchedBy: 'email', account: { externalId: user.id } }]);
      await session.close();
    }
  });

  it('calls a listing whose cursor ran out something to begin again, and never complete', async () => {
    const server = await start({ paging: 'cursor' });
    for (const userName of ['ada', 'bob', 'eve']) server.addUser({ userName });
    const session = await open(server);
    const first = await session.listAccounts?.(null);
    expect(first).toMatchObject({ complete: false, accounts: { length: 2 } });
    server.forgetCursors();
    await expect(session.listAccounts?.(first?.next ?? null)).rejects.toMatchObject({ kind: 'transient' });
    await session.close();
  });

  it('goes by cursor and asks for no more than the vendor’s pages hold, where a profile says so', async () => {
    const server = await start({ paging: 'cursor' });
    for (const userName of ['ada', 'bob', 'eve']) server.addUser({ userName });
    const session = await open(server, { profile: 'awsIdentityCenter', pageSize: 1000 });
    const first = await session.listAccounts?.(null);
    const second = await session.listAccounts?.(first?.next ?? null);
    expect([first?.complete, second?.complete]).toEqual([false, true]);
    await session.close();
  });

  it('takes a user that is hidden for good as removed, and its name as taken', async () => {
    const server = await start({ softDelete: true });
    const person = newPerson();
    const session = await open(server);
    await session.createAccount?.(person);
    const user = server.userNamed(person.username);
    if (!user) throw new Error('the account was not made');
    expect(await session.removeAccount?.(refOf(user))).toMatchObject({ outcome: 'done' });
    expect(await session.getAccount(refOf(user))).toBeNull();
    expect(await session.removeAccount?.(refOf(user))).toMatchObject({ outcome: 'already' });
    await expect(session.createAccount?.({ ...person, mark: randomUUID() })).rejects.toMatchObject({
      kind: 'conflict',
    });
    await session.close();
  });

  it('leaves groups to people where a vendor has none, says so, and shows none', async () => {
    const server = await start();
    const user = server.addUser({ userName: 'ada' });
    const session = await open(server, { profile: 'github' });
    const { missing } = await session.check();
    expect(missing.map(({ capability }) => capability)).toEqual(['grant', 'withdraw', 'resetCredentials']);
    const group = { kind: 'group', name: 'engineering' } as const;
    await expect(session.grant?.(refOf(user), group)).rejects.toMatchObject({ kind: 'unsupported' });
    expect(await session.getAccount(refOf(user))).not.toHaveProperty('grants');
    expect(server.seen.filter((line) => line.includes('/Groups'))).toEqual([]);
    await session.close();
  });

  it.each(['slack', 'zoom'] as const)('removes nothing by %s’s DELETE, which doesn’t remove', async (profile) => {
    const server = await start();
    const user = server.addUser({ userName: 'ada' });
    const session = await open(server, { profile });
    await expect(session.removeAccount?.(refOf(user))).rejects.toMatchObject({ kind: 'unsupported' });
    await session.close();
    expect(server.seen.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });
});

it.each(Object.entries(SCIM_PROFILES))('the profile %s names its source', (_name, { title, source }) => {
  expect(title).not.toBe('');
  expect(source).toMatch(/^(RFC \d|[\w.-]+\.\w+\/)/);
});

describe('the SCIM connector, against servers that mislead', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.closeAllConnections();
    for (const server of servers) server.close();
  });

  const user = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id: 'u1',
    userName: 'somebody',
    active: true,
  };
  const config = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'] };

  /** Answers each path's JSON; 404 for the rest. */
  async function serverWith(answers: (path: string) => unknown): Promise<string> {
    const server = createServer((request, response) => {
      const body = answers(request.url ?? '');
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/scim+json' });
      response.end(JSON.stringify(body ?? { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404' }));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function list(resources: readonly unknown[], totalResults: number) {
    return { schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults, Resources: resources };
  }

  it('finds nobody when the server ignores the filter and shows everybody', async () => {
    const url = await serverWith((path) => {
      if (path.startsWith('/ServiceProviderConfig')) return { ...config, filter: { supported: true } };
      return path.startsWith('/Users') ? list([user], 1) : undefined;
    });
    const session = await openAt(url);
    expect(await session.findAccounts({ mark: 'm', username: 'ada', email: 'ada@corp.example' })).toEqual([]);
    await session.close();
  });

  it('never calls a listing complete whose pages don’t add up', async () => {
    const url = await serverWith((path) => {
      if (path.startsWith('/ServiceProviderConfig')) return config;
      return path.includes('startIndex=1&') ? list([user], 7) : list([], 7);
    });
    const session = await openAt(url);
    const first = await session.listAccounts?.(null);
    expect(first).toMatchObject({ complete: false });
    expect(await session.listAccounts?.(first?.next ?? null)).toMatchObject({ complete: false, next: null });
    await session.close();
  });

  it('never calls a listing complete that changed its size on the way', async () => {
    const url = await serverWith((path) => {
      if (path.startsWith('/ServiceProviderConfig')) return config;
      return path.includes('startIndex=1&')
        ? list([user], 2)
        : list(
            [
              { ...user, id: 'u3' },
              { ...user, id: 'u4' },
            ],
            3,
          );
    });
    const session = await openAt(url);
    const first = await session.listAccounts?.(null);
    expect(first?.next).not.toBeNull();
    expect(await session.listAccounts?.(first?.next ?? null)).toMatchObject({ complete: false, next: null });
    await session.close();
  });

  it.each(['generic', 'github'] as const)(
    'never takes another API’s 404 for an account that is gone (%s)',
    async (profile) => {
      const session = await openAt(await serverWith(() => undefined), { profile });
      const ref = { externalId: 'u1', username: 'ada' };
      await expect(session.getAccount(ref)).rejects.toMatchObject({ kind: 'invalid' });
      await expect(session.removeAccount?.(ref)).rejects.toMatchObject({ kind: 'invalid' });
      await session.close();
    },
  );

  it('doesn’t believe a server that answers with another user', async () => {
    const url = await serverWith((path) => (path.startsWith('/Users/') ? user : undefined));
    const session = await openAt(url);
    await expect(session.getAccount({ externalId: 'u2', username: 'ada' })).rejects.toMatchObject({ kind: 'invalid' });
    await session.close();
  });
});

function postJson(url: string, body: unknown): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

async function signInAt(url: string, userName: string, password: string): Promise<LiveAccess | null> {
  const response = await postJson(`${url}/session`, { userName, password });
  if (response.status !== 201) return null;
  const { token } = (await response.json()) as { token: string };
  const me = () => fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } });
  return { works: async () => (await me()).status === 200, end: async () => undefined };
}
