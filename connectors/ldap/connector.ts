import { randomUUID } from 'node:crypto';
import { AndFilter, EqualityFilter, OrFilter, PresenceFilter, type Filter } from 'ldapts';
import { already, done } from '../kit/act-results.js';
import { checkConnection } from '../kit/connection.js';
import type {
  AccountPage,
  AccountQuery,
  AccountRef,
  ActResult,
  CheckReport,
  Connector,
  CreatedAccount,
  FoundAccount,
  GrantRef,
  LiveThings,
  NewAccount,
  ObservedAccount,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import {
  escapeDnValue,
  LdapClient,
  parseGeneralizedTime,
  resultCodeOf,
  type LdapChange,
  type LdapConnection,
  type LdapEntry,
} from '../kit/ldap-client.js';
import { credentialValue, markValue, oldCredentialValues, readNote, type EntryNote } from './entry-note.js';
import { IS_ACCOUNT, LdapGroups } from './groups.js';
import { ldapManifest, type LdapSettings } from './manifest.js';
import { missingPermissions } from './missing-permissions.js';

/** An entry per person in an LDAP directory; see README.md for the permissions it needs and its limits. */
export const ldapConnector: Connector<LdapSettings> = {
  ...ldapManifest,
  async open(connection: ToolConnection<LdapSettings>): Promise<ToolSession> {
    const settings = checkConnection(ldapManifest, connection);
    const { allowPrivateAddresses, call } = connection;
    const reach: LdapConnection = { server: settings, allowPrivateAddresses, call };
    const client = await LdapClient.connect(reach, settings.bindDn, connection.secrets['password'] ?? '');
    return new LdapSession(client, settings, reach);
  },
};

/** An entry that may be acted on: known by its entryUUID, carrying our mark, and not our own. */
interface Target {
  entry: LdapEntry;
  account: ObservedAccount;
  note: EntryNote;
}

class LdapSession implements ToolSession {
  private readonly groups: LdapGroups;
  private own: Promise<{ dn: string; entryUuid: string | null }> | undefined;
  private readonly lockingPolicies = new Map<string, Promise<boolean>>();

  constructor(
    private readonly client: LdapClient,
    private readonly settings: LdapSettings,
    private readonly reach: LdapConnection,
  ) {
    this.groups = new LdapGroups(client, settings);
  }

  async check(): Promise<CheckReport> {
    const { dn } = await this.ownPrincipal();
    const root = await this.client.read('', new PresenceFilter({ attribute: 'objectClass' }), ['vendorVersion']);
    const missing = await missingPermissions(this.client, this.settings, this.reach, this.groups);
    return { principal: dn, version: root?.first('vendorVersion') ?? null, missing };
  }

  /** One page: a cursor of RFC 2696 is worth nothing on another connection, so all of them are fetched on this one. */
  async listAccounts(_next: string | null): Promise<AccountPage> {
    const { entries, isComplete } = await this.client.searchAll(this.people(IS_ACCOUNT));
    return { accounts: await this.observed(entries), next: null, complete: isComplete };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const wanted = [
      [this.settings.markAttribute, markValue(mark)],
      ['uid', username],
      ['mail', email],
    ].flatMap(([attribute, value]) => (value ? [new EqualityFilter({ attribute, value })] : []));
    const accounts = await this.observed(await this.search(new OrFilter({ filters: wanted })));
    return accounts.map((account) => {
      if (account.mark === mark) return { account, matchedBy: 'mark' };
      const isEmail = sameText(account.email, email) && !sameText(account.username, username);
      return { account, matchedBy: isEmail ? 'email' : 'username' };
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const entry = await this.entryOf(ref);
    if (!entry) return null;
    const [account] = await this.observed([entry]);
    const groups = await this.groups.of({ dn: entry.dn, username: usernameOf(entry) });
    return account
      ? { ...account, grants: groups.map((group) => ({ kind: 'group', name: group.first('cn') ?? group.dn })) }
      : null;
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    const rdn = `uid=${escapeDnValue(want.username)}`;
    refuseImpossibleName(want.username, rdn);
    const existing = await this.existing(want);
    if (existing) return already(existing);
    const credentialVersion = randomUUID();
    const dn = `${rdn},${this.settings.userBase}`;
    try {
      await this.client.add(dn, this.newEntry(want, credentialVersion));
    } catch (error) {
      // Its name was taken since we looked: by another create of the same mark, or by somebody else.
      const sameMark = error instanceof ToolError && error.kind === 'conflict' ? await this.existing(want) : null;
      if (sameMark) return already(sameMark);
      throw error;
    }
    const marked = await this.withMark(want.mark);
    if (marked.length > 1) {
      // Two creates of one mark under two names: whoever sees the other one takes its own away.
      await this.client.delete(dn);
      throw new ToolError(
        'conflict',
        'Another entry of this person was made at the same moment; this one was removed.',
      );
    }
    const externalId = marked[0]?.first('entryUUID');
    if (!externalId) throw notShown(this.settings.userBase);
    return done({ externalId, username: want.username, credentialVersion });
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const { entry, account } = await this.target(ref);
    if (!(await this.policyLocks(entry))) throw policyDoesNotLock(entry);
    const keys = this.keysOf(entry);
    if (account.state === 'suspended' && keys.length === 0) return already(null);
    await this.modifyLock(entry, [{ operation: 'replace', attribute: LOCK, values: [LOCKED_BY_ADMIN] }, ...keys]);
    return done(null, keysRemoved(keys));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const { entry } = await this.target(ref);
    if (!isLocked(entry)) return already(null);
    await this.modifyLock(entry, [{ operation: 'replace', attribute: LOCK, values: [] }]);
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const { entry } = await this.target(ref);
    const credentialVersion = randomUUID();
    const { markAttribute } = this.settings;
    const old = oldCredentialValues(entry, markAttribute);
    const keys = this.keysOf(entry);
    // The overlay lifts the lock with every new password, unless the same request takes it away and writes it again.
    const lockAgain: LdapChange[] = isLocked(entry)
      ? [
          { operation: 'delete', attribute: LOCK, values: [] },
          { operation: 'add', attribute: LOCK, values: [LOCKED_BY_ADMIN] },
        ]
      : [];
    await this.client.modify(entry.dn, [
      { operation: 'replace', attribute: 'userPassword', values: [password] },
      ...(old.length > 0 ? [{ operation: 'delete', attribute: markAttribute, values: old } as const] : []),
      { operation: 'add', attribute: markAttribute, values: [credentialValue(credentialVersion)] },
      ...lockAgain,
      ...keys,
    ]);
    return done({ credentialVersion }, keysRemoved(keys));
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    await this.refuseOwn(ref);
    const found = await this.entryOf(ref);
    if (!found) return already(null);
    const { entry } = await this.target(ref);
    const member = { dn: entry.dn, username: usernameOf(entry) };
    const groups = await this.groups.of(member);
    // Without this a new person of the same name would be born into the old one's groups.
    for (const group of groups) await this.groups.remove(group, member);
    await this.client.delete(entry.dn);
    return done(null, groups.length === 0 ? [] : [`taken out of ${groups.length} groups`]);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const { entry } = await this.target(ref);
    const group = await this.groups.named(grant);
    if (!group) {
      throw new ToolError('invalid', `There is no group “${grant.name}” below ${this.settings.groupBase}.`, {
        remedy: 'Make the group in the directory, or correct its name in the access policy.',
      });
    }
    const isNew = await this.groups.add(group, { dn: entry.dn, username: usernameOf(entry) });
    return isNew ? done(null) : already(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const group = await this.groups.named(grant);
    if (!group || !(await this.entryOf(ref))) return already(null);
    const { entry } = await this.target(ref);
    const wasMember = await this.groups.remove(group, { dn: entry.dn, username: usernameOf(entry) });
    return wasMember ? done(null) : already(null);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private newEntry({ mark, username, holder, password }: NewAccount, credentialVersion: string) {
    const { givenName, familyName, displayName, email } = holder;
    const cn = displayName.trim() || username;
    return {
      objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson'],
      uid: [username],
      cn: [cn],
      // Not everybody has two names, and the schema asks for this one.
      sn: [familyName.trim() || cn],
      ...(givenName.trim() ? { givenName: [givenName] } : {}),
      displayName: [cn],
      mail: [email],
      [this.settings.markAttribute]: [markValue(mark), credentialValue(credentialVersion)],
      userPassword: [password],
    };
  }

  /** The account that this create made earlier. Throws `conflict` for two of them, and for somebody else's name. */
  private async existing({ mark, username }: NewAccount): Promise<CreatedAccount | null> {
    const found = await this.findAccounts({ mark, username, email: '' });
    const marked = found.filter(({ matchedBy }) => matchedBy === 'mark');
    if (marked.length > 1) throw new ToolError('conflict', `${marked.length} entries carry the mark of this person.`);
    if (marked[0]) {
      const { externalId, username: name, credentialVersion } = marked[0].account;
      return { externalId, username: name, credentialVersion };
    }
    if (found.length === 0) return null;
    throw new ToolError('conflict', `The entry “${username}” exists and isn’t Quartermaster’s.`, {
      remedy: 'Rename or remove that entry, or give this person another user name.',
    });
  }

  private withMark(mark: string): Promise<readonly LdapEntry[]> {
    return this.search(new EqualityFilter({ attribute: this.settings.markAttribute, value: markValue(mark) }));
  }

  private async entryOf({ externalId }: AccountRef): Promise<LdapEntry | null> {
    if (!UUID.test(externalId)) throw new ToolError('invalid', `“${externalId}” is not an entryUUID.`);
    const [entry] = await this.search(new EqualityFilter({ attribute: 'entryUUID', value: externalId }));
    return entry ?? null;
  }

  private async target(ref: AccountRef): Promise<Target> {
    await this.refuseOwn(ref);
    const entry = await this.entryOf(ref);
    if (!entry) throw new ToolError('not-found', 'The entry is not there (any more).');
    const note = readNote(entry, this.settings.markAttribute);
    if (!note) {
      throw new ToolError('invalid', `Refused: ${entry.dn} doesn’t carry Quartermaster’s mark.`, {
        remedy: `Act on it by hand, or hand it over by writing the mark into its ${this.settings.markAttribute}.`,
      });
    }
    const [account] = await this.observed([entry]);
    if (!account) throw notShown(this.settings.userBase);
    return { entry, account, note };
  }

  private async refuseOwn(ref: AccountRef): Promise<void> {
    const own = await this.ownPrincipal();
    if (own.entryUuid !== ref.externalId && own.dn.toLowerCase() !== ref.username.toLowerCase()) return;
    throw new ToolError('forbidden', 'Refused: this is the entry that Quartermaster itself uses at this directory.');
  }

  /** The name is the server's word, not the settings': an alias or another spelling of the bind DN is seen through. */
  private ownPrincipal(): Promise<{ dn: string; entryUuid: string | null }> {
    this.own ??= (async () => {
      const dn = (await this.client.whoAmI()).replace(/^dn:/, '') || this.settings.bindDn;
      const entry = await this.client.read(dn, new PresenceFilter({ attribute: 'objectClass' }), ['entryUUID']);
      return { dn, entryUuid: entry?.first('entryUUID') ?? null };
    })();
    return this.own;
  }

  private async observed(entries: readonly LdapEntry[]): Promise<readonly ObservedAccount[]> {
    const accounts: ObservedAccount[] = [];
    for (const entry of entries) {
      const externalId = entry.first('entryUUID');
      if (!externalId) throw notShown(this.settings.userBase);
      const note = readNote(entry, this.settings.markAttribute);
      // A lock that the policy doesn't honour is no lock.
      const isSuspended = isLocked(entry) && (await this.policyLocks(entry));
      accounts.push({
        externalId,
        username: usernameOf(entry),
        mark: note?.mark ?? null,
        email: entry.first('mail'),
        state: isSuspended ? 'suspended' : 'active',
        sessions: this.sessionsOf(entry, isSuspended),
        credentials: { seen: true, live: this.settings.keyAttributes.flatMap((name) => entry.all(name)).length },
        credentialVersion: note?.credentialVersion ?? null,
      });
    }
    return accounts;
  }

  private sessionsOf(entry: LdapEntry, isSuspended: boolean): LiveThings {
    const because =
      'A directory doesn’t see the sessions that applications opened for somebody, nor ends connections that are open.';
    const minutes = this.settings.applicationSessionMinutes;
    const changedAt = parseGeneralizedTime(entry.first('modifyTimestamp'));
    if (!isSuspended || minutes === undefined || !changedAt) return { seen: false, residualUntil: null, because };
    // The lock itself carries no time. The entry's last change is never earlier, so this errs on the late side.
    return { seen: false, residualUntil: new Date(changedAt.getTime() + minutes * 60_000), because };
  }

  /** False when the entry's own password policy says that locks don't count (pwdLockout, draft-behera-ldap-password-policy). */
  private policyLocks(entry: LdapEntry): Promise<boolean> {
    const dn = entry.first('pwdPolicySubentry');
    // The default policy isn't shown in an entry: `check` tries it.
    if (!dn) return Promise.resolve(true);
    const known = this.lockingPolicies.get(dn) ?? this.readPolicy(dn);
    this.lockingPolicies.set(dn, known);
    return known;
  }

  private async readPolicy(dn: string): Promise<boolean> {
    const policy = await this.client.read(dn, new PresenceFilter({ attribute: 'objectClass' }), ['pwdLockout']);
    return policy?.first('pwdLockout')?.toUpperCase() === 'TRUE';
  }

  /** Changes that take the values away which hold keys, where there are any. */
  private keysOf(entry: LdapEntry): readonly LdapChange[] {
    return this.settings.keyAttributes
      .filter((attribute) => entry.all(attribute).length > 0)
      .map((attribute) => ({ operation: 'replace', attribute, values: [] }));
  }

  private async modifyLock(entry: LdapEntry, changes: readonly LdapChange[]): Promise<void> {
    try {
      await this.client.modify(entry.dn, changes);
    } catch (error) {
      if (resultCodeOf(error) !== UNDEFINED_ATTRIBUTE_TYPE) throw error;
      throw new ToolError('unsupported', 'This directory can’t lock an entry: it runs without the ppolicy overlay.', {
        remedy: 'Load the ppolicy overlay for this database, with a default policy that has pwdLockout TRUE.',
        cause: error,
      });
    }
  }

  /** Below userBase, which must be there: an empty answer about a wrong base would prove nothing. */
  private async search(filter: Filter): Promise<readonly LdapEntry[]> {
    const accounts = new AndFilter({ filters: [IS_ACCOUNT, filter] });
    try {
      return await this.client.search(this.people(accounts));
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'not-found') throw notShown(this.settings.userBase);
      throw error;
    }
  }

  private people(filter: Filter) {
    const { userBase, markAttribute, keyAttributes } = this.settings;
    const attributes = [...ATTRIBUTES, markAttribute, ...keyAttributes];
    return { base: userBase, scope: 'sub', filter, attributes } as const;
  }
}

const LOCK = 'pwdAccountLockedTime';

/** Locked for good, by an administrator (slapo-ppolicy(5)); any other time is a lock-out after wrong passwords. */
const LOCKED_BY_ADMIN = '000001010000Z';

const ATTRIBUTES = ['entryUUID', 'uid', 'mail', LOCK, 'pwdPolicySubentry', 'modifyTimestamp'];

const UNDEFINED_ATTRIBUTE_TYPE = 17;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** OpenLDAP's database keeps a name twice in a key of 511 bytes. */
const LONGEST_RDN = 240;

function refuseImpossibleName(username: string, rdn: string): void {
  if (username === '' || username.trim() !== username || /\p{Cc}/u.test(username)) {
    throw new ToolError(
      'invalid',
      'A user name can’t be empty, begin or end with a blank, or hold control characters.',
    );
  }
  if (Buffer.byteLength(rdn) > LONGEST_RDN) {
    throw new ToolError('invalid', `The user name is too long for a directory: ${LONGEST_RDN} bytes at most.`);
  }
}

function isLocked(entry: LdapEntry): boolean {
  return entry.first(LOCK) === LOCKED_BY_ADMIN;
}

function usernameOf(entry: LdapEntry): string {
  return entry.first('uid') ?? entry.dn;
}

function keysRemoved(keys: readonly LdapChange[]): readonly string[] {
  return keys.map(({ attribute }) => `every ${attribute} removed`);
}

function sameText(one: string | null, other: string): boolean {
  return one !== null && one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();
}

function notShown(base: string): ToolError {
  return new ToolError('forbidden', `${base} isn’t there, or isn’t shown to the service’s own account.`, {
    permission: `read below ${base}`,
    remedy: 'Check userBase, and let the service’s own entry read entries and their entryUUID below it.',
  });
}

function policyDoesNotLock(entry: LdapEntry): ToolError {
  return new ToolError('invalid', `The password policy of ${entry.dn} ignores locks, or isn’t shown to us.`, {
    remedy: `Set pwdLockout: TRUE in ${entry.first('pwdPolicySubentry')}, and let the service’s own entry read it.`,
  });
}
