import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Attribute, Change, Client, EqualityFilter, OrFilter, type Entry } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hasSlapd,
  ROOT_DN,
  startSlapd,
  SUFFIX,
  type SlapdOptions,
  type TestSlapd,
} from '../../test/support/tool-servers/slapd.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { AccountRef, NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { escapeDnValue } from '../kit/ldap-client.js';
import { selfSignedFor } from '../kit/self-signed-certificate.js';
import { ldapConnector } from './connector.js';
import type { LdapSettings } from './manifest.js';

const PEOPLE = `ou=people,${SUFFIX}`;
const GROUPS = `ou=groups,${SUFFIX}`;
const OWN_DN = `uid=quartermaster,ou=services,${SUFFIX}`;
const OWN_PASSWORD = 'only-in-tests';
const GROUP = 'devs, "all" (*)';

/** Exactly what README.md tells an administrator to give. */
const LEAST_PRIVILEGE = [
  `to dn.subtree="${PEOPLE}" attrs=userPassword by dn.exact="${OWN_DN}" =wcx by anonymous auth by * none`,
  `to dn.subtree="${PEOPLE}" by dn.exact="${OWN_DN}" write by self read by * none`,
  `to dn.subtree="${GROUPS}" by dn.exact="${OWN_DN}" write by * none`,
  `to dn.subtree="ou=policies,${SUFFIX}" by dn.exact="${OWN_DN}" read by * none`,
  `to dn.exact="${OWN_DN}" attrs=userPassword by anonymous auth by * none`,
  `to dn.exact="${OWN_DN}" by self read by * none`,
  'to dn.base="" by * read',
  'to * by * none',
];
const LIMITS = [`limits dn.exact="${OWN_DN}" size=unlimited time=unlimited`];

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
  const holder = {
    personId: randomUUID(),
    givenName: 'Ada',
    familyName: 'Lovelace',
    displayName: 'Ada Lovelace',
    email: `${randomBytes(5).toString('hex')}@corp.example`,
  };
  return { mark: randomUUID(), username, holder, password: 'first-password' };
}

/** The directory’s own administrator: goes around the connector. */
class Administrator {
  private constructor(
    readonly client: Client,
    readonly server: TestSlapd,
  ) {}

  static async of(server: TestSlapd): Promise<Administrator> {
    const client = new Client({ url: `ldap://127.0.0.1:${server.ldapPort}` });
    await client.bind(ROOT_DN, server.rootPassword);
    await client.add(OWN_DN, {
      objectClass: ['account', 'simpleSecurityObject'],
      uid: 'quartermaster',
      userPassword: OWN_PASSWORD,
    });
    await client.add(`cn=devs,${GROUPS}`, { objectClass: 'groupOfNames', cn: GROUP, member: [''] });
    return new Administrator(client, server);
  }

  async entry(dnOrUid: string): Promise<Entry | null> {
    const filter = new OrFilter({
      filters: [
        new EqualityFilter({ attribute: 'uid', value: dnOrUid }),
        ...(dnOrUid.endsWith(SUFFIX) ? [new EqualityFilter({ attribute: 'entryDN', value: dnOrUid })] : []),
      ],
    });
    const { searchEntries } = await this.client.search(SUFFIX, { scope: 'sub', filter, attributes: ['*', '+'] });
    return searchEntries[0] ?? null;
  }

  async groupsOf(dn: string): Promise<readonly string[]> {
    const filter = new EqualityFilter({ attribute: 'member', value: dn });
    const { searchEntries } = await this.client.search(GROUPS, { scope: 'sub', filter, attributes: ['cn'] });
    return searchEntries.flatMap(({ cn }) => (Array.isArray(cn) ? cn.map(String) : [String(cn)]));
  }

  replace(dn: string, type: string, values: string[] | Buffer[]): Promise<void> {
    return this.client.modify(dn, new Change({ operation: 'replace', modification: new Attribute({ type, values }) }));
  }

