import { randomBytes, randomUUID } from 'node:crypto';
import {
  createServer as createHttpServer,
  request as requestHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectAmqp, type Channel, type ChannelModel } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRabbitmq, startRabbitmq, type RabbitmqServer } from '../../test/support/tool-servers/rabbitmq.js';
import { chaotic } from '../kit/chaos.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { selfSignedFor } from '../kit/self-signed-certificate.js';
import { rabbitmqConnector } from './connector.js';
import type { RabbitmqRole, RabbitmqSettings } from './manifest.js';
import { saltedHash } from './password-hash.js';
import type { RabbitUser } from './resources.js';
import { permissionFor } from './user-tags.js';

const ADMIN = 'quartermaster';
const PASSWORD = 'only-in-tests';

const READER: RabbitmqRole = {
  name: 'orders-reader',
  vhost: 'shop',
  configure: '',
  write: '',
  read: '^orders\\.',
  tags: [],
};
const WRITER: RabbitmqRole = {
  ...READER,
  name: 'orders-writer',
  configure: '^orders\\.',
  write: '.*',
  read: '^audit$',
};
const WATCHER: RabbitmqRole = { ...READER, name: 'watcher', vhost: '/', read: '', tags: ['monitoring'] };

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
  const email = `${username}@corp.example`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  return { mark: randomUUID(), username, holder: { personId: randomUUID(), ...names, email }, password: 'first-pass' };
}

