import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect as openSocket, createServer, type AddressInfo } from 'node:net';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMariadb, startMariadb, type MariadbServer } from '../../test/support/tool-servers/mariadb.js';
import { chaotic } from '../kit/chaos.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { AccountRef, NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { selfSignedFor } from '../kit/self-signed-certificate.js';
import { nativePasswordHash } from './native-password.js';
import { quoteIdentifier } from './account-names.js';
import { mysqlConnector } from './connector.js';
import type { MysqlSettings } from './manifest.js';

const ADMIN = 'quartermaster';
const PASSWORD = 'only-in-tests';

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
  const email = `${username}@corp.example`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  return { mark: randomUUID(), username, holder: { personId: randomUUID(), ...names, email }, password: 'first-pass' };
}

/** The statements of README.md, as an administrator would copy them, for a service that connects from anywhere. */
async function setUp(root: mysql.Connection): Promise<void> {
  const readme = await readFile(new URL('README.md', import.meta.url), 'utf8');
  const sql = /```sql\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!sql) throw new Error('README.md has no statements');
  await root.query('CREATE ROLE IF NOT EXISTS analysts');
  const statements = sql
    .replaceAll("'…'", `'${PASSWORD}'`)
    .replaceAll('10.0.0.5', '%')
    .split(/;.*\n/)
    .map((statement) => statement.trim())
    .filter(Boolean);
  for (const statement of statements) await root.query(statement);
}

describe.skipIf(!hasMariadb())('the MariaDB connector', () => {
  let server: MariadbServer;
  let root: mysql.Connection;
  let settings: MysqlSettings;
  const group = 'qm `group` "x"';

  beforeAll(async () => {
    server = await startMariadb();
    root = await server.connectAsRoot();
    await setUp(root);
    await root.query(`CREATE ROLE ${quoteIdentifier(group)}`);
    await root.query(`GRANT ${quoteIdentifier(group)} TO ${ADMIN}@'%' WITH ADMIN OPTION`);
    await root.query('CREATE DATABASE shop');
    await root.query('CREATE TABLE shop.orders (id INT)');
    settings = {
      host: server.host,
      port: server.port,
      user: ADMIN,
      sslmode: 'disable',
      schema: 'quartermaster',
      accountHost: '%',
    };
  });
  afterAll(async () => {
    root?.destroy();
    await server?.stop();
  });

  const good = () => ({ settings, secrets: { password: PASSWORD }, allowPrivateAddresses: true });

  async function connectAs(user: string, password: string): Promise<mysql.Connection> {
    const connection = await mysql.createConnection({
      host: server.host,
      port: server.port,
      user,
      password,
      charset: 'utf8mb4',
    });
    connection.on('error', () => undefined);
    return connection;
  }

  async function open(differing: Partial<ToolConnection<MysqlSettings>> = {}): Promise<ToolSession> {
    return mysqlConnector.open({ ...good(), call: callWithin(10_000), ...differing });
  }

  async function withSession<T>(
    work: (session: ToolSession) => Promise<T> | undefined,
    differing: Partial<ToolConnection<MysqlSettings>> = {},
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

  async function rootQuery<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const [rows] = await root.query<mysql.RowDataPacket[]>(sql, values);
    return rows as unknown as Row[];
  }

  const isAlive = (connection: mysql.Connection) =>
    connection.query('SELECT 1').then(
      () => true,
      () => false,
    );

  const fixture = (): ConformanceFixture<MysqlSettings> => ({
    good: good(),
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'role', name: group },
    async signIn(user, password) {
      const connection = await connectAs(user, password).catch(() => null);
      if (!connection) return null;
      return { works: () => isAlive(connection), end: async () => connection.destroy() };
    },
    async observe(username) {
      const [account] = await rootQuery<{ Host: string; locked: number }>(
        `SELECT Host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), '0') IN ('1', 'true') AS locked
         FROM mysql.global_priv WHERE CONVERT(User USING utf8mb4) COLLATE utf8mb4_bin = ? AND Host <> ''`,
        [username],
      );
      if (!account) return null;
      const roles = await rootQuery<{ Role: string }>('SELECT Role FROM mysql.roles_mapping WHERE User = ?', [
        username,
      ]);
      return {
        externalId: `${username}@${account.Host}`,
        state: account.locked ? 'suspended' : 'active',
        groups: roles.map(({ Role }) => Role),
      };
    },
    ownPrincipal: async () => ({ externalId: `${ADMIN}@%`, username: ADMIN }),
    async makeTwoWithMark(mark) {
      for (const user of [`first-${mark}`, `second-${mark}`]) {
        await root.query(`CREATE USER ${quoteIdentifier(user)}`);
        const row = [user, '%', mark, 'by hand'];
        await root.query('INSERT INTO quartermaster.marks (user, host, mark, credential_version) VALUES (?)', [row]);
      }
    },
  });

  for (const check of conformanceChecks(mysqlConnector, fixture)) it(check.name, check.run);

  it('counts every live session, ends a busy one and one that holds a lock, and names how many', async () => {
    const person = newPerson();
    const ref = await create(person);
    await root.query(`GRANT SELECT, LOCK TABLES ON shop.* TO ${quoteIdentifier(person.username)}`);
    const [idle, busy, locking] = await Promise.all([1, 2, 3].map(() => connectAs(person.username, person.password)));
    if (!idle || !busy || !locking) throw new Error('not connected');
    await locking.query('LOCK TABLES shop.orders READ');
    const sleeping = busy.query('SELECT SLEEP(60)').then(
      () => 'slept',
      () => 'ended',
    );
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.sessions).toMatchObject({ seen: true, live: 3, ids: { length: 3 } });

    const result = await withSession((session) => session.suspendAccount?.(ref));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['3 live sessions ended'] });
    const after = await withSession((session) => session.getAccount(ref));
    expect(after).toMatchObject({ state: 'suspended', sessions: { seen: true, live: 0 } });
    expect(['slept', 'ended']).toContain(await sleeping);
    for (const connection of [idle, busy, locking]) expect(await isAlive(connection)).toBe(false);
  });

  it('leaves no session of somebody who keeps signing in while they are suspended', async () => {
    const person = newPerson();
    const ref = await create(person);
    const opened: mysql.Connection[] = [];
    const keepSigningIn = async () => {
      for (;;) {
        const connection = await connectAs(person.username, person.password).catch(() => null);
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

  it.each([
    ['suspension', (session: ToolSession, ref: AccountRef) => session.suspendAccount?.(ref)],
    ['reset', (session: ToolSession, ref: AccountRef) => session.resetCredentials?.(ref, 'second-password')],
    ['removal', (session: ToolSession, ref: AccountRef) => session.removeAccount?.(ref)],
  ] as const)('lets nobody in whose sign-in had begun before the %s and ends after it', async (_what, act) => {
    const person = newPerson();
    const ref = await create(person);
    expect(await (await beginSignIn(server, person)).finish()).toBe('let in');
    // The server by itself, with none of our doing but the lock.
    const unhindered = await beginSignIn(server, person);
    await root.query(`ALTER USER ${quoteIdentifier(person.username)} ACCOUNT LOCK`);
    expect(await unhindered.finish()).toBe('let in');
    await root.query(`ALTER USER ${quoteIdentifier(person.username)} ACCOUNT UNLOCK`);
    const slow = await beginSignIn(server, person);

    const acted: Promise<unknown> = withSession<unknown>((session) => act(session, ref));
    await acted;

    expect(await slow.finish()).toBe('refused');
  });

  it('wins against a session that sets the password back while it is reset', async () => {
    const person = newPerson();
    const ref = await create(person);
    const thief = await connectAs(person.username, person.password);
    let changes = 0;
    const fighting = (async () => {
      while (
        await thief.query(`SET PASSWORD = '${nativePasswordHash('the-thiefs-own')}'`).then(
          () => true,
          () => false,
        )
      )
        changes += 1;
    })();
    await expect.poll(() => changes, { timeout: 5_000 }).toBeGreaterThan(0);

    await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
    await fighting;

    await expect(connectAs(person.username, 'the-thiefs-own')).rejects.toThrow('Access denied');
    await (await connectAs(person.username, 'second-password')).end();
  });

  it('sends no password and shows the service no password’s hash', async () => {
    const person = newPerson();
    await root.query("SET GLOBAL general_log = 1, log_output = 'TABLE'");
    await create(person);
    await root.query('SET GLOBAL general_log = 0');
    const log = JSON.stringify(await rootQuery('SELECT CAST(argument AS CHAR) FROM mysql.general_log'));
    expect(log).toContain('CREATE USER');
    expect(log).not.toContain(person.password);
    const service = await connectAs(ADMIN, PASSWORD);
    await expect(service.query('SELECT * FROM mysql.global_priv')).rejects.toThrow('denied');
    await expect(service.query('SELECT * FROM mysql.user')).rejects.toThrow('denied');
    await service.end();
  });

  it.each([
    `o'brien"; DROP USER root; -- \``,
    '\\back%I$$ %s \\',
    '李小龍',
    'somebody@corp.example',
    'UPPER lower',
    '%',
  ])('makes, changes and removes an account that is called %s', async (name) => {
    const username = `${name} ${randomBytes(3).toString('hex')}`;
    const ref = await create(newPerson(username));
    expect(ref.username).toBe(username);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: group }));
    await withSession((session) => session.suspendAccount?.(ref));
    await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
      username,
      state: 'suspended',
      grants: [{ kind: 'role', name: group }],
    });
    await withSession((session) => session.removeAccount?.(ref));
    expect(await fixture().observe(username)).toBeNull();
  });

  it.each(['', ' ', 'trailing ', 'fox 🦊', 'a\nb', 'n'.repeat(129)])(
    'refuses the name %j and makes nothing',
    async (name) => {
      const count = async () => (await rootQuery('SELECT 1 FROM mysql.global_priv')).length;
      const before = await count();
      await expect(create(newPerson(name))).rejects.toMatchObject({ kind: 'invalid' });
      expect(await count()).toBe(before);
    },
  );

  it('ends the sessions of somebody whose role is withdrawn, since they keep it otherwise', async () => {
    const person = newPerson();
    const ref = await create(person);
    await root.query(`GRANT SELECT ON shop.* TO ${quoteIdentifier(group)}`);
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: group }));
    const live = await connectAs(person.username, person.password);
    await live.query(`SET ROLE ${quoteIdentifier(group)}`);
    await live.query('SELECT * FROM shop.orders');

    const result = await withSession((session) => session.withdraw?.(ref, { kind: 'role', name: group }));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['1 live session ended'] });
    await expect(live.query('SELECT * FROM shop.orders')).rejects.toThrow();
  });

  it('refuses roles with privileges on everything, also when they come through another role', async () => {
    const ref = await create(newPerson());
    const [powerful, through] = [1, 2].map(() => `role_${randomBytes(4).toString('hex')}`);
    await root.query(`CREATE ROLE ${powerful}`);
    await root.query(`CREATE ROLE ${through}`);
    await root.query(`GRANT SELECT ON *.* TO ${powerful}`);
    await root.query(`GRANT ${powerful} TO ${through}`);
    for (const name of [powerful ?? '', through ?? '']) {
      await root.query(`GRANT ${name} TO ${ADMIN}@'%' WITH ADMIN OPTION`);
      const granting = withSession((session) => session.grant?.(ref, { kind: 'role', name }));
      await expect(granting).rejects.toMatchObject({ kind: 'forbidden' });
    }
    expect((await withSession((session) => session.getAccount(ref)))?.grants).toEqual([]);
  });

  it('names the missing ADMIN OPTION when it may not give a role', async () => {
    const ref = await create(newPerson());
    const role = `role_${randomBytes(4).toString('hex')}`;
    await root.query(`CREATE ROLE ${role}`);
    const granting = withSession((session) => session.grant?.(ref, { kind: 'role', name: role }));
    await expect(granting).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('leaves an account alone that doesn’t carry the mark, and its own even when it does', async () => {
    const stranger = `stranger_${randomBytes(4).toString('hex')}`;
    await root.query(`CREATE USER ${stranger}`);
    const [found] = await withSession((session) => session.findAccounts({ mark: 'm', username: stranger, email: '' }));
    if (!found) throw new Error('the account was not found');
    expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null, state: 'active' } });
    for (const act of ['suspendAccount', 'removeAccount', 'revokeAccess'] as const) {
      const acting = withSession((session) => session[act]?.(found.account));
      await expect(acting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('mark') });
    }
    const own = await fixture().ownPrincipal();
    const row = [ADMIN, '%', randomUUID(), 'x'];
    await root.query('INSERT INTO quartermaster.marks (user, host, mark, credential_version) VALUES (?)', [row]);
    const suspending = withSession((session) => session.suspendAccount?.(own));
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden', message: expect.stringContaining('itself') });
    await root.query('DELETE FROM quartermaster.marks WHERE user = ?', [ADMIN]);
  });

  /** Passwords' ages are kept in seconds. */
  async function nextSecond(): Promise<void> {
    const second = Math.floor(Date.now() / 1000);
    // It comes within a second, which is as long as `poll` waits by itself.
    await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 5_000 }).toBeGreaterThan(second);
  }

  it('never takes an account for gone that somebody renamed', async () => {
    const person = newPerson();
    await nextSecond();
    const ref = await create(person);
    const renamed = `renamed-${person.username}`;
    await root.query(`RENAME USER ${quoteIdentifier(person.username)} TO ${quoteIdentifier(renamed)}`);
    for (const act of [
      (session: ToolSession) => session.getAccount(ref),
      (session: ToolSession) => session.suspendAccount?.(ref),
      (session: ToolSession) => session.removeAccount?.(ref),
      (session: ToolSession) => session.createAccount?.(person),
    ]) {
      const acting: Promise<unknown> = withSession<unknown>(act);
      await expect(acting).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining(renamed) });
    }
    await root.query(`DROP USER ${quoteIdentifier(renamed)}`);
    expect(await withSession((session) => session.getAccount(ref))).toBeNull();
    expect(await withSession((session) => session.removeAccount?.(ref))).toMatchObject({ outcome: 'already' });
    await create(person);
  });

  it('takes up a create that was interrupted after its mark, and forgets a mark whose account it couldn’t make', async () => {
    const person = newPerson();
    const row = [person.username, '%', person.mark, 'interrupted'];
    await root.query('INSERT INTO quartermaster.marks (user, host, mark, credential_version) VALUES (?)', [row]);
    expect((await create(person)).credentialVersion).not.toContain('interrupted');

    const taken = newPerson();
    await root.query(`CREATE USER ${quoteIdentifier(taken.username)}@'10.0.0.1'`);
    await expect(create(taken)).rejects.toMatchObject({ kind: 'conflict' });
    expect(await rootQuery('SELECT 1 FROM quartermaster.marks WHERE mark = ?', [taken.mark])).toEqual([]);
  });

  it('can’t say that nothing is left while another account has the same name, or another way in', async () => {
    const person = newPerson();
    const ref = await create(person);
    expect((await withSession((session) => session.getAccount(ref)))?.credentials).toEqual({ seen: true, live: 0 });
    await root.query(
      `ALTER USER ${quoteIdentifier(person.username)} IDENTIFIED VIA unix_socket OR mysql_native_password`,
    );
    expect((await withSession((session) => session.getAccount(ref)))?.credentials).toMatchObject({ seen: false });
    await withSession((session) => session.suspendAccount?.(ref));
    expect((await withSession((session) => session.getAccount(ref)))?.credentials).toEqual({ seen: true, live: 0 });
    await root.query(`CREATE USER ${quoteIdentifier(person.username)}@'10.0.0.1'`);
    expect((await withSession((session) => session.getAccount(ref)))?.credentials).toMatchObject({
      seen: false,
      because: expect.stringContaining('@10.0.0.1'),
    });
  });

  it('shows that somebody changed a password by hand', async () => {
    const person = newPerson();
    const ref = await create(person);
    await nextSecond();
    await root.query(`SET PASSWORD FOR ${quoteIdentifier(person.username)} = PASSWORD('by-hand-1')`);
    const account = await withSession((session) => session.getAccount(ref));
    expect(account?.credentialVersion).not.toBe(ref.credentialVersion);
  });

  it('finds its account again after a create whose answer was lost, and doesn’t make a second one', async () => {
    const person = newPerson();
    const losing = chaotic(mysqlConnector, ({ capability, before }) =>
      capability === 'createAccount' && before === 0 ? { fault: 'executed-but-timed-out' } : undefined,
    );
    const openLosing = async () => losing.open({ ...good(), call: callWithin(10_000) });
    const first = await openLosing();
    await expect(first.createAccount?.(person)).rejects.toMatchObject({ kind: 'ambiguous' });
    await first.close();
    const again = await openLosing();
    expect(await again.createAccount?.(person)).toMatchObject({ outcome: 'already' });
    expect(await again.findAccounts({ mark: person.mark, username: '', email: '' })).toHaveLength(1);
    await again.close();
  });

  it('says ambiguous when the line breaks in the middle of a change', async () => {
    const person = newPerson();
    const ref = await create(person);
    const line = createServer((client) => {
      const upstream = openSocket(server.port, server.host);
      for (const end of [client, upstream]) end.on('error', () => undefined);
      upstream.pipe(client);
      client.on('data', (bytes: Buffer) => {
        upstream.write(bytes);
        if (bytes.includes('ACCOUNT LOCK')) client.destroy();
      });
    });
    await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
    const { port } = line.address() as AddressInfo;
    const session = await open({ settings: { ...settings, port } });
    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
    await session.close();
    line.close();
  });

  it('is over at its deadline, whatever the server does, and changes nothing afterwards', async () => {
    const person = newPerson();
    const ref = await create(person);
    await root.query('FLUSH TABLES WITH READ LOCK');
    const started = Date.now();
    const session = await open({ call: callWithin(1_800) });

    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({
      kind: expect.stringMatching(/transient|ambig/),
    });

    expect(Date.now() - started).toBeLessThan(3_500);
    await root.query('UNLOCK TABLES');
    await session.close();
    expect(await withSession((fresh) => fresh.getAccount(ref))).toMatchObject({ state: 'active' });
  });

  it('names each permission that is missing, and how to give it', async () => {
    const poor = `poor_${randomBytes(4).toString('hex')}`;
    await root.query(`CREATE USER ${poor}@'%' IDENTIFIED BY '${PASSWORD}'`);
    const session = await open({ settings: { ...settings, user: poor } });
    const report = await session.check();
    expect(report.principal).toBe(poor);
    expect(report.missing).toContainEqual({
      capability: 'suspendAccount',
      permission: 'CONNECTION ADMIN',
      remedy: `GRANT CONNECTION ADMIN ON *.* TO \`${poor}\`@\`%\`;`,
    });
    expect([...new Set(report.missing.map(({ permission }) => permission))].toSorted()).toEqual([
      'CONNECTION ADMIN',
      'CREATE USER',
      'DELETE on `quartermaster`.marks',
      'INSERT on `quartermaster`.marks',
      'PROCESS',
      'SELECT on `quartermaster`.accounts',
      'SELECT on `quartermaster`.marks',
      'SELECT on mysql.roles_mapping',
      'UPDATE on `quartermaster`.marks',
    ]);
    await expect(session.createAccount?.(newPerson())).rejects.toMatchObject({ kind: 'forbidden' });
    for (const remedy of new Set(report.missing.map((missing) => missing.remedy))) await root.query(remedy);
    expect((await session.check()).missing.map(({ permission }) => permission)).toEqual(
      Array(2).fill('ADMIN OPTION on a role'),
    );
    await session.close();
  });

  it.each(['PROCESS', 'CONNECTION ADMIN'])('says that sessions are alive when it lacks %s', async (privilege) => {
    const person = newPerson();
    const ref = await create(person);
    const live = await connectAs(person.username, person.password);
    await root.query(`REVOKE ${privilege} ON *.* FROM ${ADMIN}@'%'`);
    const session = await open();
    const suspending = session.suspendAccount?.(ref);
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden', permission: privilege });
    expect(await session.getAccount(ref)).toMatchObject({
      state: 'suspended',
      sessions: privilege === 'PROCESS' ? { seen: false } : { seen: true, live: 1 },
    });
    await session.close();
    await root.query(`GRANT ${privilege} ON *.* TO ${ADMIN}@'%'`);
    expect(await withSession((fresh) => fresh.suspendAccount?.(ref))).toMatchObject({ outcome: 'done' });
    expect(await isAlive(live)).toBe(false);
  });

  it('proves the server over TLS, by the name in the settings', async () => {
    const certificate = selfSignedFor('localhost');
    const secure = await startMariadb({ tls: certificate });
    const secureRoot = await secure.connectAsRoot();
    await setUp(secureRoot);
    await secureRoot.query(`ALTER USER ${ADMIN}@'%' REQUIRE SSL`);
    const overTls = { ...settings, host: 'localhost', port: secure.port, sslmode: 'verify-full' } as const;
    const certificateAuthority = certificate.cert.toString();

    for (const wrong of [overTls, { ...overTls, certificateAuthority, host: '127.0.0.1' }]) {
      await expect(open({ settings: wrong })).rejects.toMatchObject({
        kind: 'auth-broken',
        message: expect.stringContaining('could not be proved over TLS'),
      });
    }
    const session = await open({ settings: { ...overTls, certificateAuthority } });
    expect(await session.check()).toMatchObject({ principal: ADMIN });
    await session.close();
    await expect(open({ settings: { ...overTls, sslmode: 'disable' } })).rejects.toMatchObject({ kind: 'auth-broken' });
    secureRoot.destroy();
    await secure.stop();
  });

  it('refuses MySQL, by the version the server gives, before it looks at anything', async () => {
    const other = await startMariadb({ args: ['--version=8.4.3'] });
    const otherRoot = await other.connectAsRoot();
    await otherRoot.query(`CREATE USER ${ADMIN}@'%' IDENTIFIED BY '${PASSWORD}'`);
    await expect(open({ settings: { ...settings, port: other.port } })).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('MySQL 8.4.3'),
    });
    otherRoot.destroy();
    await other.stop();
  });

  it('says so when something else than MariaDB answers', async () => {
    const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
    const greeter = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(
        'SSH-2.0-OpenSSH_9.2p1 Debian\r\n220 and more of the same, since a packet has a length\r\n'.repeat(99),
      );
    });
    for (const other of [website, greeter]) {
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      await expect(open({ settings: { ...settings, port }, call: callWithin(1_500) })).rejects.toMatchObject({
        kind: other === website ? 'transient' : expect.stringMatching(/invalid|transient/),
        message: expect.stringMatching(/did not answer|does not answer like a MariaDB server/),
      });
    }
    website.closeAllConnections();
    website.close();
    greeter.close();
  });

  describe('given settings that are wrong', () => {
    it.each([
      ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { host: 'db.invalid' }, 'transient', /could not be resolved/],
      ['a schema that isn’t set up', { schema: 'nowhere' }, 'forbidden', /quartermaster|nowhere/],
      ['TLS where the server has none', { sslmode: 'verify-full' }, 'auth-broken', /does not offer TLS/],
      ['a user that isn’t there', { user: 'nobody-here' }, 'auth-broken', /does not let/],
      ['a socket', { host: '/run/mysqld/mysqld.sock' }, 'invalid', /host/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = withSession((session) => session.findAccounts({ mark: 'm', username: 'u', email: '' }), {
        settings: { ...settings, ...differing },
      });
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

/**
 * Begins to sign in, as the protocol allows, and says the password only on `finish`: the server has read the account
 * by then (MariaDB documentation, “Connection”: HandshakeResponse, AuthSwitchRequest).
 */
async function beginSignIn({ host, port }: MariadbServer, person: NewAccount) {
  const socket = openSocket(port, host);
  socket.on('error', () => undefined);
  const packets: Buffer[] = [];
  let pending = Buffer.alloc(0);
  let isClosed = false;
  socket.on('close', () => (isClosed = true));
  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUIntLE(0, 3)) {
      const length = pending.readUIntLE(0, 3);
      packets.push(pending.subarray(4, 4 + length));
      pending = pending.subarray(4 + length);
    }
  });
  const next = async () => {
    await expect.poll(() => packets.length > 0 || isClosed, { interval: 5, timeout: 8_000 }).toBe(true);
    return packets.shift();
  };
  const send = (sequence: number, body: Buffer) => {
    const header = Buffer.alloc(4);
    header.writeUIntLE(body.length, 0, 3);
    header[3] = sequence;
    socket.write(Buffer.concat([header, body]));
  };
  await next();
  // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH; a plugin that isn't the account's, so that the server asks again.
  const capabilities = Buffer.alloc(32);
  capabilities.writeUInt32LE(0x200 | 0x8000 | 0x80000, 0);
  capabilities.writeUInt32LE(1 << 24, 4);
  capabilities[8] = 45;
  const zero = Buffer.from([0]);
  send(1, Buffer.concat([capabilities, Buffer.from(person.username), zero, zero, Buffer.from('dialog'), zero]));
  const asked = await next();
  if (asked?.[0] !== 0xfe) throw new Error('the server asked for no other plugin');
  const scramble = asked.subarray(asked.indexOf(0, 1) + 1, asked.indexOf(0, 1) + 21);
  return {
    async finish(): Promise<'let in' | 'refused'> {
      const sha = (...parts: Buffer[]) => createHash('sha1').update(Buffer.concat(parts)).digest();
      const once = sha(Buffer.from(person.password));
      const mask = sha(scramble, sha(once));
      send(3, Buffer.from(once.map((byte, index) => byte ^ (mask[index] ?? 0))));
      const answer = await next();
      socket.destroy();
      return answer?.[0] === 0 ? 'let in' : 'refused';
    },
  };
}