  /** What an application does: finds the entry’s name, and signs in as it. Null when the directory refuses. */
  async signIn(uid: string, password: string): Promise<Client | null> {
    const entry = await this.entry(uid);
    const client = new Client({ url: `ldap://127.0.0.1:${this.server.ldapPort}` });
    return client.bind(entry?.dn ?? `uid=${escapeDnValue(uid)},${PEOPLE}`, password).then(
      () => client,
      async () => {
        await client.unbind();
        return null;
      },
    );
  }
}

describe.skipIf(!hasSlapd())('the LDAP connector, against OpenLDAP', () => {
  let server: TestSlapd;
  let admin: Administrator;
  let settings: LdapSettings;
  let good: Omit<ToolConnection<LdapSettings>, 'call'>;

  const settingsFor = (of: TestSlapd): LdapSettings => ({
    host: of.host,
    port: of.ldapsPort,
    tls: 'ldaps',
    certificateAuthority: of.certificate,
    bindDn: OWN_DN,
    userBase: PEOPLE,
    groupBase: GROUPS,
    groupKind: 'groupOfNames',
    markAttribute: 'description',
    keyAttributes: ['userCertificate;binary'],
  });

  beforeAll(async () => {
    server = await startSlapd({ access: LEAST_PRIVILEGE, more: LIMITS });
    admin = await Administrator.of(server);
    settings = settingsFor(server);
    good = { settings, secrets: { password: OWN_PASSWORD }, allowPrivateAddresses: true };
  });
  afterAll(async () => {
    await admin?.client.unbind();
    await server?.stop();
  });

  async function open(differing: Partial<ToolConnection<LdapSettings>> = {}): Promise<ToolSession> {
    return ldapConnector.open({ ...good, call: callWithin(10_000), ...differing });
  }

  async function withSession<T>(
    work: (session: ToolSession) => Promise<T> | undefined,
    differing: Partial<LdapSettings> = {},
  ): Promise<T> {
    const session = await open({ settings: { ...settings, ...differing } });
    try {
      const working = work(session);
      if (!working) throw new Error('the session has no such method');
      return await working;
    } finally {
      await session.close();
    }
  }

  async function create(person: NewAccount): Promise<AccountRef> {
    const result = await withSession((session) => session.createAccount?.(person));
    if (result.outcome !== 'done') throw new Error(`create answered ${result.outcome}`);
    return result.value;
  }

  const fixture = (): ConformanceFixture<LdapSettings> => ({
    good,
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'group', name: GROUP },
    // Applications sign in to a directory for each use; what stays of an open connection has a test of its own.
    async signIn(username, password) {
      const client = await admin.signIn(username, password);
      if (!client) return null;
      await client.unbind();
      const works = async () => {
        const again = await admin.signIn(username, password);
        await again?.unbind();
        return again !== null;
      };
      return { works, end: async () => undefined };
    },
    async observe(username) {
      const entry = await admin.entry(username);
      if (!entry) return null;
      const state = entry['pwdAccountLockedTime'] === '000001010000Z' ? 'suspended' : 'active';
      return { externalId: String(entry['entryUUID']), state, groups: await admin.groupsOf(entry.dn) };
    },
    async ownPrincipal() {
      return { externalId: String((await admin.entry(OWN_DN))?.['entryUUID']), username: OWN_DN };
    },
    async makeTwoWithMark(mark) {
      for (const uid of [`first-${mark}`, `second-${mark}`]) {
        const description = `quartermaster-mark:${mark}`;
        await admin.client.add(`uid=${uid},${PEOPLE}`, {
          objectClass: 'inetOrgPerson',
          uid,
          cn: uid,
          sn: uid,
          description,
        });
      }
    },
  });

  for (const check of conformanceChecks(ldapConnector, fixture)) it(check.name, check.run);

  it('keeps the mark beside what else the attribute holds, and stores no password in the clear', async () => {
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await admin.entry(person.username))?.dn);
    const modification = new Attribute({ type: 'description', values: ['sits by the window'] });
    await admin.client.modify(dn, new Change({ operation: 'add', modification }));

    await withSession((session) => session.resetCredentials?.(ref, 'second-password'));

    const entry = await admin.entry(person.username);
    expect(entry?.['description']).toHaveLength(3);
    expect(entry?.['description']).toContain('sits by the window');
    expect(String(entry?.['userPassword'])).toMatch(/^\{SSHA\}/);
  });

  it('says that an open connection outlives a suspension, and until when at the latest', async () => {
    const person = newPerson();
    const ref = await create(person);
    const live = await admin.signIn(person.username, person.password);
    await withSession((session) => session.suspendAccount?.(ref));

    const dn = String((await admin.entry(person.username))?.dn);
    const own = await live?.search(dn, { scope: 'base', attributes: ['uid'] });
    expect(own?.searchEntries, 'the open connection').toHaveLength(1);
    await live?.unbind();

    const unknown = await withSession((session) => session.getAccount(ref));
    expect(unknown?.sessions).toMatchObject({ seen: false, residualUntil: null });
    const known = await withSession((session) => session.getAccount(ref), { applicationSessionMinutes: 60 });
    if (!known || known.sessions.seen) throw new Error('sessions can’t be seen');
    const minutesAhead = (Number(known.sessions.residualUntil) - Date.now()) / 60_000;
    expect(minutesAhead).toBeGreaterThan(58);
    expect(minutesAhead).toBeLessThan(61);
  });

  it('leaves no moment in which a reset lets a suspended person in', async () => {
    const person = newPerson();
    const ref = await create(person);
    await withSession((session) => session.suspendAccount?.(ref));
    let over = false;
    const trying = (async () => {
      let letIn = 0;
      while (!over) {
        const live = await admin.signIn(person.username, 'second-password');
        if (live) letIn += 1;
        await live?.unbind();
      }
      return letIn;
    })();

    for (let round = 0; round < 20; round += 1) {
      await withSession((session) => session.resetCredentials?.(ref, 'second-password'));
    }
    over = true;

    expect(await trying).toBe(0);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'suspended' });
  });

  it('takes keys away that the directory hands to others, when it suspends and when it resets', async () => {
    for (const act of ['suspendAccount', 'resetCredentials'] as const) {
      const person = newPerson();
      const ref = await create(person);
      const dn = String((await admin.entry(person.username))?.dn);
      const der = Buffer.from(
        selfSignedFor('ada')
          .cert.toString()
          .replace(/-----.*-----|\s/g, ''),
        'base64',
      );
      await admin.replace(dn, 'userCertificate;binary', [der]);
      const before = await withSession((session) => session.getAccount(ref));
      expect(before?.credentials).toEqual({ seen: true, live: 1 });

      const result = await withSession((session) => session[act]?.(ref, 'second-password'));

      expect(result).toMatchObject({ outcome: 'done', sideEffects: ['every userCertificate;binary removed'] });
      const after = await withSession((session) => session.getAccount(ref));
      expect(after?.credentials).toEqual({ seen: true, live: 0 });
    }
  });

  it('doesn’t take a lock-out after wrong passwords for a suspension', async () => {
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await admin.entry(person.username))?.dn);
    await admin.replace(dn, 'pwdAccountLockedTime', ['20260101120000Z']);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active' });

    expect(await withSession((session) => session.suspendAccount?.(ref))).toMatchObject({ outcome: 'done' });

    expect((await admin.entry(person.username))?.['pwdAccountLockedTime']).toBe('000001010000Z');
  });

  it('refuses to suspend under a password policy of the entry’s own that ignores locks', async () => {
    const policy = `cn=lenient,ou=policies,${SUFFIX}`;
    await admin.client.add(policy, {
      objectClass: ['device', 'pwdPolicy'],
      cn: 'lenient',
      pwdAttribute: 'userPassword',
      pwdLockout: 'FALSE',
    });
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await admin.entry(person.username))?.dn);
    await admin.replace(dn, 'pwdPolicySubentry', [policy]);

    const suspending = withSession((session) => session.suspendAccount?.(ref));

    await expect(suspending).rejects.toMatchObject({ kind: 'invalid', remedy: expect.stringContaining(policy) });
    await admin.replace(dn, 'pwdAccountLockedTime', ['000001010000Z']);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active' });
  });

  it('takes somebody out of their groups before it removes them, and leaves the last group standing', async () => {
    const group = `cn=lonely,${GROUPS}`;
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await admin.entry(person.username))?.dn);
    await admin.client.add(group, { objectClass: 'groupOfNames', cn: 'lonely', member: [dn] });

    expect(await withSession((session) => session.removeAccount?.(ref))).toMatchObject({
      outcome: 'done',
      sideEffects: ['taken out of 1 groups'],
    });

    expect(await admin.groupsOf(dn)).toEqual([]);
    expect((await admin.client.search(group, { scope: 'base' })).searchEntries).toMatchObject([{ member: '' }]);
  });

  it.each(['groupOfUniqueNames', 'posixGroup'] as const)('grants and withdraws a %s', async (groupKind) => {
    const name = `${groupKind}-${randomBytes(3).toString('hex')}`;
    const required: Record<string, string> = groupKind === 'posixGroup' ? { gidNumber: '4711' } : { uniqueMember: '' };
    await admin.client.add(`cn=${name},${GROUPS}`, { objectClass: groupKind, cn: name, ...required });
    const ref = await create(newPerson());
    const grant = { kind: 'group', name } as const;
    const grants = async () => (await withSession((session) => session.getAccount(ref), { groupKind }))?.grants;

    expect(await withSession((session) => session.grant?.(ref, grant), { groupKind })).toMatchObject({
      outcome: 'done',
    });
    expect(await grants()).toEqual([grant]);
    await withSession((session) => session.withdraw?.(ref, grant), { groupKind });
    expect(await grants()).toEqual([]);
  });

  it('keeps an entry’s id when somebody renames it', async () => {
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await admin.entry(person.username))?.dn);
    await admin.client.modifyDN(dn, `uid=renamed-${person.username},${PEOPLE}`);

    await withSession((session) => session.suspendAccount?.(ref));

    const account = await withSession((session) => session.getAccount(ref));
    expect(account).toMatchObject({ username: `renamed-${person.username}`, state: 'suspended' });
  });

  it('leaves an entry alone that doesn’t carry the mark', async () => {
    const uid = `stranger-${randomBytes(4).toString('hex')}`;
    await admin.client.add(`uid=${uid},${PEOPLE}`, { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid });
    const [found] = await withSession((session) => session.findAccounts({ mark: 'm', username: uid, email: '' }));
    if (!found) throw new Error('the entry was not found');
    expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null } });

    for (const act of ['suspendAccount', 'restoreAccount', 'removeAccount'] as const) {
      const acting = withSession((session) => session[act]?.(found.account));
      await expect(acting).rejects.toMatchObject({ kind: 'invalid', message: expect.stringContaining('mark') });
    }
  });

  it('finds two accounts that match by different things, and says how each did', async () => {
    const [first, second] = [newPerson(), newPerson()];
    await create(first);
    await create(second);
    const query = { mark: first.mark, username: 'nobody', email: second.holder.email };
    const found = await withSession((session) => session.findAccounts(query));
    const usernames = Object.fromEntries(found.map(({ matchedBy, account }) => [matchedBy, account.username]));
    expect(usernames).toEqual({ email: second.username, mark: first.username });
  });

  it.each([
    'o"brien, #1 + <all>; = \\',
    '*)(uid=*))(|(uid=*',
    '#leading and =equal',
    '李小龍 🦊 ‎rtl',
    'Ünïcödé\\2c\\00',
  ])('makes, changes and removes somebody who is called %s', async (name) => {
    const username = `${name}${randomBytes(3).toString('hex')}`;
    const person = newPerson(username);
    const ref = await create({ ...person, holder: { ...person.holder, familyName: name, displayName: name } });
    expect((await admin.entry(username))?.['uid']).toBe(username);
    await withSession((session) => session.grant?.(ref, { kind: 'group', name: GROUP }));
    expect((await withSession((session) => session.getAccount(ref)))?.grants).toHaveLength(1);
    await withSession((session) => session.suspendAccount?.(ref));
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ username, state: 'suspended' });
    await withSession((session) => session.removeAccount?.(ref));
    expect(await admin.entry(username)).toBeNull();
  });

  it.each(['', ' leading', 'trailing ', 'nul\u0000byte', 'line\nbreak', 'n'.repeat(300), '🦊'.repeat(75)])(
    'refuses the user name %j and makes nothing',
    async (username) => {
      const { client } = admin;
      const count = async () =>
        (await client.search(PEOPLE, { scope: 'one', attributes: ['uid'] })).searchEntries.length;
      const before = await count();
      await expect(withSession((session) => session.createAccount?.(newPerson(username)))).rejects.toMatchObject({
        kind: 'invalid',
      });
      expect(await count()).toBe(before);
    },
  );

  it('makes at most one entry when two creates of one mark race under two names', async () => {
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

  it('lists more people than a page holds, over StartTLS', async () => {
    const many = `ou=many-${randomBytes(3).toString('hex')},${PEOPLE}`;
    await admin.client.add(many, { objectClass: 'organizationalUnit' });
    for (let index = 0; index < 1_100; index += 1) {
      const uid = `many-${index}`;
      await admin.client.add(`uid=${uid},${many}`, { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid });
    }
    const differing = { userBase: many, tls: 'starttls', port: server.ldapPort } as const;

    const page = await withSession((session) => session.listAccounts?.(null), differing);

    expect(page).toMatchObject({ complete: true, next: null });
    expect(new Set(page.accounts.map(({ externalId }) => externalId)).size).toBe(1_100);
  });

  it('leaves nothing of a check behind', async () => {
    await withSession((session) => session.check());
    const filter = '(uid=quartermaster-check-*)';
    expect((await admin.client.search(PEOPLE, { scope: 'sub', filter })).searchEntries).toEqual([]);
  });

  it('is over at its deadline when the server stops answering, and says that the change may have been made', async () => {
    const silent = await listening((socket) => void socket.once('data', () => undefined));
    const started = Date.now();
    const stuck = open({ settings: { ...settings, port: silent.port, tls: 'none' }, call: callWithin(500) });
    await expect(stuck).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('in the time given'),
    });
    expect(Date.now() - started).toBeLessThan(2_000);
    silent.server.close();
  });

  it('calls a change ambiguous whose answer was lost', async () => {
    const person = newPerson();
    const ref = await create(person);
    // Passes everything on, and hangs up instead of passing on the answer to a change.
    const { connect } = await import('node:net');
    const proxy = await listening((socket) => {
      const upstream = connect(server.ldapPort, '127.0.0.1');
      let isChange = false;
      socket.on('data', (data: Buffer) => {
        // Message, its id (one byte here), and then the operation: 0x66 is a modify (RFC 4511, section 4.6).
        isChange = data[data[1] === 0x82 ? 7 : data[1] === 0x81 ? 6 : 5] === 0x66;
        upstream.write(data);
      });
      upstream.on('data', (data: Buffer) => (isChange ? socket.destroy() : socket.write(data)));
      for (const end of [socket, upstream]) end.on('error', () => undefined).on('close', () => upstream.destroy());
    });
    const through = { ...settings, port: proxy.port, tls: 'none' } as const;

    const suspending = open({ settings: through }).then((session) => session.suspendAccount?.(ref));

    await expect(suspending).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'suspended' });
    proxy.server.close();
  });

  describe('given settings that are wrong', () => {
    it.each([
      ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { host: 'ldap.invalid' }, 'transient', /could not be resolved/],
      ['a certificate nobody vouches for', { certificateAuthority: undefined }, 'auth-broken', /could not be proved/],
      ['another name than the certificate’s', { host: '127.0.0.1' }, 'auth-broken', /could not be proved/],
      ['a bind DN that isn’t there', { bindDn: `uid=x,${PEOPLE}` }, 'auth-broken', /does not let/],
      ['a bind DN that is none', { bindDn: 'quartermaster' }, 'invalid', /bindDn/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = open({ settings: { ...settings, ...differing } });
      await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    });

    it('proves the server over StartTLS too', async () => {
      const starttls = { ...settings, tls: 'starttls', port: server.ldapPort } as const;
      const session = await open({ settings: starttls });
      expect(await session.check()).toMatchObject({ principal: OWN_DN });
      await session.close();
      for (const differing of [{ certificateAuthority: undefined }, { host: '127.0.0.1' }]) {
        const opening = open({ settings: { ...starttls, ...differing } });
        await expect(opening).rejects.toMatchObject({ kind: 'auth-broken', message: expect.stringMatching(/proved/) });
      }
    });

    it('says that a port speaks no TLS', async () => {
      const opening = open({ settings: { ...settings, port: server.ldapPort }, call: callWithin(3_000) });
      await expect(opening).rejects.toMatchObject({
        kind: 'transient',
        remedy: expect.stringContaining('389 after StartTLS'),
      });
    });

    it('says so when something else than a directory answers', async () => {
      const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
      await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
      const { port } = website.address() as AddressInfo;
      const opening = open({ settings: { ...settings, port, tls: 'none' }, call: callWithin(3_000) });
      await expect(opening).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('does not answer like a directory server'),
      });
      website.close();
    });

    it('doesn’t take a base that isn’t there for a directory without people', async () => {
      const differing = { userBase: `ou=elsewhere,${SUFFIX}` };
      const looking = withSession(
        (session) => session.getAccount({ externalId: randomUUID(), username: 'x' }),
        differing,
      );
      await expect(looking).rejects.toMatchObject({
        kind: 'forbidden',
        permission: expect.stringContaining('elsewhere'),
      });
    });

    it('refuses a private address unless the tool allows it, and a password in the clear to a public one', async () => {
      await expect(open({ allowPrivateAddresses: false })).rejects.toMatchObject({ kind: 'forbidden' });
      const clear = { ...settings, tls: 'none', host: 'ldap.example' } as const;
      await expect(open({ allowPrivateAddresses: false, settings: clear })).rejects.toMatchObject({ kind: 'invalid' });
    });
  });
});

