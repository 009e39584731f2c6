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
import { equals, ScimClient, type ScimPage } from './client.js';
import { scimManifest, type ScimSettings } from './manifest.js';
import { everyPage, onePage, type PageQuery, type Paging } from './paging.js';
import { SCIM_PROFILES, type ScimProfile } from './profiles.js';
import type { ScimGroup, ScimUser } from './scim-resources.js';

/** A client of any SCIM 2.0 server (RFC 7643 and 7644); see README.md for what it can prove and what it can't. */
export const scimConnector: Connector<ScimSettings> = {
  ...scimManifest,
  async open(connection: ToolConnection<ScimSettings>): Promise<ToolSession> {
    const settings = checkConnection(scimManifest, connection);
    const profile: ScimProfile = SCIM_PROFILES[settings.profile];
    const client = new ScimClient({
      baseUrl: settings.baseUrl,
      token: connection.secrets['token'] ?? '',
      certificateAuthority: settings.certificateAuthority,
      allowPrivateAddresses: connection.allowPrivateAddresses,
      call: connection.call,
      features: profile.features,
    });
    return new ScimSession(client, settings, profile);
  },
};

class ScimSession implements ToolSession {
  private own: Promise<{ id: string | null; userName: string } | null> | undefined;

  constructor(
    private readonly client: ScimClient,
    private readonly settings: ScimSettings,
    private readonly profile: ScimProfile,
  ) {}

  async check(): Promise<CheckReport> {
    const config = await this.client.serviceProviderConfig();
    await this.client.users({ count: 1 });
    const own = await this.ownPrincipal();
    const missing: CheckReport['missing'][number][] = [];
    if (!this.profile.groups) {
      for (const capability of ['grant', 'withdraw'] as const) missing.push({ capability, ...NO_GROUPS });
    }
    if (!this.profile.passwords || !config.changePassword.supported) {
      missing.push({
        capability: 'resetCredentials',
        permission: 'changePassword in ServiceProviderConfig',
        remedy: 'People of this tool sign in elsewhere, or their passwords must be reset by hand.',
      });
    }
    return { principal: own?.userName ?? 'the owner of the token (this server doesn’t tell)', version: '2.0', missing };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const paging = await this.paging();
    const { page, ...where } = await onePage(paging, next, (query) => this.client.users(query));
    return { ...where, accounts: page.map((user) => this.observed(user)) };
  }

