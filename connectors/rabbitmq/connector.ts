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
import { RabbitmqClient, type WholeUser } from './client.js';
import { rabbitmqManifest, type RabbitmqRole, type RabbitmqSettings } from './manifest.js';
import { HASHING_ALGORITHM, passwordHash } from './password-hash.js';
import type { Permission, RabbitUser } from './resources.js';
import {
  credentialVersionOf,
  isSuspended,
  permissionFor,
  readNote,
  samePermission,
  userWith,
  type UserNote,
} from './user-tags.js';

/** A user per person in RabbitMQ's own user database; see README.md for what it needs, proves and can't see. */
export const rabbitmqConnector: Connector<RabbitmqSettings> = {
  ...rabbitmqManifest,
  async open(connection: ToolConnection<RabbitmqSettings>): Promise<ToolSession> {
    const settings = checkConnection(rabbitmqManifest, connection);
    const { baseUrl, user, certificateAuthority } = settings;
    const client = new RabbitmqClient({
      baseUrl,
      user,
      password: connection.secrets['password'] ?? '',
      certificateAuthority,
      allowPrivateAddresses: connection.allowPrivateAddresses,
      call: connection.call,
    });
    try {
      return new RabbitmqSession(client, settings, await client.whoami());
    } catch (error) {
      client.close();
      throw error;
    }
  },
};

/** A user that may be acted on: it carries our mark, and isn't our own. */
type Target = RabbitUser & { note: UserNote };

class RabbitmqSession implements ToolSession {
  constructor(
    private readonly client: RabbitmqClient,
    private readonly settings: RabbitmqSettings,
    private readonly own: { name: string; tags: readonly string[] },
  ) {}

  async check(): Promise<CheckReport> {
    const missing: CheckReport['missing'][number][] = [];
    if (!this.own.tags.includes('administrator')) {
      const remedy = `rabbitmqctl set_user_tags ${this.own.name} administrator`;
      for (const [capability, { permission }] of Object.entries(rabbitmqManifest.capabilities)) {
        if (capability === 'check') continue;
        missing.push({ capability: capability as keyof typeof rabbitmqManifest.capabilities, permission, remedy });
      }
      return { principal: this.own.name, version: await this.client.version(), missing };
    }
    for (const vhost of new Set([this.settings.homeVhost, ...this.settings.roles.map((role) => role.vhost)])) {
      if (await this.client.hasVhost(vhost)) continue;
      const capability = vhost === this.settings.homeVhost ? 'createAccount' : 'grant';
      missing.push({ capability, permission: `a vhost “${vhost}”`, remedy: `rabbitmqctl add_vhost '${vhost}'` });
    }
    return { principal: this.own.name, version: await this.client.version(), missing };
  }

