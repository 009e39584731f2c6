import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { PostgresVersion } from '../../test/support/servers.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import { selfSignedFor } from '../kit/self-signed-certificate.js';
import type { NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { postgresConnector } from './connector.js';
import type { PostgresSettings } from './manifest.js';

const ADMIN_PASSWORD = 'only-in-tests';

/** “tuple concurrently updated”: two changed one role at the same moment. */
const CHANGED_MEANWHILE = 'XX000';

function serverUrl(version: PostgresVersion): string | null {
  return version === 15 ? inject('postgres15') : inject('postgres18');
}

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
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

describe.each([15, 18] as const)('the PostgreSQL connector, against PostgreSQL %i', (version) => {
  const url = serverUrl(version);
  if (!url) {
    it.skip(`needs PostgreSQL ${version}: apt-get install postgresql-${version}`, () => undefined);
    return;
  }
  const server = new URL(url);
  const admin = `qm_admin_${randomBytes(4).toString('hex')}`;
  const group = `qm "group" ${randomBytes(4).toString('hex')}`;
  let superuser: pg.Client;

  const settings: PostgresSettings = {
    host: server.hostname,
    port: Number(server.port),
    database: 'postgres',
    user: admin,
    sslmode: 'disable',
    passwordsOnly: true,
  };
  const good = { settings, secrets: { password: ADMIN_PASSWORD }, allowPrivateAddresses: true };

  beforeAll(async () => {
    superuser = await connectAs(url);
    await superuser.query(`CREATE ROLE ${admin} LOGIN CREATEROLE PASSWORD '${ADMIN_PASSWORD}'`);
    await superuser.query(`GRANT pg_signal_backend TO ${admin}`);
    await superuser.query(`CREATE ROLE ${pg.escapeIdentifier(group)}`);
    await superuser.query(`GRANT ${pg.escapeIdentifier(group)} TO ${admin} WITH ADMIN OPTION`);
  });
  afterAll(async () => superuser?.end());

  async function connectAs(target: string | { user: string; password: string }): Promise<pg.Client> {
    const client = new pg.Client(
      typeof target === 'string'
        ? { connectionString: target }
        : { host: server.hostname, port: Number(server.port), database: 'postgres', ...target },
    );
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async function open(differing: Partial<ToolConnection<PostgresSettings>> = {}): Promise<ToolSession> {
    return postgresConnector.open({ ...good, call: callWithin(10_000), ...differing });
  }

  async function withSession<T>(work: (session: ToolSession) => Promise<T> | undefined): Promise<T> {
    const session = await open();
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

  const fixture = (): ConformanceFixture<PostgresSettings> => ({
    good,
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'role', name: group },
    async signIn(user, password) {
      const client = await connectAs({ user, password }).catch(() => null);
      if (!client) return null;
      const works = () =>
        client.query('SELECT 1').then(
          () => true,
          () => false,
        );
      return { works, end: () => client.end().catch(() => undefined) };
    },
    async observe(username) {
      const { rows } = await superuser.query<{ oid: string; rolcanlogin: boolean; groups: string[] }>(
        `SELECT oid::text, rolcanlogin,
                ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                      WHERE m.member = r.oid) AS groups
         FROM pg_roles r WHERE rolname = $1`,
        [username],
      );
      const [role] = rows;
      if (!role) return null;
      const state = role.rolcanlogin ? 'active' : 'suspended';
      return { externalId: role.oid, state, groups: role.groups };
    },
    async ownPrincipal() {
      const { rows } = await superuser.query<{ oid: string }>('SELECT $1::regrole::oid::text AS oid', [admin]);
      return { externalId: rows[0]?.oid ?? '', username: admin };
    },
    async makeTwoWithMark(mark) {
      for (const name of [`first-${mark}`, `second-${mark}`]) {
        const quoted = pg.escapeIdentifier(name);
        const comment = JSON.stringify({ quartermaster: { mark, credentialVersion: '1' } });
        await superuser.query(`CREATE ROLE ${quoted} LOGIN`);
        await superuser.query(`COMMENT ON ROLE ${quoted} IS ${pg.escapeLiteral(comment)}`);
      }
    },
  });

  for (const check of conformanceChecks(postgresConnector, fixture)) it(check.name, check.run);

  it('wins against a session that sets the password back while it is reset', async () => {
    const person = newPerson();
    const ref = await create(person);
    const thief = await connectAs({ user: person.username, password: person.password });
    const setsItsOwn = () =>
      thief.query("ALTER ROLE CURRENT_USER PASSWORD 'the-thiefs-own'").then(
        () => 'changed',
        (error: unknown) => ((error as pg.DatabaseError).code === CHANGED_MEANWHILE ? 'lost a race' : 'is out'),
      );
    expect(await setsItsOwn()).toBe('changed');
    const fighting = (async () => {
      while ((await setsItsOwn()) !== 'is out');
    })();

    const reset = await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
    await fighting;

    expect(reset).toMatchObject({ outcome: 'done', sideEffects: ['1 live session ended'] });
    await expect(connectAs({ user: person.username, password: 'the-thiefs-own' })).rejects.toThrow('authentication');
    await (await connectAs({ user: person.username, password: 'second-password' })).end();
  });

  it('counts every live session of a person, without the right to read statistics', async () => {
    const person = newPerson();
    const ref = await create(person);
    const sessions = await Promise.all(
      [1, 2, 3].map(() => connectAs({ user: person.username, password: person.password })),
    );
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.sessions).toEqual({ seen: true, live: 3 });

    const result = await withSession((session) => session.suspendAccount?.(ref));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: ['3 live sessions ended'] });
    expect((await withSession((session) => session.getAccount(ref)))?.sessions).toEqual({ seen: true, live: 0 });
    for (const live of sessions) await expect(live.query('SELECT 1')).rejects.toThrow();
  });

  it('leaves no session of somebody who keeps signing in while they are suspended', async () => {
    const person = newPerson();
    const ref = await create(person);
    const opened: pg.Client[] = [];
    const keepSigningIn = async () => {
      for (;;) {
        const client = await connectAs({ user: person.username, password: person.password }).catch(() => null);
        if (!client) return;
        opened.push(client);
      }
    };
    const trying = Promise.all([keepSigningIn(), keepSigningIn(), keepSigningIn()]);
    await expect.poll(() => opened.length, { timeout: 5_000 }).toBeGreaterThan(3);

    await withSession((session) => session.suspendAccount?.(ref));
    await trying;

    expect((await withSession((session) => session.getAccount(ref)))?.sessions).toEqual({ seen: true, live: 0 });
    for (const client of opened) await expect(client.query('SELECT 1')).rejects.toThrow();
  });

  it('ends a session that is busy and one that holds a lock', async () => {
    const person = newPerson();
    const ref = await create(person);
    const busy = await connectAs({ user: person.username, password: person.password });
    const locking = await connectAs({ user: person.username, password: person.password });
    await locking.query('BEGIN; SELECT pg_advisory_xact_lock(4711)');
    const sleeping = busy.query('SELECT pg_sleep(60)').then(
      () => 'slept',
      () => 'ended',
    );

    await withSession((session) => session.revokeAccess?.(ref));

    expect(await sleeping).toBe('ended');
    await expect(locking.query('SELECT 1')).rejects.toThrow();
  });

  it('stores a SCRAM verifier and sends no password', async () => {
    const person = newPerson();
    await create(person);
    const { rows } = await superuser.query<{ rolpassword: string }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
      [person.username],
    );
    expect(rows[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
    expect(rows[0]?.rolpassword).not.toContain(person.password);
  });

  it('keeps an account’s id when somebody renames the role', async () => {
    const person = newPerson();
    const ref = await create(person);
    const renamed = `renamed-${person.username}`;
    await superuser.query(`ALTER ROLE "${person.username}" RENAME TO "${renamed}"`);

    await withSession((session) => session.suspendAccount?.(ref));

    const account = await withSession((session) => session.getAccount(ref));
    expect(account).toMatchObject({ externalId: ref.externalId, username: renamed, state: 'suspended' });
  });

  it('leaves a role alone that doesn’t carry the mark', async () => {
    const stranger = `stranger_${randomBytes(4).toString('hex')}`;
    await superuser.query(`CREATE ROLE ${stranger} LOGIN`);
    const [found] = await withSession((session) => session.findAccounts({ mark: 'm', username: stranger, email: '' }));
    if (!found) throw new Error('the role was not found');
    expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null, state: 'active' } });

    for (const act of ['suspendAccount', 'removeAccount', 'revokeAccess'] as const) {
      const acting = withSession((session) => session[act]?.(found.account));
      await expect(acting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('mark') });
    }

    expect(await withSession((session) => session.getAccount(found.account))).toMatchObject({ state: 'active' });
  });

  it('leaves its own role alone, even when it carries the mark', async () => {
    const own = await fixture().ownPrincipal();
    const comment = JSON.stringify({ quartermaster: { mark: randomUUID(), credentialVersion: '1' } });
    await superuser.query(`COMMENT ON ROLE ${admin} IS ${pg.escapeLiteral(comment)}`);
    const suspending = withSession((session) => session.suspendAccount?.(own));
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden', message: expect.stringContaining('itself') });
    await superuser.query(`COMMENT ON ROLE ${admin} IS NULL`);
  });

  it.each([`o'brien"; DROP ROLE "x`, '\\back%I$$ %s', '李小龍 🦊', '{"quartermaster":{"mark":"x"}}', 'UPPER lower'])(
    'makes, changes and removes a role that is called %s',
    async (name) => {
      const username = `${name} ${randomBytes(3).toString('hex')}`;
      const ref = await create(newPerson(username));
      expect(ref.username).toBe(username);
      await withSession((session) => session.grant?.(ref, { kind: 'role', name: group }));
      await withSession((session) => session.suspendAccount?.(ref));
      await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
      expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ username, state: 'suspended' });
      await withSession((session) => session.removeAccount?.(ref));
      expect(await fixture().observe(username)).toBeNull();
    },
  );

  it('makes one role when two creates of one mark race with different names', async () => {
    const [first, second] = [newPerson(), newPerson()];
    const both = await Promise.all([
      withSession((session) => session.createAccount?.(first)),
      withSession((session) => session.createAccount?.({ ...second, mark: first.mark })),
    ]);
    expect(both.map(({ outcome }) => outcome).toSorted()).toEqual(['already', 'done']);
    const found = await withSession((session) => session.findAccounts({ mark: first.mark, username: '', email: '' }));
    expect(found).toHaveLength(1);
  });

  it('leaves a superuser alone, whatever its comment says', async () => {
    const [root] = await withSession((session) =>
      session.findAccounts({ mark: 'm', username: server.username, email: '' }),
    );
    if (!root) throw new Error('the superuser was not found');
    const suspending = withSession((session) => session.suspendAccount?.(root.account));
    await expect(suspending).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('names what a role owns instead of removing it, and leaves it as it was', async () => {
    const person = newPerson();
    const ref = await create(person);
    const table = `t_${randomBytes(4).toString('hex')}`;
    await superuser.query(`CREATE TABLE ${table} (); ALTER TABLE ${table} OWNER TO "${person.username}"`);

    const removing = withSession((session) => session.removeAccount?.(ref));
    await expect(removing).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(`table ${table}`),
    });

    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active' });
    await superuser.query(`DROP TABLE ${table}`);
    expect(await withSession((session) => session.removeAccount?.(ref))).toMatchObject({
      outcome: 'done',
    });
  });

  it('removes a person who is in groups', async () => {
    const ref = await create(newPerson());
    await withSession((session) => session.grant?.(ref, { kind: 'role', name: group }));
    expect((await withSession((session) => session.getAccount(ref)))?.grants).toHaveLength(1);
    await withSession((session) => session.removeAccount?.(ref));
    expect(await withSession((session) => session.getAccount(ref))).toBeNull();
  });

  it('refuses to grant a role that may make roles, and one that is a person', async () => {
    const ref = await create(newPerson());
    const other = newPerson();
    await create(other);
    const powerful = `powerful_${randomBytes(4).toString('hex')}`;
    await superuser.query(`CREATE ROLE ${powerful} CREATEROLE; GRANT ${powerful} TO ${admin} WITH ADMIN OPTION`);
    for (const [name, kind] of [
      [powerful, 'forbidden'],
      [other.username, 'invalid'],
    ] as const) {
      const granting = withSession((session) => session.grant?.(ref, { kind: 'role', name }));
      await expect(granting).rejects.toMatchObject({ kind });
    }
    expect((await withSession((session) => session.getAccount(ref)))?.grants).toEqual([]);
  });

  it('doesn’t say withdrawn while somebody else’s grant of the same role stands', async () => {
    const person = newPerson();
    const ref = await create(person);
    await superuser.query(`GRANT ${pg.escapeIdentifier(group)} TO "${person.username}"`);
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.grants).toEqual([{ kind: 'role', name: group }]);

    const withdrawing = withSession((session) => session.withdraw?.(ref, { kind: 'role', name: group }));

    // Up to 15 whoever may grant a role may take it back from anybody; later it takes the grantor's rights.
    if (version === 15) {
      expect(await withdrawing).toMatchObject({ outcome: 'done' });
      expect((await withSession((session) => session.getAccount(ref)))?.grants).toEqual([]);
    } else await expect(withdrawing).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('names each permission that is missing, and how to give it', async () => {
    const poor = `poor_${randomBytes(4).toString('hex')}`;
    await superuser.query(`CREATE ROLE ${poor} LOGIN PASSWORD '${ADMIN_PASSWORD}'`);
    const session = await open({ settings: { ...settings, user: poor } });
    const report = await session.check();
    expect(report.principal).toBe(poor);
    expect(report.missing).toContainEqual({
      capability: 'suspendAccount',
      permission: 'pg_signal_backend',
      remedy: `GRANT pg_signal_backend TO "${poor}";`,
    });
    expect(new Set(report.missing.map(({ permission }) => permission))).toEqual(
      new Set(['CREATEROLE', 'pg_signal_backend', 'ADMIN OPTION on a group role']),
    );
    await expect(session.createAccount?.(newPerson())).rejects.toMatchObject({ kind: 'forbidden' });
    await session.close();
  });

  it('says that sessions are still alive when it may not end them', async () => {
    const weak = `weak_${randomBytes(4).toString('hex')}`;
    await superuser.query(`CREATE ROLE ${weak} LOGIN CREATEROLE PASSWORD '${ADMIN_PASSWORD}'`);
    const person = newPerson();
    const session = await open({ settings: { ...settings, user: weak } });
    const created = await session.createAccount?.(person);
    if (created?.outcome !== 'done') throw new Error('not made');
    const live = await connectAs({ user: person.username, password: person.password });

    await expect(session.suspendAccount?.(created.value)).rejects.toMatchObject({
      kind: 'forbidden',
      permission: expect.stringContaining('pg_signal_backend'),
    });

    expect(await session.getAccount(created.value)).toMatchObject({ sessions: { seen: true, live: 1 } });
    await live.end();
    await session.close();
  });

  it('is over at its deadline, whatever the server does, and changes nothing', async () => {
    const person = newPerson();
    const ref = await create(person);
    await superuser.query('BEGIN');
    await superuser.query(`ALTER ROLE "${person.username}" CONNECTION LIMIT 5`);
    const started = Date.now();
    const session = await open({ call: callWithin(700) });

    await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'transient' });

    expect(Date.now() - started).toBeLessThan(2_500);
    await superuser.query('ROLLBACK');
    await session.close();
    expect(await withSession((fresh) => fresh.getAccount(ref))).toMatchObject({ state: 'active' });
  });

  it('can’t say that certificates are dead where the settings allow for them', async () => {
    const ref = await create(newPerson());
    const session = await open({ settings: { ...settings, passwordsOnly: false } });
    expect((await session.getAccount(ref))?.credentials).toMatchObject({ seen: false, residualUntil: null });
    await session.suspendAccount?.(ref);
    expect((await session.getAccount(ref))?.credentials).toEqual({ seen: true, live: 0 });
    await session.close();
  });

  it('proves the server over TLS, by the name in the settings', async () => {
    const { key, cert } = selfSignedFor('localhost');
    const proxy = createServer((socket) => {
      // PostgreSQL's own negotiation: the client asks with 8 bytes, the server says S, and TLS begins.
      socket.once('data', () => {
        socket.write('S');
        const secure = new TLSSocket(socket, { isServer: true, key, cert });
        const upstream = connect(Number(server.port), server.hostname);
        for (const end of [secure, upstream]) end.on('error', () => socket.destroy());
        secure.pipe(upstream).pipe(secure);
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const overTls = { ...settings, host: 'localhost', port, sslmode: 'verify-full' } as const;

    await expect(open({ settings: overTls })).rejects.toMatchObject({
      kind: 'auth-broken',
      message: expect.stringContaining('could not be proved over TLS'),
    });
    const certificateAuthority = cert.toString();
    const elsewhere = { ...overTls, certificateAuthority, host: '127.0.0.1' };
    await expect(open({ settings: elsewhere })).rejects.toMatchObject({ kind: 'auth-broken' });
    const session = await open({ settings: { ...overTls, certificateAuthority } });
    expect(await session.check()).toMatchObject({ principal: admin });
    await session.close();
    proxy.close();
  });

  it('says so when something else than PostgreSQL answers', async () => {
    const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
    await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
    const { port } = website.address() as AddressInfo;
    for (const sslmode of ['disable', 'require'] as const) {
      await expect(open({ settings: { ...settings, port, sslmode }, call: callWithin(1_500) })).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('does not answer like a PostgreSQL server'),
      });
    }
    website.close();
  });

  describe('given settings that are wrong', () => {
    it.each([
      ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { host: 'db.invalid' }, 'transient', /could not be resolved/],
      ['a database that isn’t there', { database: 'no such db' }, 'invalid', /has no database/],
      ['TLS where the server has none', { sslmode: 'verify-full' }, 'auth-broken', /does not offer TLS/],
      ['a user that isn’t there', { user: 'nobody-here' }, 'auth-broken', /wrong password/],
      ['a socket folder', { host: '/var/run/postgresql' }, 'invalid', /host/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = open({ settings: { ...settings, ...differing } });
      await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    });

    it('refuses a private address unless the tool allows it', async () => {
      await expect(
        open({ allowPrivateAddresses: false, settings: { ...settings, sslmode: 'require' } }),
      ).rejects.toMatchObject({
        kind: 'forbidden',
        permission: 'allowPrivateAddresses',
      });
    });

    it('refuses to send the password in the clear to a public address', async () => {
      await expect(open({ allowPrivateAddresses: false })).rejects.toMatchObject({ kind: 'invalid' });
    });
  });
});
