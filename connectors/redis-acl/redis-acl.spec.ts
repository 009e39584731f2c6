import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { connect as openSocket, createServer, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis } from '../../test/support/redis.js';
import { startRedisWithAcl, type RedisAclServer } from '../../test/support/tool-servers/redis-acl.js';
import { chaotic } from '../kit/chaos.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { AccountRef, NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { selfSignedFor } from '../kit/self-signed-certificate.js';
import { markSelector, readAclUser, rolesOf } from './acl-user.js';
import { redisAclConnector } from './connector.js';
import type { RedisAclSettings } from './manifest.js';

const ADMIN = 'quartermaster';
const PASSWORD = 'only-in-tests';

/** What README.md tells an administrator to give. */
const LEAST = [
  '+acl|whoami +acl|dryrun +acl|users +acl|getuser +acl|setuser +acl|deluser +acl|save',
  '+client|list +client|kill +info +multi +exec',
].join(' ');

const READER = { name: 'orders-reader', access: 'read', keys: ['orders:*'], channels: [] } as const;
const WRITER = { name: 'orders-writer', access: 'read-write', keys: ['orders:*'], channels: ['orders.*'] } as const;

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
  const email = `${username}@corp.example`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  return { mark: randomUUID(), username, holder: { personId: randomUUID(), ...names, email }, password: 'first-pass' };
}

function settingsFor(server: Pick<RedisAclServer, 'host' | 'port'>): RedisAclSettings {
  return {
    host: server.host,
    port: server.port,
    user: ADMIN,
    sslmode: 'disable',
    persistence: 'acl-file',
    everyNodeIsATool: false,
    roles: [
      { ...READER, keys: [...READER.keys], channels: [] },
      { ...WRITER, keys: [...WRITER.keys], channels: [...WRITER.channels] },
    ],
  };
}

async function makeAdministrator(root: Redis, rules = LEAST, name = ADMIN): Promise<void> {
  await root.call('ACL', 'SETUSER', name, 'reset', 'on', `>${PASSWORD}`, '-@all', ...rules.split(' '));
}

async function userAt(root: Redis, name: string) {
  const reply = await root.call('ACL', 'GETUSER', name);
  return reply === null ? null : readAclUser(name, reply);
}