  /** RabbitMQ answers with all users at once; the pages are for their connections, which are asked for one by one. */
  async listAccounts(next: string | null): Promise<AccountPage> {
    const users = (await this.client.users())
      .filter(({ name }) => next === null || name > next)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const page = users.slice(0, PAGE_SIZE);
    const isLast = users.length <= PAGE_SIZE;
    const accounts: ObservedAccount[] = [];
    for (let from = 0; from < page.length; from += AT_ONCE) {
      const some = page.slice(from, from + AT_ONCE);
      accounts.push(...(await Promise.all(some.map((user) => this.observed(user)))));
    }
    return { accounts, next: isLast ? null : (page.at(-1)?.name ?? null), complete: isLast };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const found: FoundAccount[] = [];
    for (const user of await this.client.users()) {
      const isMarked = readNote(user)?.mark === mark;
      if (!isMarked && user.name !== username && user.name !== email) continue;
      const matchedBy = isMarked ? 'mark' : user.name === username ? 'username' : 'email';
      found.push({ account: await this.observed(user), matchedBy });
    }
    return found;
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const user = await this.client.user(nameOf(ref));
    if (!user) return null;
    return { ...(await this.observed(user)), grants: await this.grantsOf(user) };
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    refuseImpossibleName(want.username);
    const hash = passwordHash(want.username, want.password);
    const users = await this.client.users();
    const [existing, ...others] = users.filter((user) => readNote(user)?.mark === want.mark);
    if (others.length > 0) {
      throw new ToolError('conflict', `${others.length + 1} accounts carry the mark of this person.`);
    }
    if (existing) {
      // An earlier create may have ended between its two calls.
      await this.letHome(existing.name);
      return already(createdAccount(existing));
    }
    if (users.some(({ name }) => name === want.username)) throw nameTaken(want.username);
    const blank = { name: want.username, password_hash: '', hashing_algorithm: HASHING_ALGORITHM, tags: [] };
    const user = userWith(blank, { mark: want.mark, roles: [], heldHash: null }, [], hash);
    await this.make(user);
    await this.letHome(want.username);
    const made = await this.client.user(want.username);
    if (made?.password_hash !== hash) throw new ToolError('conflict', 'Somebody else wrote to this user meanwhile.');
    return done(createdAccount({ ...user, limits: {} }));
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    if (isSuspended(target) && (await this.client.connectionsOf(target.name)).length === 0) return already(null);
    await this.client.limitConnections(target.name, 0);
    const { heldHash } = target.note;
    if (heldHash === null || target.password_hash !== '') {
      await this.write(target, { ...target.note, heldHash: heldHash ?? target.password_hash });
    }
    return done(null, await this.endSessions(target.name));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const { heldHash } = target.note;
    if (heldHash === null && target.limits['max-connections'] !== 0) return already(null);
    if (heldHash !== null) await this.write(target, { ...target.note, heldHash: null }, heldHash);
    await this.client.unlimitConnections(target.name);
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const hash = passwordHash(nameOf(ref), password);
    const target = await this.target(ref);
    // A suspended user gets the new password when they are restored.
    const heldHash = target.note.heldHash === null ? null : hash;
    const written = await this.write(
      { ...target, hashing_algorithm: HASHING_ALGORITHM },
      { ...target.note, heldHash },
      hash,
    );
    const sideEffects = await this.endSessions(target.name);
    return done({ credentialVersion: credentialVersionOf(written) }, sideEffects);
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const sideEffects = await this.endSessions(target.name);
    return sideEffects.length === 0 ? already(null) : done(null, sideEffects);
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    const name = nameOf(ref);
    if (!(await this.client.user(name))) {
      // Connections outlive their user.
      const sideEffects = name === this.own.name ? [] : await this.endSessions(name);
      return sideEffects.length === 0 ? already(null) : done(null, sideEffects);
    }
    const target = await this.target(ref);
    await this.client.limitConnections(target.name, 0);
    const before = await this.endSessions(target.name);
    await this.client.deleteUser(target.name);
    return done(null, [...before, ...(await this.endSessions(target.name))]);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const target = await this.target(ref);
    const role = this.roleNamed(grant);
    if (!role) {
      throw new ToolError('invalid', `This tool’s settings have no role “${grant.name}”.`, {
        remedy: 'Write the role into the tool’s settings, or correct its name in the access policy.',
      });
    }
    if (!(await this.client.hasVhost(role.vhost))) {
      throw new ToolError('invalid', `RabbitMQ has no vhost “${role.vhost}”.`, {
        remedy: `rabbitmqctl add_vhost '${role.vhost}'`,
      });
    }
    const changed = await this.setRoles(target, [...new Set([...target.note.roles, role.name])], role.vhost);
    return changed ? done(null) : already(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const role = this.roleNamed(grant);
    if (!(await this.client.user(nameOf(ref)))) return already(null);
    const target = await this.target(ref);
    const isHeld = target.note.roles.includes(grant.name);
    if (!role && isHeld) {
      throw new ToolError('invalid', `“${target.name}” has the role “${grant.name}”, which the settings forgot.`, {
        remedy: 'Write the role back into the settings until everybody has lost it: it says which vhost it is in.',
      });
    }
    if (!role) return already(null);
    const roles = target.note.roles.filter((name) => name !== role.name);
    if (!(await this.setRoles(target, roles, role.vhost))) return already(null);
    // An open channel goes on with the rights it has asked for before (`rabbit_channel`, permission cache).
    return done(null, await this.endSessions(target.name));
  }

  async close(): Promise<void> {
    this.client.close();
  }

  /**
   * PUT makes or changes, and the answer tells which; there is no call that only makes. Of two at the same moment the
   * broker refuses one as a bad request (seen on 3.10).
   */
  private async make(user: WholeUser): Promise<void> {
    try {
      if ((await this.client.putUser(user)) === 'made') return;
    } catch (error) {
      const isRefused = error instanceof ToolError && error.kind === 'invalid';
      if (!isRefused || !(await this.client.user(user.name))) throw error;
    }
    throw nameTaken(user.name);
  }

  /** False when the user’s rights in the vhost and its tags were like that already. */
  private async setRoles(target: Target, names: readonly string[], vhost: string): Promise<boolean> {
    const roles = this.settings.roles.filter(({ name }) => names.includes(name));
    const current = (await this.client.permissionsOf(target.name)).find((row) => row.vhost === vhost);
    const wanted = this.wantedIn(vhost, roles);
    const isThere = wanted === null ? current === undefined : samePermission(current, wanted);
    if (!isThere && wanted) await this.client.putPermission(target.name, wanted);
    if (!isThere && !wanted) await this.client.deletePermission(target.name, vhost);
    const note = { ...target.note, roles: names };
    const { tags } = userWith(target, note, this.settings.roles, target.password_hash);
    const hasTags = tags.length === target.tags.length && tags.every((tag) => target.tags.includes(tag));
    if (!hasTags) await this.write(target, note);
    return !isThere || !hasTags;
  }

  /** Null: no access to the vhost at all. */
  private wantedIn(vhost: string, roles: readonly RabbitmqRole[]): Permission | null {
    const isThere = vhost === this.settings.homeVhost || roles.some((role) => role.vhost === vhost);
    return isThere ? permissionFor(vhost, roles) : null;
  }

  /** A vhost that a user has no rights in refuses their connection; empty rights let them in and allow nothing. */
  private async letHome(name: string): Promise<void> {
    const { homeVhost } = this.settings;
    if ((await this.client.permissionsOf(name)).some(({ vhost }) => vhost === homeVhost)) return;
    await this.client.putPermission(name, permissionFor(homeVhost, []));
  }

  private async write(target: RabbitUser, note: UserNote, hash = target.password_hash): Promise<RabbitUser> {
    const user = userWith(target, note, this.settings.roles, hash);
    if ((await this.client.putUser(user)) === 'made') {
      // It was removed since we looked, and this call brought it back.
      await this.client.deleteUser(user.name);
      throw new ToolError('not-found', 'The user is not there (any more).');
    }
    return { ...user, limits: target.limits };
  }

  /** Closes all connections of a user and looks until none is there. Throws `transient` when some stay. */
  private async endSessions(name: string): Promise<readonly string[]> {
    const ended = new Set<string>();
    let goneSince: number | undefined;
    const gone = await this.client.until(async () => {
      const live = await this.client.connectionsOf(name);
      for (const one of live) ended.add(one);
      if (live.length > 0) await this.client.closeConnectionsOf(name);
      goneSince = live.length === 0 ? (goneSince ?? Date.now()) : undefined;
      // A sign-in that passed the check just before the change shows up a moment later.
      return goneSince !== undefined && Date.now() - goneSince >= SETTLED_MS;
    });
    if (!gone) throw new ToolError('transient', `Connections of “${name}” were told to close and are still there.`);
    return ended.size === 0 ? [] : [`${ended.size} live ${ended.size === 1 ? 'connection' : 'connections'} closed`];
  }

  private async target(ref: AccountRef): Promise<Target> {
    const user = await this.client.user(nameOf(ref));
    if (!user) throw new ToolError('not-found', 'The user is not there (any more).');
    if (user.name === this.own.name) {
      throw new ToolError('forbidden', 'Refused: this is the user that Quartermaster itself has at this broker.');
    }
    const note = readNote(user);
    if (!note) {
      throw new ToolError('invalid', `Refused: “${user.name}” doesn’t carry Quartermaster’s mark among its tags.`, {
        remedy: 'Act on it by hand, or hand it over by adding the tag that README.md shows.',
      });
    }
    return { ...user, note };
  }

  private roleNamed(grant: GrantRef): RabbitmqRole | undefined {
    if (grant.kind !== 'role') {
      throw new ToolError('invalid', `RabbitMQ has roles here, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `roles` in the access policy.',
      });
    }
    return this.settings.roles.find(({ name }) => name === grant.name);
  }

  /** What is written with the user; and what only its rights show, which an interrupted grant leaves. */
  private async grantsOf(user: RabbitUser): Promise<readonly GrantRef[]> {
    const noted = readNote(user)?.roles ?? [];
    const rows = await this.client.permissionsOf(user.name);
    const shown = this.settings.roles.filter((role) => {
      const alone = permissionFor(role.vhost, [role]);
      const allowsNothing = !alone.configure && !alone.write && !alone.read;
      const row = rows.find(({ vhost }) => vhost === role.vhost);
      return !allowsNothing && samePermission(row, alone);
    });
    return [...new Set([...noted, ...shown.map(({ name }) => name)])].map((name) => ({ kind: 'role', name }));
  }

  private async observed(user: RabbitUser): Promise<ObservedAccount> {
    const ids = await this.client.connectionsOf(user.name);
    return {
      externalId: user.name,
      username: user.name,
      mark: readNote(user)?.mark ?? null,
      email: null,
      state: isSuspended(user) ? 'suspended' : 'active',
      sessions: { seen: true, live: ids.length, ids },
      credentials: this.credentialsOf(user),
      credentialVersion: credentialVersionOf(user),
    };
  }

  private credentialsOf(user: RabbitUser): LiveThings {
    if (this.settings.internalPasswordsOnly) return { seen: true, live: 0 };
    const because = isSuspended(user)
      ? 'No connection is let in, however somebody signs in; a cache of answers or a token may still open the HTTP API.'
      : 'People may also sign in by certificate, LDAP or OAuth, which a user doesn’t show.';
    return { seen: false, residualUntil: null, because };
  }
}

const PAGE_SIZE = 200;

/** Requests that are under way together. */
const AT_ONCE = 8;

/** How long no connection may have shown up before they count as closed. */
const SETTLED_MS = 100;

function nameOf({ externalId }: AccountRef): string {
  if (externalId === '' || externalId === '.' || externalId === '..') {
    throw new ToolError('invalid', `“${externalId}” is not the name of a user.`);
  }
  return externalId;
}

/** RabbitMQ itself takes any name; AMQP and its tools carry 255 bytes, and some trim blanks. */
function refuseImpossibleName(name: string): void {
  const isPossible = name !== '' && name === name.trim() && !/\p{Cc}/u.test(name) && name !== '.' && name !== '..';
  if (!isPossible) {
    throw new ToolError(
      'invalid',
      'A user name can’t be empty, begin or end with a blank, or hold control characters.',
    );
  }
  if (Buffer.byteLength(name) > 255) {
    throw new ToolError('invalid', `A user name can be 255 bytes long; this one has ${Buffer.byteLength(name)}.`, {
      remedy: 'Give this person a shorter user name for this tool.',
    });
  }
}

function nameTaken(name: string): ToolError {
  return new ToolError('conflict', `The user name “${name}” is taken by another user.`);
}

function createdAccount(user: RabbitUser): CreatedAccount {
  return { externalId: user.name, username: user.name, credentialVersion: credentialVersionOf(user) };
}
