import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Attribute, Change, Client, EqualityFilter, type Entry } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMINISTRATOR,
  DOMAIN,
  hasSamba,
  startDomain,
  type TestDomain,
} from '../../test/support/tool-servers/samba.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { AccountRef, NewAccount, ToolConnection, ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { activeDirectoryConnector } from './connector.js';
import { encodePassword, formatGuid, parseFileTime, parseGuid } from './directory-values.js';
import type { ActiveDirectorySettings } from './manifest.js';

const PEOPLE = `OU=People,${DOMAIN}`;
const GROUPS = `OU=Groups,${DOMAIN}`;
const COMPUTERS = `OU=Laptops,${DOMAIN}`;
const OWN = 'quartermaster';
const OWN_DN = `CN=${OWN},CN=Users,${DOMAIN}`;
const OWN_PASSWORD = 'Only-in-tests-2';
const RECOVERY_PASSWORD = '111111-222222-333333-444444-555555-666666-777777-888888';

function newPerson(username = `ada-${randomBytes(5).toString('hex')}`): NewAccount {
  const email = `${randomBytes(5).toString('hex')}@corp.example`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  return { mark: randomUUID(), username, holder: { personId: randomUUID(), ...names, email }, password: newPassword() };
}

/** Without letters by chance: the directory refuses a password that holds a part of its person's name. */
function newPassword(): string {
  return `Qx-${randomBytes(8).readBigUInt64BE()}`;
}

describe('values of Active Directory', () => {
  it('reads and writes a GUID as Windows shows it', () => {
    const bytes = Buffer.from('33221100554477668899aabbccddeeff', 'hex');
    expect(formatGuid(bytes)).toBe('00112233-4455-6677-8899-aabbccddeeff');
    expect(parseGuid('00112233-4455-6677-8899-AABBCCDDEEFF')).toEqual(bytes);
    expect(parseGuid('not one')).toBeNull();
  });

  it('reads the time since 1601, and never', () => {
    expect(parseFileTime('116444736000000000')).toEqual(new Date(0));
    for (const never of ['0', '9223372036854775807', '', null, '-1']) expect(parseFileTime(never)).toBeNull();
  });
});

