import { randomBytes } from 'node:crypto';
import { AndFilter, EqualityFilter, NotFilter, OrFilter, PresenceFilter, type Filter } from 'ldapts';
import { already, done } from '../kit/act-results.js';
import { checkConnection } from '../kit/connection.js';
import type {
  AccountPage,
  AccountQuery,
  AccountRef,
  ActResult,
  CheckReport,
  ComputerPage,
  Connector,
  CreatedAccount,
  FoundAccount,
  GrantRef,
  LiveThings,
  NewAccount,
  ObservedAccount,
  RecoveryKeyRecord,
  RevealedKey,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import {
  escapeDnValue,
  LdapClient,
  parseGeneralizedTime,
  type LdapChange,
  type LdapEntry,
  type LdapSearch,
} from '../kit/ldap-client.js';
import { computerRecords } from './computer-records.js';
import { ACCOUNT_DISABLED, encodePassword, formatGuid, NORMAL_ACCOUNT, parseGuid } from './directory-values.js';
import { activeDirectoryManifest, type ActiveDirectorySettings } from './manifest.js';
import { missingRights } from './missing-rights.js';

/** A user object per person in Active Directory; see README.md for the permissions it needs and its limits. */
export const activeDirectoryConnector: Connector<ActiveDirectorySettings> = {
  ...activeDirectoryManifest,
  async open(connection: ToolConnection<ActiveDirectorySettings>): Promise<ToolSession> {
    const settings = checkConnection(activeDirectoryManifest, connection);
    const { allowPrivateAddresses, call } = connection;
    const reach = { server: settings, allowPrivateAddresses, call };
    const client = await LdapClient.connect(reach, settings.bindName, connection.secrets['password'] ?? '');
    return new DirectorySession(client, settings);
  },
};

class DirectorySession implements ToolSession {
  private own: Promise<OwnPrincipal> | undefined;

  constructor(
    private readonly client: LdapClient,
    private readonly settings: ActiveDirectorySettings,
  ) {}

  async check(): Promise<CheckReport> {
    const { username } = await this.ownPrincipal();
    const root = await this.client.read('', ANYTHING, ['dnsHostName', 'domainControllerFunctionality']);
    const level = root?.first('domainControllerFunctionality');
    return {
      principal: username,
      version: level ? `functional level ${level}` : null,
      missing: await missingRights(this.client, this.settings),
    };
  }

  /** One page: a cursor is worth nothing on another connection, so all of them are fetched on this one. */
  async listAccounts(_next: string | null): Promise<AccountPage> {
    const { entries, isComplete } = await this.client.searchAll(this.users(IS_USER));
    return { accounts: entries.map((entry) => this.observed(entry)), next: null, complete: isComplete };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const wanted = [
      [this.settings.markAttribute, markValue(mark)],
      ['sAMAccountName', username],
      ['userPrincipalName', username && this.upnOf(username)],
      ['mail', email],
    ].flatMap(([attribute, value]) => (value ? [new EqualityFilter({ attribute, value })] : []));
    const entries = await this.search(new OrFilter({ filters: wanted }));
    return entries.map((entry) => {
      const account = this.observed(entry);
      if (account.mark === mark) return { account, matchedBy: 'mark' };
      const isName = [account.username, entry.first('userPrincipalName')?.split('@')[0]].some((name) =>
        sameText(name ?? null, username),
      );
      return { account, matchedBy: isName || !sameText(account.email, email) ? 'username' : 'email' };
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const entry = await this.entryOf(ref);
    if (!entry) return null;
    const member = new EqualityFilter({ attribute: 'member', value: entry.dn });
    const groups = await this.groups(member);
    return { ...this.observed(entry), grants: groups.map((group) => ({ kind: 'group', name: nameOfGroup(group) })) };
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    refuseImpossibleName(want.username);
    const existing = await this.existing(want);
    if (existing) return already(existing);
    const dn = `CN=${escapeDnValue(want.username)},${this.settings.userBase}`;
    try {
      await this.client.add(dn, this.newEntry(want));
    } catch (error) {
      // Its name was taken since we looked: by another create of the same mark, or by somebody else in the forest.
      const isTaken = error instanceof ToolError && error.kind === 'conflict';
      const sameMark = isTaken ? await this.existing(want) : null;
      if (sameMark) return already(sameMark);
      throw error;
    }
    const marked = await this.withMark(want.mark);
    if (marked.length > 1) {
      // Two creates of one mark under two names: whoever sees the other one takes its own away.
      await this.client.delete(dn);
      throw new ToolError(
        'conflict',
        'Another account of this person was made at the same moment; this one was removed.',
      );
    }
    const [entry] = marked;
    if (!entry) throw notShown(this.settings.userBase);
    return done(createdAccount(this.observed(entry)));
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const entry = await this.target(ref);
    const keys = this.keysOf(entry);
    if (isDisabled(entry) && keys.length === 0) return already(null);
    await this.client.modify(entry.dn, [...controlChange(entry, controlOf(entry) | ACCOUNT_DISABLED), ...keys]);
    return done(null, keysRemoved(keys));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const entry = await this.target(ref);
    if (!isDisabled(entry)) return already(null);
    await this.client.modify(entry.dn, controlChange(entry, controlOf(entry) & ~ACCOUNT_DISABLED));
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const entry = await this.target(ref);
    const keys = this.keysOf(entry);
    // A controller takes the last password but one for another hour over NTLM (Microsoft’s KB906305): one that nobody
    // knows is put in between.
    for (const next of [`${randomBytes(24).toString('base64url')}aA1!`, password]) {
      await this.client.modify(entry.dn, [
        { operation: 'replace', attribute: 'unicodePwd', values: [encodePassword(next)] },
        ...(next === password ? keys : []),
      ]);
    }
    const after = await this.entryOf(ref);
    return done({ credentialVersion: after?.first('pwdLastSet') ?? null }, keysRemoved(keys));
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    await this.refuseOwn(ref);
    if (!(await this.entryOf(ref))) return already(null);
    const entry = await this.target(ref);
    // The directory itself takes it out of its groups.
    await this.client.delete(entry.dn);
    return done(null);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const entry = await this.target(ref);
    const group = await this.groupNamed(grant);
    if (!group) {
      throw new ToolError('invalid', `There is no group “${grant.name}” below ${this.settings.groupBase}.`, {
        remedy: 'Make the group in the directory, or correct its name in the access policy.',
      });
    }
    if (group.first('adminCount') === '1') {
      throw new ToolError('forbidden', `Refused: “${grant.name}” is a protected group of administrators.`, {
        permission: `membership of ${grant.name}`,
        remedy: 'Somebody has to do it by hand at the directory.',
      });
    }
    if (await this.isMember(group, entry)) return already(null);
    await this.client.modify(group.dn, [{ operation: 'add', attribute: 'member', values: [entry.dn] }]);
    return done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const group = await this.groupNamed(grant);
    if (!group || !(await this.entryOf(ref))) return already(null);
    const entry = await this.target(ref);
    if (!(await this.isMember(group, entry))) return already(null);
    await this.client.modify(group.dn, [{ operation: 'delete', attribute: 'member', values: [entry.dn] }]);
    return done(null, ['Kerberos tickets issued before still name the group']);
  }

  async listComputers(_next: string | null): Promise<ComputerPage> {
    return computerRecords(this.client, this.settings).computers();
  }

  async listRecoveryKeys(computerExternalId: string): Promise<readonly RecoveryKeyRecord[]> {
    return computerRecords(this.client, this.settings).recoveryKeys(computerExternalId);
  }

  async revealRecoveryKey(recoveryKeyExternalId: string): Promise<RevealedKey> {
    const key = await computerRecords(this.client, this.settings).recoveryPassword(recoveryKeyExternalId);
    return { key, storedAt: null };
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private newEntry({ mark, username, holder, password }: NewAccount) {
    const displayName = holder.displayName.trim().slice(0, LONGEST_DISPLAY_NAME);
    const given = holder.givenName.trim().slice(0, LONGEST_NAME);
    const family = holder.familyName.trim().slice(0, LONGEST_NAME);
    return {
      objectClass: ['top', 'person', 'organizationalPerson', 'user'],
      sAMAccountName: [username],
      userPrincipalName: [this.upnOf(username)],
      ...(displayName ? { displayName: [displayName] } : {}),
      ...(given ? { givenName: [given] } : {}),
      ...(family ? { sn: [family] } : {}),
      mail: [holder.email],
      [this.settings.markAttribute]: [markValue(mark)],
      unicodePwd: [encodePassword(password)],
      userAccountControl: [String(NORMAL_ACCOUNT)],
    };
  }

  private upnOf(username: string): string {
    return `${username}@${this.settings.upnSuffix}`;
  }

  private async existing({ mark, username }: NewAccount): Promise<CreatedAccount | null> {
    const found = await this.findAccounts({ mark, username, email: '' });
    const marked = found.filter(({ matchedBy }) => matchedBy === 'mark');
    if (marked.length > 1) throw new ToolError('conflict', `${marked.length} accounts carry the mark of this person.`);
    if (marked[0]) return createdAccount(marked[0].account);
    if (found.length === 0) return null;
    throw new ToolError('conflict', `The account “${username}” exists and isn’t Quartermaster’s.`, {
      remedy: 'Rename or remove that account, or give this person another user name.',
    });
  }

  private withMark(mark: string): Promise<readonly LdapEntry[]> {
    return this.search(new EqualityFilter({ attribute: this.settings.markAttribute, value: markValue(mark) }));
  }

  private async entryOf({ externalId }: AccountRef): Promise<LdapEntry | null> {
    const guid = parseGuid(externalId);
    if (!guid) throw new ToolError('invalid', `“${externalId}” is not an objectGUID.`);
    const [entry] = await this.search(new EqualityFilter({ attribute: 'objectGUID', value: guid }));
    return entry ?? null;
  }

  private async target(ref: AccountRef): Promise<LdapEntry> {
    await this.refuseOwn(ref);
    const entry = await this.entryOf(ref);
    if (!entry) throw new ToolError('not-found', 'The account is not there (any more).');
    if (readMark(entry, this.settings.markAttribute) === null) {
      throw new ToolError('invalid', `Refused: ${entry.dn} doesn’t carry Quartermaster’s mark.`, {
        remedy: `Act on it by hand, or hand it over by writing the mark into its ${this.settings.markAttribute}.`,
      });
    }
    return entry;
  }

  private async refuseOwn(ref: AccountRef): Promise<void> {
    const own = await this.ownPrincipal();
    if (own.externalId !== ref.externalId.toLowerCase() && !sameText(own.username, ref.username)) return;
    throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this directory.');
  }

  /**
   * Our own account, by the security identifiers that the controller holds us by (tokenGroups of the rootDSE, MS-ADTS,
   * section 3.1.1.3.2): one of them is a user's, and that is us, whatever name we signed in with. Samba has no “who am I”.
   */
  private ownPrincipal(): Promise<OwnPrincipal> {
    this.own ??= (async () => {
      const root = await this.client.read('', ANYTHING, ['tokenGroups'], ['tokenGroups']);
      const sids = (root?.allBytes('tokenGroups') ?? []).map(
        (value) => new EqualityFilter({ attribute: 'objectSid', value }),
      );
      const filter = new AndFilter({ filters: [IS_USER, new OrFilter({ filters: sids })] });
      const base = this.settings.domainBase;
      const attributes = ['objectGUID', 'sAMAccountName'];
      const [entry, ...others] =
        sids.length > 0
          ? await this.client.search({ base, scope: 'sub', filter, attributes, binary: ['objectGUID'] })
          : [];
      const guid = entry?.bytes('objectGUID');
      if (!guid || others.length > 0) throw notShown(base);
      return { username: entry?.first('sAMAccountName') ?? '', externalId: formatGuid(guid) };
    })();
    return this.own;
  }

  private observed(entry: LdapEntry): ObservedAccount {
    const guid = entry.bytes('objectGUID');
    if (!guid) throw notShown(this.settings.domainBase);
    const keys = this.settings.keyAttributes.flatMap((attribute) => entry.all(attribute));
    return {
      externalId: formatGuid(guid),
      username: entry.first('sAMAccountName') ?? entry.dn,
      mark: readMark(entry, this.settings.markAttribute),
      email: entry.first('mail'),
      state: isDisabled(entry) ? 'suspended' : 'active',
      sessions: this.sessionsOf(entry),
      credentials: { seen: true, live: keys.length },
      credentialVersion: entry.first('pwdLastSet'),
    };
  }

  private sessionsOf(entry: LdapEntry): LiveThings {
    const because = 'A controller keeps no list of the Kerberos tickets it issued; those live on until they expire.';
    const changedAt = parseGeneralizedTime(entry.first('whenChanged'));
    if (!isDisabled(entry) || !changedAt) return { seen: false, residualUntil: null, because };
    // Disabling carries no time of its own. The last change is never earlier, so this errs on the late side.
    const residualUntil = new Date(changedAt.getTime() + this.settings.ticketHours * 3_600_000);
    return { seen: false, residualUntil, because };
  }

  private keysOf(entry: LdapEntry): readonly LdapChange[] {
    return this.settings.keyAttributes
      .filter((attribute) => entry.all(attribute).length > 0)
      .map((attribute) => ({ operation: 'replace', attribute, values: [] }));
  }

  private async groupNamed(grant: GrantRef): Promise<LdapEntry | null> {
    if (grant.kind !== 'group') {
      throw new ToolError('invalid', `A directory has groups, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `groups` in the access policy.',
      });
    }
    const [group, second] = await this.groups(new EqualityFilter({ attribute: 'cn', value: grant.name }));
    if (second) throw new ToolError('conflict', `More than one group is called “${grant.name}”.`);
    return group ?? null;
  }

  private groups(filter: Filter): Promise<readonly LdapEntry[]> {
    const isGroup = new EqualityFilter({ attribute: 'objectClass', value: 'group' });
    return this.client.search({
      base: this.settings.groupBase,
      scope: 'sub',
      filter: new AndFilter({ filters: [isGroup, filter] }),
      attributes: ['cn', 'adminCount'],
    });
  }

  private async isMember(group: LdapEntry, { dn }: LdapEntry): Promise<boolean> {
    return (await this.client.read(group.dn, new EqualityFilter({ attribute: 'member', value: dn }), ['cn'])) !== null;
  }

  /** The domain must be there: an empty answer about a wrong base would prove nothing. */
  private async search(filter: Filter): Promise<readonly LdapEntry[]> {
    try {
      return await this.client.search(this.users(new AndFilter({ filters: [IS_USER, filter] })));
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'not-found') throw notShown(this.settings.domainBase);
      throw error;
    }
  }

  /** In the whole domain: an account that somebody moved to another unit is anything but gone. */
  private users(filter: Filter): LdapSearch {
    const { domainBase, markAttribute, keyAttributes } = this.settings;
    const attributes = [...ATTRIBUTES, markAttribute, ...keyAttributes];
    return { base: domainBase, scope: 'sub', filter, attributes, binary: ['objectGUID'] };
  }
}

interface OwnPrincipal {
  username: string;
  externalId: string;
}

const ANYTHING = new PresenceFilter({ attribute: 'objectClass' });

/** A computer is a user too, by its class. */
const IS_USER = new AndFilter({
  filters: [
    new EqualityFilter({ attribute: 'objectClass', value: 'user' }),
    new NotFilter({ filter: new EqualityFilter({ attribute: 'objectClass', value: 'computer' }) }),
  ],
});

const ATTRIBUTES = [
  'objectGUID',
  'sAMAccountName',
  'userPrincipalName',
  'mail',
  'userAccountControl',
  'pwdLastSet',
  'whenChanged',
];

/** rangeUpper of the attributes (MS-ADA1, MS-ADA3). */
const LONGEST_NAME = 64;
const LONGEST_DISPLAY_NAME = 256;

const MARK = 'quartermaster-mark:';

function markValue(mark: string): string {
  return `${MARK}${mark}`;
}

function readMark(entry: LdapEntry, markAttribute: string): string | null {
  const value = entry.all(markAttribute).find((one) => one.startsWith(MARK));
  return value === undefined ? null : value.slice(MARK.length);
}

function createdAccount({ externalId, username, credentialVersion }: ObservedAccount): CreatedAccount {
  return { externalId, username, credentialVersion };
}

/** What a sAMAccountName of a user may be (MS-SAMR, section 3.1.1.8.4); control characters and blanks at the ends never. */
function refuseImpossibleName(username: string): void {
  const fits = username.length > 0 && username.length <= 20 && username.trim() === username;
  if (fits && !/["/\\[\]:;|=,+*?<>@\p{Cc}]/u.test(username) && !username.endsWith('.')) return;
  throw new ToolError('invalid', 'A user name in Active Directory is 1 to 20 characters without "/\\[]:;|=,+*?<>@.', {
    remedy: 'Give this person a user name that fits, in the access policy’s naming rule.',
  });
}

function controlOf(entry: LdapEntry): number {
  return Number(entry.first('userAccountControl') ?? 0);
}

function isDisabled(entry: LdapEntry): boolean {
  return (controlOf(entry) & ACCOUNT_DISABLED) !== 0;
}

/** Refused by the directory when somebody changed another bit meanwhile. */
function controlChange(entry: LdapEntry, control: number): readonly LdapChange[] {
  return [
    { operation: 'delete', attribute: 'userAccountControl', values: [String(controlOf(entry))] },
    { operation: 'add', attribute: 'userAccountControl', values: [String(control)] },
  ];
}

function keysRemoved(keys: readonly LdapChange[]): readonly string[] {
  return keys.map(({ attribute }) => `every ${attribute} removed`);
}

function nameOfGroup(group: LdapEntry): string {
  return group.first('cn') ?? group.dn;
}

function sameText(one: string | null, other: string): boolean {
  return one !== null && one.normalize('NFKC').toLowerCase() === other.normalize('NFKC').toLowerCase();
}

function notShown(base: string): ToolError {
  return new ToolError('forbidden', `${base} isn’t there, or isn’t shown to the service’s own account.`, {
    permission: `read below ${base}`,
    remedy: 'Check the base, and let the service’s own account read what is below it.',
  });
}