describe.skipIf(!hasRabbitmq())('the RabbitMQ connector', () => {
  let server: RabbitmqServer;
  let settings: RabbitmqSettings;
  const others: Server[] = [];

  beforeAll(async () => {
    server = await startRabbitmq();
    await api('PUT', '/users/quartermaster', { password: PASSWORD, tags: 'administrator' });
    await api('PUT', '/vhosts/shop');
    settings = {
      baseUrl: server.managementUrl,
      user: ADMIN,
      homeVhost: '/',
      internalPasswordsOnly: true,
      roles: [READER, WRITER, WATCHER],
    };
  });
  afterAll(async () => {
    for (const other of others) {
      other.closeAllConnections();
      other.close();
    }
    await server?.stop();
  });

  const good = () => ({ settings, secrets: { password: PASSWORD }, allowPrivateAddresses: true });

  /** As the broker's own administrator, around the connector. */
  async function api(method: string, path: string, body?: unknown, as = server.administrator): Promise<Response> {
    return fetch(`${server.managementUrl}/api${path}`, {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(`${as.user}:${as.password}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  async function userAt(name: string): Promise<RabbitUser | null> {
    const answer = await api('GET', `/users/${encodeURIComponent(name)}`);
    return answer.status === 404 ? null : ((await answer.json()) as RabbitUser);
  }

  async function signIn(user: string, password: string, vhost = '/'): Promise<ChannelModel> {
    const connection = await connectAmqp({
      protocol: 'amqp',
      hostname: '127.0.0.1',
      port: server.amqpPort,
      username: user,
      password,
      vhost,
    });
    connection.on('error', () => undefined);
    return connection;
  }

  async function channelOf(connection: ChannelModel): Promise<Channel> {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    return channel;
  }

  const isAlive = async (connection: ChannelModel) => {
    try {
      await (await connection.createChannel()).close();
      return true;
    } catch {
      return false;
    }
  };

  async function open(differing: Partial<ToolConnection<RabbitmqSettings>> = {}): Promise<ToolSession> {
    return rabbitmqConnector.open({ ...good(), call: callWithin(15_000), ...differing });
  }

  async function withSession<T>(
    work: (session: ToolSession) => Promise<T> | undefined,
    differing: Partial<ToolConnection<RabbitmqSettings>> = {},
  ): Promise<T> {
    const session = await open(differing);
    try {
      const working = work(session);
      if (!working) throw new Error('the session has no such method');
      return await working;
    } finally {
      await session.close();
    }
  }

  async function create(person: NewAccount) {
    const result = await withSession((session) => session.createAccount?.(person));
    if (result.outcome !== 'done') throw new Error(`create answered ${result.outcome}`);
    return result.value;
  }

  type Passing = (request: { method: string; path: string; body: string }) => Promise<Fault> | Fault;
  /** A status is answered instead of passing the request on; `no-answer` passes it on and breaks the line. */
  type Fault = number | 'no-answer' | undefined;

  /** Passes requests on to the broker, after `passing` has seen them. */
  async function proxyWith(passing: Passing, tls?: { key: Buffer; cert: Buffer }): Promise<string> {
    const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const { method = '', url = '', headers } = incoming;
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const fault = await passing({ method, path: url, body: body.toString() });
      if (typeof fault === 'number') return void outgoing.writeHead(fault).end();
      const upstream = requestHttp(new URL(url, server.managementUrl), { method, headers }, (answer) => {
        if (fault === 'no-answer') return void incoming.socket.destroy();
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      upstream.end(body);
    };
    const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void handle(incoming, outgoing);
    const proxy = tls ? createHttpsServer(tls, listener) : createHttpServer(listener);
    others.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    return `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${(proxy.address() as AddressInfo).port}`;
  }

  const fixture = (): ConformanceFixture<RabbitmqSettings> => ({
    good: good(),
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'role', name: READER.name },
    async signIn(user, password) {
      const connection = await signIn(user, password).catch(() => null);
      return connection && { works: () => isAlive(connection), end: () => connection.close().catch(() => undefined) };
    },
    async observe(username) {
      const user = await userAt(username);
      if (!user) return null;
      const isSuspended = user.password_hash === '' && user.limits['max-connections'] === 0;
      const rows = await api('GET', `/users/${encodeURIComponent(username)}/permissions`);
      const held = ((await rows.json()) as { vhost: string; read: string }[]).filter(
        ({ vhost, read }) => vhost === READER.vhost && read === READER.read,
      );
      return { externalId: username, state: isSuspended ? 'suspended' : 'active', groups: held.map(() => READER.name) };
    },
    ownPrincipal: async () => ({ externalId: ADMIN, username: ADMIN }),
    async makeTwoWithMark(mark) {
      for (const name of [`first-${mark}`, `second-${mark}`]) {
        await api('PUT', `/users/${encodeURIComponent(name)}`, { password: 'x', tags: `quartermaster:mark:${mark}` });
      }
    },
  });

  for (const check of conformanceChecks(rabbitmqConnector, fixture)) it(check.name, check.run);

  it('counts every live connection and closes it, one that consumes among them', async () => {
    const person = newPerson();
    const ref = await create(person);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: WRITER.name }));
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
    const idle = await signIn(person.username, person.password);
    const consuming = await signIn(person.username, person.password, 'shop');
    const channel = await channelOf(consuming);
    await channel.assertQueue('orders.new');
    await channel.consume('orders.new', () => undefined);
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.sessions).toMatchObject({ seen: true, live: 2, ids: { length: 2 } });

    const result = await withSession((session) => session.suspendAccount?.(ref));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['2 live connections closed'] });
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
      state: 'suspended',
      sessions: { seen: true, live: 0 },
    });
    for (const connection of [idle, consuming]) expect(await isAlive(connection)).toBe(false);
  });

  it('leaves no connection of somebody who keeps signing in while they are suspended', async () => {
    const person = newPerson();
    const ref = await create(person);
    const opened: ChannelModel[] = [];
    const keepSigningIn = async () => {
      for (;;) {
        const connection = await signIn(person.username, person.password).catch(() => null);
        if (!connection) return;
        opened.push(connection);
      }
    };
    const trying = Promise.all([keepSigningIn(), keepSigningIn(), keepSigningIn()]);
    await expect.poll(() => opened.length, { timeout: 5_000 }).toBeGreaterThan(3);

    await withSession((session) => session.suspendAccount?.(ref));
    await trying;

    expect((await withSession((session) => session.getAccount(ref)))?.sessions).toMatchObject({ live: 0 });
    for (const connection of opened) expect(await isAlive(connection)).toBe(false);
  });

  it('keeps a suspended person from the management pages too, and lets them back afterwards', async () => {
    const person = newPerson();
    const ref = await create(person);
    const pages = async (password = person.password) =>
      (await api('GET', '/nodes', undefined, { user: person.username, password })).status;
    expect(await pages()).toBe(401);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: WATCHER.name }));
    expect(await pages()).toBe(200);

    await withSession((session) => session.suspendAccount?.(ref));
    expect(await pages()).toBe(401);
    expect((await userAt(person.username))?.tags).not.toContain('monitoring');

    await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
    expect(await pages('second-password')).toBe(401);
    await withSession((session) => session.restoreAccount?.(ref));
    expect(await pages('second-password')).toBe(200);
    expect(await pages()).toBe(401);
  });

  it('sends no password, and puts the old one’s hash back when a person is restored without a reset', async () => {
    const sent: string[] = [];
    const baseUrl = await proxyWith(({ body }) => void sent.push(body));
    const differing = { settings: { ...settings, baseUrl } };
    const person = newPerson();
    await withSession((session) => session.createAccount?.(person), differing);
    const ref = { externalId: person.username, username: person.username };
    const before = await userAt(person.username);
    await withSession((session) => session.suspendAccount?.(ref), differing);
    expect((await userAt(person.username))?.password_hash).toBe('');
    await withSession((session) => session.restoreAccount?.(ref), differing);
    expect(await userAt(person.username)).toEqual(before);
    await (await signIn(person.username, person.password)).close();
    expect(sent.join()).toContain('password_hash');
    expect(sent.join()).not.toContain(person.password);
  });

  it('closes the connections of somebody whose role is withdrawn, since they keep it otherwise', async () => {
    const person = newPerson();
    const ref = await create(person);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: WRITER.name }));
    const live = await signIn(person.username, person.password, 'shop');
    const channel = await channelOf(live);
    await channel.assertQueue('orders.written');

    const result = await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: WRITER.name }));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['1 live connection closed'] });
    expect(await isAlive(live)).toBe(false);
    await expect(signIn(person.username, person.password, 'shop')).rejects.toThrow();
    await (await signIn(person.username, person.password)).close();
  });

  it('puts two roles of one vhost side by side, and takes either away alone', async () => {
    const person = newPerson();
    const ref = await create(person);
    const rights = async () => {
      const answer = await api('GET', `/permissions/shop/${person.username}`);
      return answer.status === 404 ? null : ((await answer.json()) as Record<string, string>);
    };
    const grants = async () =>
      (await withSession((session) => session.getAccount(ref)))?.grants?.map(({ name }) => name);
    expect(await rights()).toBeNull();
    for (const { name } of [READER, WRITER])
      await withSession((session) => session.grant?.(ref, { kind: 'role', name }));
    expect(await rights()).toMatchObject({ configure: '^orders\\.', write: '.*', read: '(^orders\\.)|(^audit$)' });
    expect(await grants()).toEqual([READER.name, WRITER.name]);

    await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: WRITER.name }));

    expect(await rights()).toMatchObject({ configure: '', write: '', read: '^orders\\.' });
    expect(await grants()).toEqual([READER.name]);
    const reading = await signIn(person.username, person.password, 'shop');
    await expect((await channelOf(reading)).assertQueue('orders.new')).rejects.toThrow('ACCESS_REFUSED');
    await reading.close();
  });

  it('shows and takes back rights that an interrupted grant left, and mends ones that somebody widened', async () => {
    const person = newPerson();
    const ref = await create(person);
    await api('PUT', `/permissions/shop/${person.username}`, permissionFor('shop', [READER]));
    const look = async () => (await withSession((session) => session.getAccount(ref)))?.grants;
    expect(await look()).toEqual([{ kind: 'role', name: READER.name }]);
    const withdrawn = await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: READER.name }));
    expect(withdrawn).toMatchObject({ outcome: 'done' });
    expect(await look()).toEqual([]);

    const grant = () => withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
    expect(await grant()).toMatchObject({ outcome: 'done' });
    await api('PUT', `/permissions/shop/${person.username}`, { configure: '.*', write: '.*', read: '.*' });
    expect(await grant()).toMatchObject({ outcome: 'done' });
    expect(await grant()).toMatchObject({ outcome: 'already' });
  });

  it.each([`o'brien"; x`, '\\back%I$$ %s', '李小龍 🦊', 'a/b?c#d', 'somebody@corp.example', '%2F', '*', '...'])(
    'makes, changes and removes a user who is called %s',
    async (name) => {
      const username = `${name} ${randomBytes(3).toString('hex')}`;
      const ref = await create(newPerson(username));
      expect(ref.username).toBe(username);
      await withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
      await withSession((session) => session.suspendAccount?.(ref));
      await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
      expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ username, state: 'suspended' });
      await withSession((session) => session.removeAccount?.(ref));
      expect(await userAt(username)).toBeNull();
    },
  );

  it.each(['', ' ', '.', '..', 'a\nb', ' a', 'n'.repeat(256)])(
    'refuses the name %j and makes nothing',
    async (name) => {
      const users = async () => ((await (await api('GET', '/users')).json()) as unknown[]).length;
      const before = await users();
      await expect(create(newPerson(name))).rejects.toMatchObject({ kind: 'invalid' });
      expect(await users()).toBe(before);
    },
  );

  it('writes the same password in every attempt of one create, so that it doesn’t matter which comes last', async () => {
    for (let round = 0; round < 10; round += 1) {
      const person = newPerson();
      const attempts = await Promise.allSettled(
        [1, 2, 3].map(() => withSession((session) => session.createAccount?.(person))),
      );
      const found = await withSession((session) => session.getAccount({ externalId: person.username, username: '' }));
      expect(found).toMatchObject({ mark: person.mark, state: 'active' });
      for (const attempt of attempts) {
        if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ kind: 'conflict' });
        else expect(attempt.value).toMatchObject({ value: { credentialVersion: found?.credentialVersion } });
      }
      await (await signIn(person.username, person.password)).close();
    }
  });

  it('leaves a user alone that doesn’t carry the mark, and its own even when it does', async () => {
    await api('PUT', '/users/stranger', { password: 'x', tags: 'their-own' });
    const [found] = await withSession((session) =>
      session.findAccounts({ mark: 'm', username: 'stranger', email: '' }),
    );
    if (!found) throw new Error('the user was not found');
    expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null, state: 'active' } });
    const before = await userAt('stranger');
    for (const act of ['suspendAccount', 'removeAccount', 'revokeAccess'] as const) {
      const acting = withSession((session) => session[act]?.(found.account));
      await expect(acting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('mark') });
    }
    expect(await userAt('stranger')).toEqual(before);
    await api('PUT', '/users/quartermaster', { password: PASSWORD, tags: 'administrator,quartermaster:mark:m' });
    const own = await fixture().ownPrincipal();
    const suspending = withSession((session) => session.suspendAccount?.(own));
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden', message: expect.stringContaining('itself') });
    await api('PUT', '/users/quartermaster', { password: PASSWORD, tags: 'administrator' });
  });

  it('shows a password that somebody set by hand on a suspended user, and suspends it again', async () => {
    const person = newPerson();
    const ref = await create(person);
    await withSession((session) => session.suspendAccount?.(ref));
    const user = await userAt(person.username);
    await api('PUT', `/users/${person.username}`, { password: 'by-hand-1', tags: user?.tags });
    const opened = await withSession((session) => session.getAccount(ref));
    expect(opened).toMatchObject({ state: 'active' });
    expect(opened?.credentialVersion).not.toBe(ref.credentialVersion);
    expect(await withSession((session) => session.suspendAccount?.(ref))).toMatchObject({ outcome: 'done' });
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'suspended' });
  });

  it('doesn’t bring a user back that was removed while it was changed', async () => {
    const person = newPerson();
    const ref = await create(person);
    const baseUrl = await proxyWith(async ({ method, path }) => {
      if (method === 'PUT' && path.startsWith('/api/users/')) await api('DELETE', `/users/${person.username}`);
      return undefined;
    });
    for (const act of [
      (session: ToolSession) => session.resetCredentials?.(ref, 'second-password'),
      (session: ToolSession) => session.grant?.(ref, { kind: 'role', name: READER.name }),
    ]) {
      expect(await userAt(person.username)).not.toBeNull();
      const acting: Promise<unknown> = withSession<unknown>(act, { settings: { ...settings, baseUrl } });
      await expect(acting).rejects.toMatchObject({ kind: 'not-found' });
      expect(await userAt(person.username)).toBeNull();
      await create(person);
    }
  });

  it('finds its user again after a create whose answer was lost on the way', async () => {
    const person = newPerson();
    let lost = 0;
    const baseUrl = await proxyWith(({ method, path }) =>
      method === 'PUT' && path.startsWith('/api/users/') && lost++ === 0 ? 'no-answer' : undefined,
    );
    const session = await open({ settings: { ...settings, baseUrl } });
    await expect(session.createAccount?.(person)).rejects.toMatchObject({ kind: 'ambiguous' });
    await expect(signIn(person.username, person.password)).rejects.toThrow();
    expect(await session.createAccount?.(person)).toMatchObject({ outcome: 'already' });
    await (await signIn(person.username, person.password)).close();
    await session.close();
  });

  it('finishes a suspension whose answer was lost', async () => {
    const person = newPerson();
    const ref = await create(person);
    const losing = chaotic(rabbitmqConnector, ({ capability, before }) =>
      capability === 'suspendAccount' && before === 0 ? { fault: 'executed-but-timed-out' } : undefined,
    );
    const session = await losing.open({ ...good(), call: callWithin(15_000) });
    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await session.suspendAccount?.(ref)).toMatchObject({ outcome: 'already' });
    await session.close();
  });

  it('says what a broker that is down or busy asks of us, and changes nothing', async () => {
    const person = newPerson();
    const ref = await create(person);
    for (const [status, kind] of [
      [503, 'transient'],
      [429, 'rate-limited'],
    ] as const) {
      const baseUrl = await proxyWith(({ method }) => (method === 'PUT' ? status : undefined));
      const suspending = withSession((session) => session.suspendAccount?.(ref), {
        settings: { ...settings, baseUrl },
      });
      await expect(suspending).rejects.toMatchObject({ kind });
    }
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active' });
  });

  it('names the tag that is missing, and how to give it', async () => {
    await api('PUT', '/users/poor', { password: PASSWORD, tags: 'management' });
    const session = await open({ settings: { ...settings, user: 'poor' } });
    const report = await session.check();
    expect(report.principal).toBe('poor');
    expect(report.missing).toContainEqual({
      capability: 'suspendAccount',
      permission: 'the tag administrator',
      remedy: 'rabbitmqctl set_user_tags poor administrator',
    });
    await expect(session.createAccount?.(newPerson())).rejects.toMatchObject({
      kind: 'forbidden',
      permission: 'the tag administrator',
    });
    await session.close();
  });

  it('names a vhost that isn’t there, in the check and when its role is given', async () => {
    const differing = { settings: { ...settings, roles: [{ ...READER, vhost: 'no such "vhost"' }] } };
    const report = await withSession((session) => session.check(), differing);
    expect(report.missing).toMatchObject([{ capability: 'grant', permission: 'a vhost “no such "vhost"”' }]);
    const ref = await create(newPerson());
    const granting = withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }), differing);
    await expect(granting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('vhost') });
  });

  it('can’t say that other ways in are closed where the settings allow for them', async () => {
    const ref = await create(newPerson());
    const differing = { settings: { ...settings, internalPasswordsOnly: false } };
    const look = () => withSession((session) => session.getAccount(ref), differing);
    expect((await look())?.credentials).toMatchObject({ seen: false, residualUntil: null });
    await withSession((session) => session.suspendAccount?.(ref));
    expect((await look())?.credentials).toMatchObject({ seen: false, because: expect.stringContaining('HTTP') });
  });

  it('proves the server over TLS, by the name in the settings', async () => {
    const certificate = selfSignedFor('localhost');
    const baseUrl = await proxyWith(() => undefined, certificate);
    const certificateAuthority = certificate.cert.toString();
    for (const wrong of [{ baseUrl }, { baseUrl: baseUrl.replace('localhost', '127.0.0.1'), certificateAuthority }]) {
      await expect(open({ settings: { ...settings, ...wrong } })).rejects.toMatchObject({
        kind: 'auth-broken',
        message: expect.stringContaining('could not be proved over TLS'),
      });
    }
    const report = await withSession((session) => session.check(), {
      settings: { ...settings, baseUrl, certificateAuthority },
    });
    expect(report).toMatchObject({ principal: ADMIN, missing: [] });
  });

  describe('given settings that are wrong', () => {
    it.each([
      ['a port where nothing listens', { baseUrl: 'http://127.0.0.1:1' }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { baseUrl: 'https://rabbit.invalid' }, 'transient', /could not be resolved/],
      ['a user that isn’t there', { user: 'nobody-here' }, 'auth-broken', /not accepted/],
      ['something else than a URL', { baseUrl: 'rabbit' }, 'invalid', /baseUrl/],
      ['a role twice', { roles: [READER, READER] }, 'invalid', /twice/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = open({ settings: { ...settings, ...differing } as RabbitmqSettings });
      await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    });

    it('never takes another web server, or a path beside the API, for a user who is gone', async () => {
      const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
      others.push(website);
      await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
      const elsewhere = `http://127.0.0.1:${(website.address() as AddressInfo).port}`;
      for (const baseUrl of [elsewhere, `${server.managementUrl}/api`, `http://127.0.0.1:${server.amqpPort}`]) {
        await expect(open({ settings: { ...settings, baseUrl } })).rejects.toMatchObject({
          kind: expect.stringMatching(/invalid|not-found|transient/),
        });
      }
    });

    it('refuses private addresses, and a password in the clear, unless the tool allows private ones', async () => {
      const inClear = open({ allowPrivateAddresses: false });
      await expect(inClear).rejects.toMatchObject({ kind: 'invalid' });
      const secure = { ...settings, baseUrl: settings.baseUrl.replace('http:', 'https:') };
      await expect(open({ allowPrivateAddresses: false, settings: secure })).rejects.toMatchObject({
        kind: 'forbidden',
        permission: 'allowPrivateAddresses',
      });
    });
  });
});

it('makes the hash that RabbitMQ’s documentation shows', () => {
  const documented = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';
  expect(saltedHash('test12', Buffer.from('908DC60A', 'hex'))).toBe(documented);
});