describe.skipIf(!hasSamba())('the Active Directory connector, against a Samba domain controller', () => {
  let domain: TestDomain;
  let admin: Client;
  let settings: ActiveDirectorySettings;
  let good: Omit<ToolConnection<ActiveDirectorySettings>, 'call'>;
  let computer: string;
  let recovery: string;

  beforeAll(async () => {
    domain = await startDomain();
    admin = await signedIn(ADMINISTRATOR, domain.administratorPassword);
    for (const dn of [PEOPLE, GROUPS, COMPUTERS]) await admin.add(dn, { objectClass: 'organizationalUnit' });
    await addUser(OWN_DN, OWN, OWN_PASSWORD);
    await admin.add(`CN=developers,${GROUPS}`, { objectClass: 'group', sAMAccountName: 'developers' });
    // What README.md tells an administrator to delegate.
    await domain.delegate(OWN_DN, PEOPLE, 'GA');
    await domain.delegate(OWN_DN, GROUPS, 'RPWPLCLORC');
    await domain.delegate(OWN_DN, COMPUTERS, 'RPLCLORCCR');
    await addComputer();
    settings = {
      host: domain.host,
      port: 636,
      tls: 'ldaps',
      certificateAuthority: domain.certificate,
      bindName: `${OWN}@corp.example`,
      domainBase: DOMAIN,
      userBase: PEOPLE,
      groupBase: GROUPS,
      computerBase: COMPUTERS,
      upnSuffix: 'corp.example',
      markAttribute: 'extensionName',
      keyAttributes: ['userCertificate'],
      ticketHours: 10,
    };
    good = { settings, secrets: { password: OWN_PASSWORD }, allowPrivateAddresses: true };
  });
  afterAll(async () => {
    await admin?.unbind();
    await domain?.stop();
  });

  async function signedIn(name: string, password: string): Promise<Client> {
    const client = new Client({ url: `ldaps://${domain.host}`, tlsOptions: { ca: domain.certificate } });
    await client.bind(name, password).catch(async (error: unknown) => {
      await client.unbind();
      throw error;
    });
    return client;
  }

  async function addUser(dn: string, name: string, password: string): Promise<void> {
    await admin.add(dn, [
      new Attribute({ type: 'objectClass', values: ['user'] }),
      new Attribute({ type: 'sAMAccountName', values: [name] }),
      new Attribute({ type: 'userPrincipalName', values: [`${name}@corp.example`] }),
      new Attribute({ type: 'unicodePwd', values: [encodePassword(password)] }),
      new Attribute({ type: 'userAccountControl', values: ['512'] }),
    ]);
  }

  async function addComputer(): Promise<void> {
    const dn = `CN=LAPTOP-1,${COMPUTERS}`;
    await admin.add(dn, {
      objectClass: 'computer',
      sAMAccountName: 'LAPTOP-1$',
      userAccountControl: '4096',
      operatingSystem: 'Windows 11 Pro',
      dNSHostName: 'laptop-1.corp.example',
    });
    const key = `CN=2026-01-01T00:00:00-00:00{00112233-4455-6677-8899-AABBCCDDEEFF},${dn}`;
    await admin.add(key, [
      new Attribute({ type: 'objectClass', values: ['msFVE-RecoveryInformation'] }),
      new Attribute({ type: 'msFVE-RecoveryGuid', values: [guid('00112233-4455-6677-8899-aabbccddeeff')] }),
      new Attribute({ type: 'msFVE-VolumeGuid', values: [guid('ffeeddcc-bbaa-9988-7766-554433221100')] }),
      new Attribute({ type: 'msFVE-RecoveryPassword', values: [RECOVERY_PASSWORD] }),
    ]);
    [computer, recovery] = [await guidAt(dn), await guidAt(key)];
  }

  const guid = (text: string) => parseGuid(text) ?? Buffer.alloc(0);

  async function guidAt(dn: string): Promise<string> {
    const options = { scope: 'base', attributes: ['objectGUID'], explicitBufferAttributes: ['objectGUID'] } as const;
    const { searchEntries } = await admin.search(dn, {
      ...options,
      attributes: [...options.attributes],
      explicitBufferAttributes: ['objectGUID'],
    });
    return formatGuid(searchEntries[0]?.['objectGUID'] as Buffer);
  }

  async function entryOf(name: string): Promise<Entry | null> {
    const filter = new EqualityFilter({ attribute: 'sAMAccountName', value: name });
    return (await admin.search(DOMAIN, { scope: 'sub', filter })).searchEntries[0] ?? null;
  }

  async function open(differing: Partial<ToolConnection<ActiveDirectorySettings>> = {}): Promise<ToolSession> {
    return activeDirectoryConnector.open({ ...good, call: callWithin(15_000), ...differing });
  }

  async function withSession<T>(
    work: (session: ToolSession) => Promise<T> | undefined,
    differing: Partial<ToolConnection<ActiveDirectorySettings>> = {},
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

  async function create(person = newPerson()): Promise<AccountRef> {
    const result = await withSession((session) => session.createAccount?.(person));
    if (result.outcome !== 'done') throw new Error(`create answered ${result.outcome}`);
    return result.value;
  }

  const mayEnter = (username: string, password: string) =>
    signedIn(`${username}@corp.example`, password).then(
      async (client) => {
        await client.unbind();
        return true;
      },
      () => false,
    );

  const fixture = (): ConformanceFixture<ActiveDirectorySettings> => ({
    good,
    wrongSecrets: { password: 'not-this-one' },
    group: { kind: 'group', name: 'developers' },
    // Signing in anew is what a directory decides; tickets that are out already are told of by `sessions`.
    async signIn(username, password) {
      if (!(await mayEnter(username, password))) return null;
      return { works: () => mayEnter(username, password), end: async () => undefined };
    },
    async observe(username) {
      const entry = await entryOf(username).catch(() => null);
      if (!entry) return null;
      const groups = entry['memberOf'] ?? [];
      return {
        externalId: await guidAt(entry.dn),
        state: (Number(entry['userAccountControl']) & 2) === 0 ? 'active' : 'suspended',
        groups: (Array.isArray(groups) ? groups : [groups]).map((dn) => /^CN=([^,]*)/.exec(String(dn))?.[1] ?? ''),
      };
    },
    ownPrincipal: async () => ({ externalId: await guidAt(OWN_DN), username: OWN }),
    async makeTwoWithMark(mark) {
      for (const name of ['a', 'b'].map((letter) => `${letter}-${randomBytes(4).toString('hex')}`)) {
        const dn = `CN=${name},${PEOPLE}`;
        await admin.add(dn, { objectClass: 'user', sAMAccountName: name, extensionName: `quartermaster-mark:${mark}` });
      }
    },
  });

  for (const check of conformanceChecks(activeDirectoryConnector, fixture)) it(check.name, check.run);

  it('says until when Kerberos tickets may live on', async () => {
    const ref = await create();
    const before = await withSession((session) => session.getAccount(ref));
    expect(before?.sessions).toMatchObject({ seen: false, residualUntil: null });
    await withSession((session) => session.suspendAccount?.(ref));
    const after = await withSession((session) => session.getAccount(ref));
    if (!after || after.sessions.seen) throw new Error('sessions can’t be seen');
    const hours = (Number(after.sessions.residualUntil) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(9.9);
    expect(hours).toBeLessThan(10.1);
  });

  it('keeps the other bits of userAccountControl', async () => {
    const person = newPerson();
    const ref = await create(person);
    const dn = String((await entryOf(person.username))?.dn);
    const modification = new Attribute({ type: 'userAccountControl', values: [String(0x200 | 0x10000)] });
    await admin.modify(dn, new Change({ operation: 'replace', modification }));
    await withSession((session) => session.suspendAccount?.(ref));
    expect((await entryOf(person.username))?.['userAccountControl']).toBe(String(0x200 | 0x10000 | 2));
    await withSession((session) => session.restoreAccount?.(ref));
    expect((await entryOf(person.username))?.['userAccountControl']).toBe(String(0x200 | 0x10000));
  });

  it('keeps an account’s id when somebody renames it', async () => {
    const person = newPerson();
    const ref = await create(person);
    await admin.modifyDN(String((await entryOf(person.username))?.dn), `CN=renamed-${person.username},${PEOPLE}`);
    await withSession((session) => session.suspendAccount?.(ref));
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'suspended' });
  });

  it('never takes an account for gone that somebody moved to another unit, and names what it may not do there', async () => {
    const person = newPerson();
    const ref = await create(person);
    const moved = `CN=${person.username},${COMPUTERS}`;
    await admin.modifyDN(String((await entryOf(person.username))?.dn), moved);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active' });
    expect(await withSession((session) => session.createAccount?.(person))).toMatchObject({ outcome: 'already' });
    const suspending = withSession((session) => session.suspendAccount?.(ref));
    await expect(suspending).rejects.toMatchObject({
      kind: 'forbidden',
      permission: expect.stringContaining('userAccountControl'),
    });
    expect(await mayEnter(person.username, person.password)).toBe(true);
  });

  it('leaves an account alone that doesn’t carry the mark', async () => {
    const name = `str-${randomBytes(4).toString('hex')}`;
    await addUser(`CN=${name},${PEOPLE}`, name, newPassword());
    const [found] = await withSession((session) => session.findAccounts({ mark: 'm', username: name, email: '' }));
    if (!found) throw new Error('not found');
    expect(found).toMatchObject({ matchedBy: 'username', account: { mark: null } });
    for (const act of ['suspendAccount', 'removeAccount'] as const) {
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
    expect(found).toHaveLength(2);
    expect(Object.fromEntries(found.map(({ matchedBy, account }) => [matchedBy, account.username]))).toEqual({
      mark: first.username,
      email: second.username,
    });
  });

  it.each(["o'brien #1", '李小龍 🦊', 'Ünï(cödé)'])(
    'makes, changes and removes somebody who is called %s',
    async (name) => {
      const username = `${name}${randomBytes(2).toString('hex')}`;
      const person = newPerson(username);
      const ref = await create({ ...person, holder: { ...person.holder, displayName: `${name} "x" \\ <y>;,+=` } });
      await withSession((session) => session.grant?.(ref, { kind: 'group', name: 'developers' }));
      await withSession((session) => session.suspendAccount?.(ref));
      expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
        username,
        state: 'suspended',
        grants: [{ kind: 'group', name: 'developers' }],
      });
      await withSession((session) => session.removeAccount?.(ref));
      expect(await entryOf(username)).toBeNull();
    },
  );

  it.each(['', 'n'.repeat(21), 'n'.repeat(300), 'a,b', 'a*b', 'a\\b', 'a@b', ' a', 'a\u0000b'])(
    'refuses the user name %j',
    async (username) => {
      const creating = withSession((session) => session.createAccount?.(newPerson(username)));
      await expect(creating).rejects.toMatchObject({ kind: 'invalid' });
    },
  );

  it('answers a password that the domain’s rules refuse with invalid, and makes nothing', async () => {
    const person = { ...newPerson(), password: 'short' };
    const creating = withSession((session) => session.createAccount?.(person));
    await expect(creating).rejects.toMatchObject({ kind: 'invalid' });
    expect(await entryOf(person.username)).toBeNull();
  });

  it('never grants a protected group of administrators', async () => {
    const ref = await create();
    const granting = withSession((session) => session.grant?.(ref, { kind: 'group', name: 'Domain Admins' }), {
      settings: { ...settings, groupBase: `CN=Users,${DOMAIN}` },
    });
    await expect(granting).rejects.toMatchObject({ kind: 'forbidden' });
  });

  describe('computers and recovery keys', () => {
    it('lists computers by their stable id', async () => {
      const page = await withSession((session) => session.listComputers?.(null));
      expect(page).toEqual({
        computers: [
          {
            externalId: computer,
            name: 'laptop-1.corp.example',
            operatingSystem: 'Windows 11 Pro',
            isEnabled: true,
            lastSeenAt: null,
          },
        ],
        next: null,
        complete: true,
      });
    });

    it('shows that a recovery key is kept, and the key itself only when it is asked for', async () => {
      const records = await withSession((session) => session.listRecoveryKeys?.(computer));
      expect(records).toEqual([
        {
          externalId: recovery,
          keyId: '00112233-4455-6677-8899-AABBCCDDEEFF',
          volumeId: 'ffeeddcc-bbaa-9988-7766-554433221100',
          storedAt: expect.any(Date),
        },
      ]);
      expect(JSON.stringify(records)).not.toContain(RECOVERY_PASSWORD);
      const revealed = await withSession((session) => session.revealRecoveryKey?.(recovery));
      expect(revealed?.key).toBe(RECOVERY_PASSWORD);
    });

    it('names the permission when the key isn’t shown to the service', async () => {
      const name = `weak-${randomBytes(3).toString('hex')}`;
      const dn = `CN=${name},CN=Users,${DOMAIN}`;
      await addUser(dn, name, OWN_PASSWORD);
      await domain.delegate(dn, COMPUTERS, 'RPLCLORC');
      const weak = { settings: { ...settings, bindName: `${name}@corp.example` } };
      expect(await withSession((session) => session.listRecoveryKeys?.(computer), weak)).toHaveLength(1);
      const revealing = withSession((session) => session.revealRecoveryKey?.(recovery), weak);
      await expect(revealing).rejects.toMatchObject({
        kind: 'forbidden',
        permission: expect.stringContaining('msFVE-RecoveryPassword'),
      });
    });

    it('answers not-found for a computer that isn’t there, and invalid for what is no id', async () => {
      const looking = withSession((session) => session.listRecoveryKeys?.(randomUUID()));
      await expect(looking).rejects.toMatchObject({ kind: 'not-found' });
      await expect(withSession((session) => session.revealRecoveryKey?.('x'))).rejects.toMatchObject({
        kind: 'invalid',
      });
    });
  });

  it('names each permission that is missing, and refuses what it may not do', async () => {
    const name = `poor-${randomBytes(3).toString('hex')}`;
    await addUser(`CN=${name},CN=Users,${DOMAIN}`, name, OWN_PASSWORD);
    await create();
    const poor = { settings: { ...settings, bindName: `${name}@corp.example` } };
    const report = await withSession((session) => session.check(), poor);
    expect(report.principal).toBe(name);
    expect(report.missing.map(({ capability }) => capability)).toEqual([
      'createAccount',
      'suspendAccount',
      'restoreAccount',
      'grant',
      'withdraw',
    ]);
    for (const { remedy } of report.missing) expect(remedy).toContain(`${name}@corp.example`);
    const creating = withSession((session) => session.createAccount?.(newPerson()), poor);
    await expect(creating).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it.each([
    ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
    ['a certificate nobody vouches for', { certificateAuthority: undefined }, 'auth-broken', /could not be proved/],
    ['a host that is no controller', { host: 'localhost' }, 'transient', /nothing listens/],
    ['an account that isn’t there', { bindName: 'nobody@corp.example' }, 'auth-broken', /does not let/],
    ['a port of something else', { port: 88, tls: 'starttls' }, 'transient', /88/],
  ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
    const opening = open({ settings: { ...settings, ...differing }, call: callWithin(3_000) });
    await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('says so when a web page answers', async () => {
    const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
    await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
    const { port } = website.address() as AddressInfo;
    const opening = open({ settings: { ...settings, host: '127.0.0.1', port }, call: callWithin(3_000) });
    await expect(opening).rejects.toMatchObject({ message: expect.stringMatching(/does not speak TLS|hung up/) });
    website.closeAllConnections();
    website.close();
  });
});