describe.skipIf(!hasRedis())('the Redis ACL connector', () => {
  let server: RedisAclServer;
  let root: Redis;
  let settings: RedisAclSettings;

  beforeAll(async () => {
    server = await startRedisWithAcl({ aclFile: true });
    root = await server.connect();
    await makeAdministrator(root);
    await root.call('ACL', 'SAVE');
    settings = settingsFor(server);
  });
  afterAll(async () => {
    root?.disconnect();
    await server?.stop();
  });

  const good = () => ({ settings, secrets: { password: PASSWORD }, allowPrivateAddresses: true });

  async function connectAs(username: string, password: string, at = server): Promise<Redis> {
    const { host, port } = at;
    const client = new Redis({ host, port, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.call('AUTH', username, password);
    } catch (error) {
      client.disconnect();
      throw error;
    }
    return client;
  }

  const isAlive = (client: Redis) =>
    client.call('PING').then(
      () => true,
      () => false,
    );

  async function open(differing: Partial<ToolConnection<RedisAclSettings>> = {}): Promise<ToolSession> {
    return redisAclConnector.open({ ...good(), call: callWithin(10_000), ...differing });
  }

  async function withSession<T>(
    work: (session: ToolSession) => Promise<T> | undefined,
    differing: Partial<ToolConnection<RedisAclSettings>> = {},
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

  async function create(person: NewAccount, differing: Partial<ToolConnection<RedisAclSettings>> = {}) {
    const result = await withSession((session) => session.createAccount?.(person), differing);
    if (result.outcome !== 'done') throw new Error(`create answered ${result.outcome}`);
    return result.value;
  }

  const fixture = (): ConformanceFixture<RedisAclSettings> => ({
    good: good(),
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'role', name: READER.name },
    async signIn(username, password) {
      const client = await connectAs(username, password).catch(() => null);
      return client && { works: () => isAlive(client), end: async () => client.disconnect() };
    },
    async observe(username) {
      const user = await userAt(root, username);
      if (!user) return null;
      const state = user.flags.includes('on') ? 'active' : 'suspended';
      return { externalId: username, state, groups: rolesOf(user).map(({ name }) => name) };
    },
    ownPrincipal: async () => ({ externalId: ADMIN, username: ADMIN }),
    async makeTwoWithMark(mark) {
      for (const name of [`first-${mark}`, `second-${mark}`]) {
        await root.call('ACL', 'SETUSER', name, 'on', markSelector(mark));
      }
    },
  });

  for (const check of conformanceChecks(redisAclConnector, fixture)) it(check.name, check.run);

  it('counts every live session and ends it, one that waits and one that listens among them', async () => {
    const person = newPerson();
    const ref = await create(person);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: WRITER.name }));
    const [idle, waiting, listening] = await Promise.all(
      [1, 2, 3].map(() => connectAs(person.username, person.password)),
    );
    if (!idle || !waiting || !listening) throw new Error('not connected');
    await listening.subscribe('orders.new');
    const popped = waiting.blpop('orders:queue', 60).then(
      () => 'popped',
      () => 'ended',
    );
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.sessions).toMatchObject({ seen: true, live: 3, ids: { length: 3 } });

    const result = await withSession((session) => session.suspendAccount?.(ref));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['3 live sessions ended'] });
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
      state: 'suspended',
      sessions: { seen: true, live: 0 },
    });
    expect(await popped).toBe('ended');
    for (const client of [idle, waiting, listening]) expect(await isAlive(client)).toBe(false);
  });

  describe('when the server restarts', () => {
    it.each([
      ['a suspension', (session: ToolSession, ref: AccountRef) => session.suspendAccount?.(ref), { flags: ['off'] }],
      ['a removal', (session: ToolSession, ref: AccountRef) => session.removeAccount?.(ref), null],
      [
        'a role',
        (session: ToolSession, ref: AccountRef) => session.grant?.(ref, { kind: 'role', name: READER.name }),
        { selectors: { length: 2 } },
      ],
    ] as const)('keeps %s', async (_what, act, expected) => {
      const own = await startRedisWithAcl({ aclFile: true });
      const owner = await own.connect();
      await makeAdministrator(owner);
      const differing = { settings: settingsFor(own) };
      const person = newPerson();
      const ref = await create(person, differing);
      const before = await userAt(owner, person.username);
      expect(before).toMatchObject({ flags: expect.arrayContaining(['on']), selectors: { length: 1 } });
      await withSession<unknown>((session) => act(session, ref), differing);

      await own.restart();

      const after = await userAt(await own.connect(), person.username);
      if (expected === null) expect(after).toBeNull();
      else {
        expect(after).toMatchObject({
          ...expected,
          ...('flags' in expected && { flags: expect.arrayContaining(['off']) }),
        });
      }
      await own.stop();
    });

    it('keeps what a create made, by CONFIG REWRITE where there is no file of users', async () => {
      const own = await startRedisWithAcl({ aclFile: false });
      await makeAdministrator(await own.connect(), LEAST.replace('+acl|save', '+config|rewrite'));
      const differing = { settings: { ...settingsFor(own), persistence: 'config-rewrite' as const } };
      expect((await withSession((session) => session.check(), differing)).missing).toEqual([]);
      const person = newPerson('ünï-李-@corp.example');
      await create(person, differing);

      await own.restart();

      const [found] = await withSession(
        (session) => session.findAccounts({ mark: person.mark, username: '', email: '' }),
        differing,
      );
      expect(found).toMatchObject({ matchedBy: 'mark', account: { username: person.username, state: 'active' } });
      (await connectAs(person.username, person.password, own)).disconnect();
      await own.stop();
    });

    it('says that a restart would undo the change where nothing is saved, and doesn’t call it done', async () => {
      const own = await startRedisWithAcl({ aclFile: false });
      const owner = await own.connect();
      await makeAdministrator(owner);
      const differing = { settings: settingsFor(own) };
      await owner.call('ACL', 'SETUSER', 'ada', 'on', '>first-pass', markSelector('m'));
      const ref = { externalId: 'ada', username: 'ada' };
      const live = await connectAs('ada', 'first-pass', own);

      // The second one finds nothing to change, and still isn't done.
      for (let time = 1; time <= 2; time += 1) {
        const suspending = withSession((session) => session.suspendAccount?.(ref), differing);
        await expect(suspending).rejects.toMatchObject({
          kind: 'invalid',
          message: expect.stringContaining('restart'),
        });
      }

      expect(await isAlive(live)).toBe(false);
      const report = await withSession((session) => session.check(), differing);
      expect(report.missing).toContainEqual({
        capability: 'suspendAccount',
        permission: 'aclfile in redis.conf',
        remedy: expect.stringContaining('aclfile'),
      });
      await own.stop();
    });
  });

  it.each([
    'a b',
    'a\nuser evil on nopass ~* +@all',
    'a"b',
    "o'brien",
    '#a',
    '',
    'n'.repeat(256),
    'fox🦊',
    'a(b',
    '-x',
  ])('refuses the name %j, which the file of users couldn’t hold, and makes nothing', async (name) => {
    const before = await root.call('ACL', 'USERS');
    await expect(create(newPerson(name))).rejects.toMatchObject({ kind: 'invalid' });
    expect(await root.call('ACL', 'USERS')).toEqual(before);
  });

  it('gives a role’s commands and keys, nothing dangerous, and to open connections too', async () => {
    const person = newPerson();
    const ref = await create(person);
    const live = await connectAs(person.username, person.password);
    await root.set('orders:1', 'x');
    await expect(live.get('orders:1')).rejects.toThrow('NOPERM');

    await withSession((session) => session.grant?.(ref, { kind: 'role', name: WRITER.name }));

    expect(await live.get('orders:1')).toBe('x');
    await live.set('orders:2', 'y');
    for (const forbidden of [
      ['GET', 'secrets:1'],
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['EVAL', 'return 1', '0'],
      ['ACL', 'LIST'],
      ['CLIENT', 'LIST'],
      ['GET', `quartermaster:mark:${person.mark}`],
    ]) {
      const [command = '', ...args] = forbidden;
      const asked = live.call(command, ...args);
      await expect(asked).rejects.toThrow('NOPERM');
    }
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
    await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: WRITER.name }));
    await expect(live.set('orders:2', 'z')).rejects.toThrow('NOPERM');
    expect(await live.get('orders:2')).toBe('y');
    live.disconnect();
  });

  it('gives a role again when the settings have changed it, and takes back one that they forgot', async () => {
    const ref = await create(newPerson());
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
    const changed = { settings: { ...settings, roles: [{ ...READER, keys: ['orders:*', 'stock:*'], channels: [] }] } };
    const again = (differing = {}) =>
      withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }), differing);
    expect(await again()).toMatchObject({ outcome: 'already' });
    expect(await again(changed)).toMatchObject({ outcome: 'done' });
    expect(await again(changed)).toMatchObject({ outcome: 'already' });
    expect((await userAt(root, ref.username))?.selectors.at(-1)?.keys).toContain('~stock:*');

    const forgotten = { settings: { ...settings, roles: [] } };
    const withdrawing = withSession(
      (session) => session.withdraw?.(ref, { kind: 'role', name: READER.name }),
      forgotten,
    );
    expect(await withdrawing).toMatchObject({ outcome: 'done' });
    expect((await userAt(root, ref.username))?.selectors).toHaveLength(1);
  });

  it('leaves selectors alone that an administrator added', async () => {
    const person = newPerson();
    const ref = await create(person);
    await root.call('ACL', 'SETUSER', person.username, '(%W~by-hand:* &hand.* +set +publish)');
    const byHand = (await userAt(root, person.username))?.selectors.at(-1);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: READER.name }));
    await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: READER.name }));
    expect((await userAt(root, person.username))?.selectors).toContainEqual(byHand);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ mark: person.mark, grants: [] });
  });

  it('puts back what it found when somebody makes the same name at the same moment', async () => {
    const person = newPerson();
    const line = createServer((client) => {
      const upstream = openSocket(server.port, server.host);
      for (const end of [client, upstream]) end.on('error', () => undefined);
      upstream.pipe(client);
      client.on('data', (bytes: Buffer) => {
        if (!bytes.toString().toLowerCase().includes('multi')) return void upstream.write(bytes);
        // The connector has looked by now: the name was free.
        root
          .call('ACL', 'SETUSER', person.username, 'off', '>their-own-pass', '~theirs:*', '+get', '(~more +set)')
          .then(() => upstream.write(bytes))
          .catch(() => upstream.destroy());
      });
    });
    await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
    const { port } = line.address() as AddressInfo;
    await expect(create(person, { settings: { ...settings, port } })).rejects.toMatchObject({ kind: 'conflict' });
    await root.call('ACL', 'SETUSER', 'as-it-was', 'off', '>their-own-pass', '~theirs:*', '+get', '(~more +set)');
    // Written out by `reset`, and the default otherwise.
    await root.call('ACL', 'SETUSER', 'as-it-was', 'sanitize-payload');
    const expected = await userAt(root, 'as-it-was');
    expect(await userAt(root, person.username)).toEqual({ ...expected, name: person.username });
    line.close();
  });

  it('makes at most one user when two creates of one mark race with different names', async () => {
    const [first, second] = [newPerson(), newPerson()];
    const both = await Promise.allSettled([
      withSession((session) => session.createAccount?.(first)),
      withSession((session) => session.createAccount?.({ ...second, mark: first.mark })),
    ]);
    for (const attempt of both) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ kind: 'conflict' });
    }
    const found = await withSession((session) => session.findAccounts({ mark: first.mark, username: '', email: '' }));
    expect(found.length).toBeLessThanOrEqual(1);
  });

  it('leaves a user alone that doesn’t carry the mark, and its own even when it does', async () => {
    for (const name of ['stranger', 'default']) {
      if (name === 'stranger') await root.call('ACL', 'SETUSER', name, 'on', '>first-pass');
      const [found] = await withSession((session) => session.findAccounts({ mark: 'm', username: name, email: '' }));
      if (!found) throw new Error('the user was not found');
      expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null, state: 'active' } });
      for (const act of ['suspendAccount', 'removeAccount', 'revokeAccess'] as const) {
        const acting = withSession((session) => session[act]?.(found.account));
        await expect(acting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('mark') });
      }
    }
    await root.call('ACL', 'SETUSER', ADMIN, markSelector('m'));
    const own = await fixture().ownPrincipal();
    const suspending = withSession((session) => session.suspendAccount?.(own));
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden', message: expect.stringContaining('itself') });
    await root.call('ACL', 'SETUSER', ADMIN, 'clearselectors');
  });

  it('shows a second password and `nopass`, which a reset ends', async () => {
    const person = newPerson();
    const ref = await create(person);
    const look = () => withSession((session) => session.getAccount(ref));
    expect(await look()).toMatchObject({
      credentials: { seen: true, live: 0 },
      credentialVersion: ref.credentialVersion,
    });
    await root.call('ACL', 'SETUSER', person.username, '>second-by-hand');
    expect((await look())?.credentials).toEqual({ seen: true, live: 1 });
    expect((await look())?.credentialVersion).not.toBe(ref.credentialVersion);
    await root.call('ACL', 'SETUSER', person.username, 'nopass');
    expect((await look())?.credentials).toMatchObject({ seen: false });

    await withSession((session) => session.resetCredentials?.(ref, 'second-password'));

    expect((await look())?.credentials).toEqual({ seen: true, live: 0 });
    await expect(connectAs(person.username, 'anything')).rejects.toThrow('WRONGPASS');
  });

  it('doesn’t call sessions seen while replicas have sessions of their own', async () => {
    const ref = await create(newPerson());
    const replica = await startRedisWithAcl({ aclFile: true, config: [`replicaof ${server.host} ${server.port}`] });
    await expect.poll(() => root.info('replication'), { timeout: 15_000 }).toContain('connected_slaves:1');
    const look = (everyNodeIsATool: boolean) =>
      withSession((session) => session.getAccount(ref), { settings: { ...settings, everyNodeIsATool } });
    expect((await look(false))?.sessions).toMatchObject({ seen: false, because: expect.stringContaining('replicas') });
    expect((await look(true))?.sessions).toMatchObject({ seen: true, live: 0 });
    await replica.stop();
    await expect.poll(() => root.info('replication'), { timeout: 15_000 }).toContain('connected_slaves:0');
  });

  it('makes and suspends a user on a replica, which takes no writes of data', async () => {
    const replica = await startRedisWithAcl({ aclFile: true, config: [`replicaof ${server.host} ${server.port}`] });
    await makeAdministrator(await replica.connect());
    const differing = { settings: { ...settingsFor(replica), everyNodeIsATool: true } };
    const ref = await create(newPerson(), differing);
    expect(await withSession((session) => session.suspendAccount?.(ref), differing)).toMatchObject({ outcome: 'done' });
    await replica.stop();
    await expect.poll(() => root.info('replication'), { timeout: 15_000 }).toContain('connected_slaves:0');
  });

  it('finds its user again after a create whose answer was lost, and ends what a lost suspension left', async () => {
    const person = newPerson();
    const losing = chaotic(redisAclConnector, ({ capability, before }) =>
      ['createAccount', 'suspendAccount'].includes(capability) && before === 0
        ? { fault: 'executed-but-timed-out' }
        : undefined,
    );
    const session = await losing.open({ ...good(), call: callWithin(10_000) });
    await expect(session.createAccount?.(person)).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await session.createAccount?.(person)).toMatchObject({ outcome: 'already' });
    const ref = { externalId: person.username, username: person.username };
    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await session.suspendAccount?.(ref)).toMatchObject({ outcome: 'already' });
    await session.close();
  });

  it('says ambiguous when the line breaks in the middle of a change, and transient for a look', async () => {
    const person = newPerson();
    const ref = await create(person);
    const line = createServer((client) => {
      const upstream = openSocket(server.port, server.host);
      for (const end of [client, upstream]) end.on('error', () => undefined);
      upstream.pipe(client);
      client.on('data', (bytes: Buffer) => {
        upstream.write(bytes);
        if (/setuser|whoami/i.test(bytes.toString())) client.destroy();
      });
    });
    await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
    const { port } = line.address() as AddressInfo;
    const differing = { settings: { ...settings, port } };
    // Who we are is asked before anything is changed.
    await expect(withSession((session) => session.suspendAccount?.(ref), differing)).rejects.toMatchObject({
      kind: 'transient',
    });
    await expect(create(newPerson(), differing)).rejects.toMatchObject({ kind: 'ambiguous' });
    line.close();
  });

  it('is over at its deadline when the server hangs', async () => {
    const ref = await create(newPerson());
    const session = await open({ call: callWithin(700) });
    await root.call('CLIENT', 'PAUSE', '2000', 'ALL');
    const started = Date.now();
    await expect(session.getAccount(ref)).rejects.toMatchObject({ kind: 'transient' });
    expect(Date.now() - started).toBeLessThan(1_500);
    await session.close();
    await root.ping();
  });

  it('names each permission that is missing, and how to give it', async () => {
    await makeAdministrator(root, '+acl|whoami +acl|dryrun +info', 'poor');
    const session = await open({ settings: { ...settings, user: 'poor' } });
    const report = await session.check();
    expect(report.principal).toBe('poor');
    expect(report.missing).toContainEqual({
      capability: 'suspendAccount',
      permission: '+client|kill',
      remedy: 'ACL SETUSER poor +client|kill, and then ACL SAVE',
    });
    expect([...new Set(report.missing.map(({ permission }) => permission))].toSorted()).toEqual(
      [
        'acl|deluser',
        'acl|getuser',
        'acl|save',
        'acl|setuser',
        'acl|users',
        'client|kill',
        'client|list',
        'exec',
        'multi',
      ]
        .map((permission) => `+${permission}`)
        .toSorted(),
    );
    await expect(session.createAccount?.(newPerson())).rejects.toMatchObject({
      kind: 'forbidden',
      permission: '+acl|users',
    });
    await session.close();
  });

  it('says that sessions are alive when it may not end them', async () => {
    await makeAdministrator(root, LEAST.replace('+client|kill', ''), 'weak');
    const person = newPerson();
    const ref = await create(person);
    const live = await connectAs(person.username, person.password);
    const session = await open({ settings: { ...settings, user: 'weak' } });
    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({
      kind: 'forbidden',
      permission: '+client|kill',
    });
    expect(await session.getAccount(ref)).toMatchObject({ state: 'suspended', sessions: { seen: true, live: 1 } });
    await session.close();
    live.disconnect();
  });

  it('proves the server over TLS, by the name in the settings', async () => {
    const { key, cert } = selfSignedFor('localhost');
    const proxy = createTlsServer({ key, cert }, (secure) => {
      const upstream = openSocket(server.port, server.host);
      for (const end of [secure, upstream]) end.on('error', () => undefined);
      secure.pipe(upstream).pipe(secure);
    });
    proxy.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const overTls = { ...settings, host: 'localhost', port, sslmode: 'verify-full' } as const;
    const certificateAuthority = cert.toString();
    for (const wrong of [overTls, { ...overTls, certificateAuthority, host: '127.0.0.1' }]) {
      await expect(open({ settings: wrong })).rejects.toMatchObject({
        kind: 'auth-broken',
        message: expect.stringContaining('could not be proved over TLS'),
      });
    }
    const report = await withSession((session) => session.check(), { settings: { ...overTls, certificateAuthority } });
    expect(report.principal).toBe(ADMIN);
    proxy.close();
  });

  it('says so when something else than Redis answers', async () => {
    const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
    await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
    const { port } = website.address() as AddressInfo;
    await expect(open({ settings: { ...settings, port }, call: callWithin(1_500) })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('does not answer like a Redis server'),
    });
    website.closeAllConnections();
    website.close();
  });

  describe('given settings that are wrong', () => {
    it.each([
      ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { host: 'redis.invalid' }, 'transient', /could not be resolved/],
      ['TLS where the server has none', { sslmode: 'verify-full' }, 'transient', /did not answer/],
      ['a user that isn’t there', { user: 'nobody-here' }, 'auth-broken', /does not let/],
      ['a role with a blank in a key', { roles: [{ ...READER, keys: ['a ~*'], channels: [] }] }, 'invalid', /keys/],
      ['a role with a quote in a key', { roles: [{ ...READER, keys: ['a"'], channels: [] }] }, 'invalid', /keys/],
      ['a role twice', { roles: [READER, READER] }, 'invalid', /twice/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = open({ settings: { ...settings, ...differing } as RedisAclSettings, call: callWithin(1_500) });
      await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    });

    it('refuses private addresses, and a password in the clear, unless the tool allows private ones', async () => {
      await expect(
        open({ allowPrivateAddresses: false, settings: { ...settings, sslmode: 'require' } }),
      ).rejects.toMatchObject({ kind: 'forbidden', permission: 'allowPrivateAddresses' });
      await expect(open({ allowPrivateAddresses: false })).rejects.toMatchObject({ kind: 'invalid' });
    });
  });
});
