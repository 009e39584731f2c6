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
  BASE_RULES,
  credentialVersionOf,
  isHeldAsItIs,
  markOf,
  markSelector,
  passwordRule,
  readAclUser,
  refuseImpossibleName,
  rolesOf,
  rulesToBe,
  selectorsWith,
  type AclUser,
} from './acl-user.js';
import { missingPermissions, unsavedUsers } from './check-permissions.js';
import { RedisAclClient } from './client.js';
import { redisAclManifest, type RedisAclRole, type RedisAclSettings } from './manifest.js';

/** An ACL user per person on one Redis or Valkey node; see README.md for what it needs, proves and can't see. */
export const redisAclConnector: Connector<RedisAclSettings> = {
  ...redisAclManifest,
  async open(connection: ToolConnection<RedisAclSettings>): Promise<ToolSession> {
    const settings = checkConnection(redisAclManifest, connection);
    const client = await RedisAclClient.connect(settings, connection.secrets['password'] ?? '', connection);
    return new RedisAclSession(client, settings);
  },
};

class RedisAclSession implements ToolSession {
  constructor(
    private readonly client: RedisAclClient,
    private readonly settings: RedisAclSettings,
  ) {}

  async check(): Promise<CheckReport> {
    const { user, persistence } = this.settings;
    const missing = [...(await missingPermissions(this.client, user, persistence))];
    // Only trying shows whether there is a file to save to; it writes what the server has in memory already.
    if (missing.length === 0 && !(await this.canSave())) missing.push(...unsavedUsers(persistence));
    const mayAsk = !missing.some(({ permission }) => permission === '+info');
    return { principal: await this.ownName(), version: mayAsk ? await this.version() : null, missing };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const names = (await this.names()).filter((name) => next === null || name > next);
    const page = names.slice(0, PAGE_SIZE);
    const isLast = names.length <= PAGE_SIZE;
    return {
      accounts: await this.observed(await this.usersNamed(page)),
      next: isLast ? null : (page.at(-1) ?? null),
      complete: isLast,
    };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const users = await this.usersNamed(await this.names());
    const found = users.filter((user) => markOf(user) === mark || [username, email].includes(user.name));
    return (await this.observed(found)).map((account) => {
      if (account.mark === mark) return { account, matchedBy: 'mark' };
      return { account, matchedBy: account.username === username ? 'username' : 'email' };
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const user = await this.userOf(ref);
    if (!user) return null;
    const [account] = await this.observed([user]);
    return account ? { ...account, grants: rolesOf(user).map(({ name }) => ({ kind: 'role', name })) } : null;
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    refuseImpossibleName(want.username);
    const password = passwordRule(want.password);
    const users = await this.usersNamed(await this.names());
    const [existing, ...others] = users.filter((user) => markOf(user) === want.mark);
    if (others.length > 0) {
      throw new ToolError('conflict', `${others.length + 1} accounts carry the mark of this person.`);
    }
    if (existing) {
      await this.save();
      return already(createdAccount(existing));
    }
    if (users.some(({ name }) => name === want.username)) throw nameTaken(want.username);
    // ACL SETUSER changes a user that is there; what was there the moment before tells which of the two it did.
    const [before] = await this.client.together([
      ['ACL', 'GETUSER', want.username],
      ['ACL', 'SETUSER', want.username, 'on', password, ...BASE_RULES, markSelector(want.mark)],
    ]);
    if (before !== null) {
      await this.set(readAclUser(want.username, before), rulesToBe(readAclUser(want.username, before)));
      throw nameTaken(want.username);
    }
    await this.refuseSecondWith(want);
    await this.save();
    const created = await this.userOf({ externalId: want.username });
    if (!created) throw new ToolError('conflict', 'The account disappeared while it was made.');
    return done(createdAccount(created));
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const isOff = !target.flags.includes('on');
    if (isOff && (await this.sessionsOf(target.name)).length === 0) {
      await this.save();
      return already(null);
    }
    await this.set(target, ['off']);
    // `off` refuses new sign-ins and leaves the open connections alone.
    const sideEffects = await this.endSessions(target.name);
    await this.save();
    return done(null, sideEffects);
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const isOn = target.flags.includes('on');
    if (!isOn) await this.set(target, ['on']);
    await this.save();
    return isOn ? already(null) : done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const rule = passwordRule(password);
    const target = await this.target(ref);
    await this.set(target, ['resetpass', rule]);
    const sideEffects = await this.endSessions(target.name);
    await this.save();
    const credentialVersion = credentialVersionOf({ ...target, passwords: [rule.slice(1)] });
    return done({ credentialVersion }, sideEffects);
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const sideEffects = await this.endSessions(target.name);
    return sideEffects.length === 0 ? already(null) : done(null, sideEffects);
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    if (!(await this.userOf(ref))) {
      await this.save();
      return already(null);
    }
    const target = await this.target(ref);
    await this.set(target, ['off']);
    const sideEffects = await this.endSessions(target.name);
    await this.client.change('ACL', 'DELUSER', target.name);
    await this.save();
    return done(null, sideEffects);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const target = await this.target(ref);
    const role = this.roleNamed(grant);
    if (!role) {
      throw new ToolError('invalid', `This tool’s settings have no role “${grant.name}”.`, {
        remedy: 'Write the role into the tool’s settings, or correct its name in the access policy.',
      });
    }
    const isHeld = rolesOf(target).some((held) => isHeldAsItIs(held, role));
    if (!isHeld) await this.set(target, selectorsWith(target, role.name, role));
    await this.save();
    return isHeld ? already(null) : done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    // A role that the settings forgot can still be taken back: what a user holds is written with the user.
    this.roleNamed(grant);
    if (!(await this.userOf(ref))) return already(null);
    const target = await this.target(ref);
    const isHeld = rolesOf(target).some(({ name }) => name === grant.name);
    // Redis applies it to open connections at once.
    if (isHeld) await this.set(target, selectorsWith(target, grant.name));
    await this.save();
    return isHeld ? done(null) : already(null);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** All rules in one command: Redis applies all of them or none. */
  private async set({ name }: Pick<AclUser, 'name'>, rules: readonly string[]): Promise<void> {
    await this.client.change('ACL', 'SETUSER', name, ...rules);
  }

  /**
   * Writes the users to disk: one that is gone, or back, after a restart wasn't removed, or suspended. Done before
   * `already` too, since an earlier attempt may have ended before it came to this.
   */
  private async save(): Promise<void> {
    const [command, subcommand] = SAVE_COMMANDS[this.settings.persistence];
    try {
      await this.client.change(command, subcommand);
    } catch (error) {
      if (!(error instanceof ToolError) || error.kind !== 'invalid') throw error;
      const said = (error.cause as Error | undefined)?.message ?? '';
      if (NOTHING_TO_SAVE_TO.test(said)) {
        throw new ToolError('invalid', 'The change is made, but in memory only: a restart would undo it.', {
          remedy: unsavedUsers(this.settings.persistence)[0]?.remedy,
        });
      }
      throw new ToolError('transient', 'The change is made, but the server couldn’t write it to disk.', {
        remedy: 'Look at the server’s log; its disk may be full, or the file not writable.',
        cause: error,
      });
    }
  }

  private async canSave(): Promise<boolean> {
    if (this.settings.persistence === 'config-rewrite') return (await this.info('server', 'config_file')) !== '';
    try {
      await this.save();
      return true;
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'invalid') return false;
      throw error;
    }
  }

  /** Two creates of one mark for two names at the same moment: whoever sees the other's takes its own back. */
  private async refuseSecondWith({ mark, username }: NewAccount): Promise<void> {
    const users = await this.usersNamed(await this.names());
    const other = users.find((user) => user.name !== username && markOf(user) === mark);
    if (!other) return;
    await this.client.change('ACL', 'DELUSER', username);
    throw new ToolError('conflict', `Another create made “${other.name}” for this person meanwhile.`);
  }

  /** Ends all connections of a user and looks until none is there. Throws `transient` when some stay. */
  private async endSessions(name: string): Promise<readonly string[]> {
    const ended = new Set<string>();
    const gone = await this.client.until(async () => {
      const ids = await this.sessionsOf(name);
      if (ids.length === 0) return true;
      for (const id of ids) ended.add(id);
      await this.client.change('CLIENT', 'KILL', 'USER', name);
      return false;
    });
    if (!gone) throw new ToolError('transient', `Sessions of “${name}” were told to end and are still there.`);
    return ended.size === 0 ? [] : [`${ended.size} live ${ended.size === 1 ? 'session' : 'sessions'} ended`];
  }

  private async sessionsOf(name: string): Promise<readonly string[]> {
    return (await this.sessions()).get(name) ?? [];
  }

  /** The ids of the connections of each user (`CLIENT LIST`: a line each, of `name=value` words). */
  private async sessions(): Promise<ReadonlyMap<string, readonly string[]>> {
    const byUser = new Map<string, string[]>();
    for (const line of String(await this.client.query('CLIENT', 'LIST')).split('\n')) {
      const id = /^id=(\d+) /.exec(line)?.[1];
      const user = / user=(\S*)/.exec(line)?.[1];
      if (id && user !== undefined) byUser.set(user, [...(byUser.get(user) ?? []), id]);
    }
    return byUser;
  }

  private async names(): Promise<readonly string[]> {
    const names = await this.client.query('ACL', 'USERS');
    if (!Array.isArray(names)) throw new ToolError('invalid', 'ACL USERS was answered in another form.');
    return names.map(String).toSorted((a, b) => (a < b ? -1 : 1));
  }

  private async usersNamed(names: readonly string[]): Promise<readonly AclUser[]> {
    const users: AclUser[] = [];
    for (let from = 0; from < names.length; from += PAGE_SIZE) {
      const some = names.slice(from, from + PAGE_SIZE);
      const replies = await this.client.queryAll(some.map((name) => ['ACL', 'GETUSER', name] as const));
      some.forEach((name, index) => {
        // Null: somebody removed it since the names were asked for.
        if (replies[index] != null) users.push(readAclUser(name, replies[index]));
      });
    }
    return users;
  }

  private async userOf({ externalId }: Pick<AccountRef, 'externalId'>): Promise<AclUser | undefined> {
    return (await this.usersNamed([externalId]))[0];
  }

  private async target(ref: AccountRef): Promise<AclUser> {
    const user = await this.userOf(ref);
    if (!user) throw new ToolError('not-found', 'The user is not there (any more).');
    if (user.name === this.settings.user || user.name === (await this.ownName())) {
      throw new ToolError('forbidden', 'Refused: this is the user that Quartermaster itself has at this server.');
    }
    if (markOf(user) === null) {
      throw new ToolError(
        'invalid',
        `Refused: “${user.name}” doesn’t carry Quartermaster’s mark among its selectors.`,
        {
          remedy: 'Act on it by hand, or hand it over by adding the selector that README.md shows.',
        },
      );
    }
    return user;
  }

  private roleNamed(grant: GrantRef): RedisAclRole | undefined {
    if (grant.kind !== 'role') {
      throw new ToolError('invalid', `Redis has roles here, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `roles` in the access policy.',
      });
    }
    return this.settings.roles.find(({ name }) => name === grant.name);
  }

  private async ownName(): Promise<string> {
    return String(await this.client.query('ACL', 'WHOAMI'));
  }

  private async version(): Promise<string | null> {
    return (await this.info('server', 'valkey_version')) || (await this.info('server', 'redis_version')) || null;
  }

  private async info(section: string, field: string): Promise<string> {
    const text = String(await this.client.query('INFO', section));
    return new RegExp(`^${field}:(.*?)\r?$`, 'm').exec(text)?.[1] ?? '';
  }

  /** Why this node alone doesn't show all sessions; null when it does. */
  private async otherNodes(): Promise<string | null> {
    if (this.settings.everyNodeIsATool) return null;
    if ((await this.info('cluster', 'cluster_enabled')) === '1') {
      return 'Each node of this cluster has users and sessions of its own, and this is one of them.';
    }
    const replicas = await this.info('replication', 'connected_slaves');
    const isReplica = (await this.info('replication', 'role')) === 'slave';
    if (!isReplica && Number(replicas) === 0) return null;
    return 'This server has replicas, or is one; each has users and sessions of its own.';
  }

  private async observed(users: readonly AclUser[]): Promise<readonly ObservedAccount[]> {
    const sessions = await this.sessions();
    const because = await this.otherNodes();
    return users.map((user) => {
      const ids = sessions.get(user.name) ?? [];
      return {
        externalId: user.name,
        username: user.name,
        mark: markOf(user),
        email: null,
        state: user.flags.includes('on') ? 'active' : 'suspended',
        sessions:
          because === null ? { seen: true, live: ids.length, ids } : { seen: false, residualUntil: null, because },
        credentials: credentialsOf(user),
        credentialVersion: credentialVersionOf(user),
      };
    });
  }
}

const PAGE_SIZE = 500;

const SAVE_COMMANDS = { 'acl-file': ['ACL', 'SAVE'], 'config-rewrite': ['CONFIG', 'REWRITE'] } as const;

/** Redis says both with ERR and in words only (acl.c, config.c; 7.0 to 8.0, Valkey 8). */
const NOTHING_TO_SAVE_TO = /not configured to use an ACL file|without a config file/i;

/** Passwords beside the first one: Redis lets a user have several, to change them without a break. */
function credentialsOf({ flags, passwords }: AclUser): LiveThings {
  if (!flags.includes('on')) return { seen: true, live: 0 };
  if (flags.includes('nopass')) {
    return { seen: false, residualUntil: null, because: 'The user is `nopass`: any password lets anybody in.' };
  }
  return { seen: true, live: Math.max(0, passwords.length - 1) };
}

function nameTaken(name: string): ToolError {
  return new ToolError('conflict', `The user name “${name}” is taken by another user.`);
}

function createdAccount(user: AclUser): CreatedAccount {
  return { externalId: user.name, username: user.name, credentialVersion: credentialVersionOf(user) };
}