  async findAccounts(query: AccountQuery): Promise<readonly FoundAccount[]> {
    const found = new Map<string, FoundAccount>();
    for (const matchedBy of ['mark', 'username', 'email'] as const) {
      for (const user of await this.usersMatching(matchedBy, query)) {
        if (!found.has(user.id)) found.set(user.id, { account: this.observed(user), matchedBy });
      }
    }
    return [...found.values()];
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const user = await this.client.user(ref.externalId);
    if (!user) return null;
    return { ...this.observed(user), ...(this.profile.groups && { grants: await this.grantsOf(user) }) };
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    const existing = await this.markedUser(want);
    if (existing) return already(createdAccount(existing));
    const { givenName, familyName, displayName, email } = want.holder;
    try {
      const created = await this.client.createUser({
        externalId: want.mark,
        userName: want.username,
        name: { givenName, familyName, formatted: displayName },
        displayName,
        emails: [{ value: email, type: 'work', primary: true }],
        active: true,
        ...(this.profile.passwords && { password: want.password }),
      });
      return done(createdAccount(created));
    } catch (error) {
      // The name may be taken by our own create that ran at the same time.
      const ours = error instanceof ToolError && error.kind === 'conflict' ? await this.markedUser(want) : null;
      if (ours) return already(createdAccount(ours));
      throw error;
    }
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    return atTheNewestVersion(() => this.setActive(ref, false));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    return atTheNewestVersion(() => this.setActive(ref, true));
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    if (this.profile.delete !== 'removes') {
      throw new ToolError(
        'unsupported',
        `An account can’t be removed by SCIM here: ${WHY_NOT_DELETED[this.profile.delete]}.`,
      );
    }
    const user = await this.client.user(ref.externalId);
    if (!user) return already(null);
    await this.refuseOwn(user);
    await this.client.deleteUser(user);
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const { changePassword, patch } = await this.client.serviceProviderConfig();
    if (!this.profile.passwords || !changePassword.supported) {
      throw new ToolError('unsupported', 'This server says that passwords can’t be changed through SCIM.');
    }
    const id = await atTheNewestVersion(async () => {
      const user = await this.target(ref);
      if (patch.supported) await this.client.patchUser(user, [{ op: 'replace', path: 'password', value: password }]);
      else await this.client.replaceUser(user.id, { password });
      return user.id;
    });
    const after = await this.client.user(id);
    if (!after) throw new ToolError('conflict', 'The account disappeared while its password was set.');
    return done({ credentialVersion: versionOf(after) });
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return atTheNewestVersion(async () => {
      const user = await this.target(ref);
      const group = await this.groupNamed(grant);
      if (!group) {
        throw new ToolError('invalid', `The tool has no group “${grant.name}”.`, {
          remedy: 'Make the group at the tool, or correct its name in the access policy.',
        });
      }
      if (isMember(group, user.id)) return already(null);
      await this.changeMembers(group, user.id, 'add');
      return done(null);
    });
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return atTheNewestVersion(async () => {
      const user = await this.client.user(ref.externalId);
      const group = await this.groupNamed(grant);
      if (!user || !group) return already(null);
      await this.refuseOwn(user);
      if (!isMember(group, user.id)) return already(null);
      await this.changeMembers(group, user.id, 'remove');
      return done(null);
    });
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private async setActive(ref: AccountRef, active: boolean): Promise<ActResult> {
    const user = await this.target(ref);
    if ((user.active ?? true) === active) return already(null);
    const { patch } = await this.client.serviceProviderConfig();
    if (!patch.supported) await this.client.replaceUser(user.id, { active });
    else {
      const operation = this.profile.activePatch === 'path' ? { path: 'active', value: active } : { value: { active } };
      await this.client.patchUser(user, [{ op: 'replace', ...operation }]);
    }
    return done(null);
  }

  private async changeMembers(group: ScimGroup, userId: string, op: 'add' | 'remove'): Promise<void> {
    const { patch } = await this.client.serviceProviderConfig();
    if (!patch.supported) {
      return this.client.replaceGroupMembers(group.id, (memberIds) =>
        op === 'add' ? [...memberIds, userId] : memberIds.filter((memberId) => memberId !== userId),
      );
    }
    // RFC 7644, section 3.5.2.2: a member is removed by a path with a value filter.
    const operation =
      op === 'add' ? { path: 'members', value: [{ value: userId }] } : { path: `members[${equals('value', userId)}]` };
    await this.client.patchGroup(group, [{ op, ...operation }]);
  }

  /** The account an act is for. Throws `not-found` when it is gone, `forbidden` when it is the service's own. */
  private async target(ref: AccountRef): Promise<ScimUser> {
    const user = await this.client.user(ref.externalId);
    if (!user) throw new ToolError('not-found', 'The account is not there (any more).');
    await this.refuseOwn(user);
    return user;
  }

  private async refuseOwn(user: ScimUser): Promise<void> {
    const own = await this.ownPrincipal();
    if (own && (own.id === user.id || own.userName.toLowerCase() === user.userName.toLowerCase())) {
      throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this tool.');
    }
  }

  /** The one account with this mark, or null. Throws `conflict` when there are several. */
  private async markedUser({ mark }: NewAccount): Promise<ScimUser | null> {
    const marked = await this.usersMatching('mark', { mark, username: '', email: '' });
    if (marked.length > 1) throw new ToolError('conflict', `${marked.length} accounts carry the mark of this person.`);
    return marked[0] ?? null;
  }

  private ownPrincipal(): Promise<{ id: string | null; userName: string } | null> {
    const { ownUserName } = this.settings;
    if (ownUserName) return Promise.resolve({ id: null, userName: ownUserName });
    if (!this.profile.me) return Promise.resolve(null);
    this.own ??= this.client.me();
    return this.own;
  }

  private async usersMatching(by: FoundAccount['matchedBy'], query: AccountQuery): Promise<readonly ScimUser[]> {
    const value = { mark: query.mark, username: query.username, email: query.email }[by];
    const { externalId, userName, email } = this.profile.filters;
    const attribute = { mark: externalId && 'externalId', username: userName && 'userName', email }[by];
    if (value === '') return [];
    const users = await this.filtered(attribute, value, (query) => this.client.users(query));
    // A server that ignores a filter answers with everybody: only what really matches counts.
    return users.filter((user) => matches(user, by, value));
  }

  /** Everything that `attribute eq value` finds, or everything there is where the server can't filter for it. */
  private async filtered<T>(
    attribute: string | false | null,
    value: string,
    ask: (query: PageQuery) => Promise<ScimPage<T>>,
  ): Promise<readonly T[]> {
    const paging = await this.paging();
    const { filter } = await this.client.serviceProviderConfig();
    if (!attribute || !filter.supported || !survivesFilters(value)) return everyPage(paging, ask);
    try {
      return await everyPage(paging, (query) => ask({ ...query, filter: equals(attribute, value) }));
    } catch (error) {
      if (!(error instanceof ToolError) || error.kind !== 'unsupported') throw error;
      return everyPage(paging, ask);
    }
  }

  private async paging(): Promise<Paging> {
    const { paging, maxPageSize } = this.profile;
    const { pagination } = await this.client.serviceProviderConfig();
    const byCursor = paging === 'cursor' || pagination?.cursor === true;
    return { by: byCursor ? 'cursor' : 'index', count: Math.min(this.settings.pageSize, maxPageSize ?? Infinity) };
  }

  private async groupNamed(grant: GrantRef): Promise<ScimGroup | null> {
    if (!this.profile.groups) throw new ToolError('unsupported', `${NO_GROUPS.permission}. ${NO_GROUPS.remedy}`);
    if (grant.kind !== 'group') {
      throw new ToolError('unsupported', `SCIM has groups; a ${grant.kind} (“${grant.name}”) must be given by hand.`);
    }
    const found = await this.filtered('displayName', grant.name, (query) => this.client.groups(query));
    const groups = found.filter((group) => group.displayName === grant.name);
    if (groups.length > 1) throw new ToolError('conflict', `The tool has ${groups.length} groups “${grant.name}”.`);
    return groups[0] ?? null;
  }

  /** From the user where the server shows it there, otherwise from the groups. */
  private async grantsOf(user: ScimUser): Promise<readonly GrantRef[]> {
    const shown = user.groups?.map(({ display }) => display);
    if (shown?.every((display) => typeof display === 'string')) {
      return shown.map((name) => ({ kind: 'group', name }));
    }
    const groups = await everyPage(await this.paging(), (query) => this.client.groups(query));
    return groups.filter((group) => isMember(group, user.id)).map(({ displayName: name }) => ({ kind: 'group', name }));
  }

  private observed(user: ScimUser): ObservedAccount {
    const active = user.active ?? true;
    const emails = user.emails ?? [];
    const liveThings = this.liveThings(active, user);
    return {
      externalId: user.id,
      username: user.userName,
      mark: user.externalId ?? null,
      email: (emails.find(({ primary }) => primary) ?? emails[0])?.value ?? null,
      state: active ? 'active' : 'suspended',
      sessions: liveThings,
      credentials: liveThings,
      credentialVersion: versionOf(user),
    };
  }

  /** Plain SCIM shows no sessions and no tokens, so this is what is known of the server, never what was counted. */
  private liveThings(active: boolean, user: ScimUser): LiveThings {
    const unseen = (residualUntil: Date | null, because: string): LiveThings => ({
      seen: false,
      residualUntil,
      because,
    });
    if (active) return unseen(null, 'SCIM shows no sessions or tokens.');
    const now = new Date();
    if (this.settings.refusesSuspendedAtOnce) {
      return unseen(now, 'By this tool’s settings the server refuses a suspended user’s sessions and tokens at once.');
    }
    const lifetime = this.settings.tokenLifetimeSeconds;
    if (lifetime === null) return unseen(null, 'SCIM shows no sessions or tokens, and their lifetime isn’t known.');
    // The last change is the suspension or something later, so this errs on the late side.
    const changed = new Date(user.meta?.lastModified ?? now);
    const from = Number.isNaN(changed.getTime()) ? now : changed;
    return unseen(new Date(from.getTime() + lifetime * 1000), 'By this tool’s settings tokens live that long.');
  }
}

const NO_GROUPS = {
  permission: 'This server’s SCIM has no groups, or doesn’t show who is in them',
  remedy: 'Give and take groups by hand.',
};

const WHY_NOT_DELETED = {
  deactivates: 'this server’s DELETE only deactivates it',
  untold: 'the vendor doesn’t say what its DELETE does',
};

/**
 * Looks and changes, and does both again, a few times, when the server says that somebody else changed the same thing in
 * between (412): then nothing of ours was done. A group that many people join at once is changed all the time.
 */
async function atTheNewestVersion<T>(lookAndChange: () => Promise<T>): Promise<T> {
  for (let more = 3; ; more -= 1) {
    try {
      return await lookAndChange();
    } catch (error) {
      if (!(error instanceof ToolError) || error.kind !== 'conflict' || more === 0) throw error;
    }
  }
}

/**
 * Servers get escaped characters in filters wrong (SCIMMY 1.3 answers 400 to `\"` and finds nothing for `\\`), so
 * for the rare value that has some, all resources are looked through instead.
 */
function survivesFilters(value: string): boolean {
  return !/["\\]/.test(value);
}

function matches(user: ScimUser, by: FoundAccount['matchedBy'], value: string): boolean {
  if (by === 'mark') return user.externalId === value;
  const same = (text: string | null | undefined) => text?.toLowerCase() === value.toLowerCase();
  return by === 'username' ? same(user.userName) : (user.emails ?? []).some((email) => same(email.value));
}

function isMember(group: ScimGroup, userId: string): boolean {
  return (group.members ?? []).some(({ value }) => value === userId);
}

function versionOf(user: ScimUser): string | null {
  return user.meta?.version ?? user.meta?.lastModified ?? null;
}

function createdAccount(user: ScimUser): CreatedAccount {
  return { externalId: user.id, username: user.userName, credentialVersion: versionOf(user) };
}