describe.skipIf(!hasSlapd())('the LDAP connector’s check', () => {
  async function missingAt(options: SlapdOptions) {
    const server = await startSlapd(options);
    const admin = await Administrator.of(server);
    const settings: LdapSettings = {
      host: server.host,
      port: server.ldapsPort,
      tls: 'ldaps',
      certificateAuthority: server.certificate,
      bindDn: OWN_DN,
      userBase: PEOPLE,
      groupBase: GROUPS,
      groupKind: 'groupOfNames',
      markAttribute: 'description',
      keyAttributes: [],
    };
    const connection = {
      settings,
      secrets: { password: OWN_PASSWORD },
      allowPrivateAddresses: true,
      call: callWithin(10_000),
    };
    const session = await ldapConnector.open(connection);
    try {
      return { missing: (await session.check()).missing, session, admin, server };
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  const cases: readonly (readonly [string, SlapdOptions, RegExp, RegExp, readonly string[]])[] = [
    [
      'the ppolicy overlay',
      { access: LEAST_PRIVILEGE, hasPpolicy: false },
      /the ppolicy overlay|hashed by the server/,
      /ppolicy/i,
      ['createAccount', 'resetCredentials', 'suspendAccount', 'restoreAccount'],
    ],
    [
      'a policy that honours locks',
      { access: LEAST_PRIVILEGE, pwdLockout: false },
      /honours locks/,
      /pwdLockout: TRUE/,
      ['suspendAccount', 'restoreAccount'],
    ],
    [
      'hashed passwords',
      { access: LEAST_PRIVILEGE, hashesPasswords: false },
      /hashed by the server/,
      /ppolicy_hash_cleartext/,
      ['createAccount', 'resetCredentials'],
    ],
    [
      'the right to make entries',
      {
        access: [
          `to dn.subtree="${PEOPLE}" by dn.exact="${OWN_DN}" read by anonymous auth`,
          ...LEAST_PRIVILEGE.slice(2),
        ],
      },
      /write to entry, children/,
      new RegExp(`by dn.exact="${OWN_DN}" write`),
      ['createAccount', 'suspendAccount', 'restoreAccount', 'removeAccount', 'resetCredentials'],
    ],
    [
      'the right to lock',
      {
        access: [
          `to dn.subtree="${PEOPLE}" attrs=pwdAccountLockedTime by dn.exact="${OWN_DN}" read by * none`,
          ...LEAST_PRIVILEGE,
        ],
      },
      /write to pwdAccountLockedTime/,
      /attrs=pwdAccountLockedTime/,
      ['suspendAccount', 'restoreAccount'],
    ],
    [
      'the right to change groups',
      {
        access: LEAST_PRIVILEGE.map((rule) =>
          rule.includes(GROUPS) ? `to dn.subtree="${GROUPS}" by dn.exact="${OWN_DN}" read by * none` : rule,
        ),
      },
      /members of groups/,
      new RegExp(GROUPS),
      ['grant', 'withdraw'],
    ],
  ];

  it.each(cases)(
    'names %s when it is missing, and how to give it',
    async (_what, options, permission, remedy, acts) => {
      const { missing, session, admin, server } = await missingAt(options);
      try {
        expect(missing.map(({ capability }) => capability)).toEqual(acts);
        for (const one of missing) {
          expect(one.permission).toMatch(permission);
          expect(one.remedy).toMatch(remedy);
        }
        if (acts.includes('removeAccount')) {
          await expect(session.createAccount?.(newPerson())).rejects.toMatchObject({ kind: 'forbidden' });
        }
        if (options.hasPpolicy === false) {
          const person = newPerson();
          const created = await session.createAccount?.(person);
          if (created?.outcome !== 'done') throw new Error('not made');
          await expect(session.suspendAccount?.(created.value)).rejects.toMatchObject({ kind: 'unsupported' });
        }
      } finally {
        await session.close();
        await admin.client.unbind();
        await server.stop();
      }
    },
  );

  it('says that a listing which the server cut short is not complete', async () => {
    const limits = [`limits dn.exact="${OWN_DN}" size.soft=5 size.hard=5 size.prtotal=5`];
    const { session, admin, server } = await missingAt({ access: LEAST_PRIVILEGE, more: limits });
    for (let index = 0; index < 8; index += 1) {
      const uid = `many-${index}`;
      await admin.client.add(`uid=${uid},${PEOPLE}`, { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid });
    }

    expect(await session.listAccounts?.(null)).toMatchObject({ complete: false, next: null });

    await session.close();
    await admin.client.unbind();
    await server.stop();
  });
});

async function listening(
  onSocket: Parameters<typeof createServer>[1] & object,
): Promise<{ server: Server; port: number }> {
  const server = createServer(onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
