import { createHash, randomUUID } from 'node:crypto';
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
  accountNameOf,
  canBeName,
  externalIdOf,
  quoteAccount,
  quoteIdentifier,
  refuseImpossibleName,
  type AccountName,
} from './account-names.js';
import { missingPermissions } from './check-permissions.js';
import { MysqlClient } from './client.js';
import { mysqlManifest, type MysqlSettings } from './manifest.js';
import { nativePasswordHash } from './native-password.js';
import { Sessions } from './sessions.js';
import { lookSql, type LookSql } from './sql.js';

/** An account per person on a MariaDB server; see README.md for what it needs, proves and can't see. */
export const mysqlConnector: Connector<MysqlSettings> = {
  ...mysqlManifest,
  async open(connection: ToolConnection<MysqlSettings>): Promise<ToolSession> {
    const settings = checkConnection(mysqlManifest, connection);
    const client = await MysqlClient.connect(settings, connection.secrets['password'] ?? '', connection);
    try {
      return new MysqlSession(client, settings, await whoWeAre(client));
    } catch (error) {
      await client.close();
      throw error;
    }
  },
};

interface Server {
  own: AccountName;
  version: string;
}

async function whoWeAre(client: MysqlClient): Promise<Server> {
  const [self] = await client.query<{ own: string; version: string }>(
    'SELECT CURRENT_USER() AS own, VERSION() AS version',
  );
  if (!self) throw new ToolError('invalid', 'The server doesn’t know its own user.');
  if (!/mariadb/i.test(self.version)) {
    throw new ToolError('unsupported', `This is MySQL ${self.version}, or something like it, and not MariaDB.`, {
      remedy: 'See “MySQL” in connectors/mysql/README.md; until then its accounts are human tasks.',
    });
  }
  return { own: accountNameOf({ externalId: self.own }), version: self.version };
}

interface AccountRow extends AccountName {
  is_locked: number;
  plugin: string | null;
  /** 1 when there are further ways to sign in beside the first one. */
  other_ways: number;
  /** Seconds since 1970; null for accounts that were made before the server kept it. */
  password_changed: string | number | null;
  mark: string | null;
  credential_version: string | null;
  /** Other accounts of the same user name, for other hosts. */
  namesakes: string | null;
}

/** An account that may be acted on: it carries our mark, and isn't our own. */
type Target = AccountRow & { mark: string; quoted: string };

class MysqlSession implements ToolSession {
  private readonly sessions: Sessions;
  private readonly look: LookSql;
  private readonly marks: string;

  constructor(
    private readonly client: MysqlClient,
    private readonly settings: MysqlSettings,
    private readonly server: Server,
  ) {
    this.sessions = new Sessions(client);
    this.look = lookSql(settings.schema);
    this.marks = `${quoteIdentifier(settings.schema)}.marks`;
  }

  async check(): Promise<CheckReport> {
    const { own, version } = this.server;
    const missing = await missingPermissions(this.client, own, this.settings.schema);
    return { principal: own.user, version, missing };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const after = next === null ? { user: '', host: '' } : accountNameOf({ externalId: next });
    const rows = await this.client.query<AccountRow>(
      `${this.look.accounts} AND a.user <> '' AND (a.user > ? OR (a.user = ? AND a.host > ?))
       ORDER BY a.user, a.host LIMIT ${PAGE_SIZE}`,
      [after.user, after.user, after.host],
    );
    const isLast = rows.length < PAGE_SIZE;
    const last = rows.at(-1);
    return {
      accounts: await this.observed(rows),
      next: isLast || !last ? null : externalIdOf(last),
      complete: isLast,
    };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const rows = await this.client.query<AccountRow>(
      `${this.look.accounts} AND (m.mark = ? OR a.user = ? OR a.user = ?) AND a.user <> '' ORDER BY a.user, a.host`,
      [mark, ...[username, email].map((name) => (canBeName(name) ? name : ''))],
    );
    return (await this.observed(rows)).map((account) => {
      if (account.mark === mark) return { account, matchedBy: 'mark' };
      return { account, matchedBy: account.username === username ? 'username' : 'email' };
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const row = await this.rowOf(ref);
    if (!row) return null;
    const roles = await this.client.query<{ role: string }>(this.look.rolesOf, [row.user, row.host]);
    const [account] = await this.observed([row]);
    return account ? { ...account, grants: roles.map(({ role }) => ({ kind: 'role', name: role })) } : null;
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    refuseImpossibleName(want.username);
    if (want.mark.length > 255) throw new ToolError('invalid', 'A mark can be 255 characters long.');
    const hash = nativePasswordHash(want.password);
    return this.oneAtATime(want.mark, async () => {
      const existing = await this.marked(want.mark);
      if (existing) return already(this.created(existing));
      await this.refuseTakenName(want.username);
      const name = { user: want.username, host: this.settings.accountHost };
      // Throws when the account that had this name may live on under another one.
      await this.rowOf({ externalId: externalIdOf(name) });
      const credentialVersion = randomUUID();
      // The mark first: were it second, an account whose create was interrupted would be nobody's.
      await this.client.change(`DELETE FROM ${this.marks} WHERE user = ? AND host = ?`, [name.user, name.host]);
      await this.client.change(`INSERT INTO ${this.marks} (user, host, mark, credential_version) VALUES (?, ?, ?, ?)`, [
        name.user,
        name.host,
        want.mark,
        credentialVersion,
      ]);
      try {
        await this.client.change(`CREATE USER ${quoteAccount(name)} ${identifiedBy(hash)}`);
      } catch (error) {
        await this.forgetUnlessMade(name, error);
        throw error;
      }
      const row = await this.noteCredentials(name, credentialVersion);
      return done(this.created(row));
    });
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const sessions = (await this.sessions.count()).of(target.user);
    if (target.is_locked && sessions.seen && sessions.live === 0) return already(null);
    await this.client.change(`ALTER USER ${target.quoted} ACCOUNT LOCK`);
    // A lock refuses new connections and leaves the open ones alone.
    return done(null, ended(await this.sessions.end(target.user)));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    if (!target.is_locked) return already(null);
    await this.client.change(`ALTER USER ${target.quoted} ACCOUNT UNLOCK`);
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const hash = nativePasswordHash(password);
    const target = await this.target(ref);
    let total = 0;
    // Everybody may set their own password: a session that was open may have changed it again before it ended.
    for (;;) {
      await this.client.change(`ALTER USER ${target.quoted} ${identifiedBy(hash)}`);
      const count = await this.sessions.end(target.user);
      if (count === 0) break;
      total += count;
    }
    const row = await this.noteCredentials(target, randomUUID());
    return done({ credentialVersion: credentialVersionOf(row) }, ended(total));
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    const count = await this.sessions.end(target.user);
    return count === 0 ? already(null) : done(null, ended(count));
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    if (!(await this.rowOf(ref))) {
      await this.forget(accountNameOf(ref));
      return already(null);
    }
    const target = await this.target(ref);
    await this.client.change(`ALTER USER ${target.quoted} ACCOUNT LOCK`);
    const count = await this.sessions.end(target.user);
    await this.client.change(`DROP USER ${target.quoted}`);
    await this.forget(target);
    return done(null, ended(count));
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const target = await this.target(ref);
    const role = await this.roleNamed(grant);
    if (!role) {
      throw new ToolError('invalid', `The server has no role “${grant.name}”.`, {
        remedy: 'Make the role at the server, or correct its name in the access policy.',
      });
    }
    if (role.isPowerful) {
      throw new ToolError('forbidden', `Refused: “${grant.name}” holds privileges on everything (*.*).`, {
        permission: 'roles with privileges on named schemas only',
      });
    }
    if (await this.holds(target, grant)) return already(null);
    await this.client.change(`GRANT ${quoteIdentifier(grant.name)} TO ${target.quoted}`);
    return done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const role = await this.roleNamed(grant);
    if (!role || !(await this.rowOf(ref))) return already(null);
    const target = await this.target(ref);
    if (!(await this.holds(target, grant))) return already(null);
    await this.client.change(`REVOKE ${quoteIdentifier(grant.name)} FROM ${target.quoted}`);
    // A session that has said SET ROLE keeps the role's privileges, and no list shows which ones have.
    return done(null, ended(await this.sessions.end(target.user)));
  }

  close(): Promise<void> {
    return this.client.close();
  }

  /** Two creates of one mark wait for each other; a named lock ends with its connection. Throws `transient`. */
  private async oneAtATime<T>(mark: string, work: () => Promise<T>): Promise<T> {
    const lock = `quartermaster ${createHash('sha256').update(mark).digest('hex').slice(0, 40)}`;
    const [got] = await this.client.query<{ locked: number | string | null }>('SELECT GET_LOCK(?, ?) AS locked', [
      lock,
      this.client.secondsLeft(),
    ]);
    if (Number(got?.locked) !== 1) throw new ToolError('transient', 'Another create of this person’s account goes on.');
    try {
      return await work();
    } finally {
      await this.client.query('SELECT RELEASE_LOCK(?)', [lock]).catch(() => undefined);
    }
  }

  private async marked(mark: string): Promise<AccountRow | undefined> {
    const rows = await this.client.query<AccountRow>(`${this.look.accounts} AND m.mark = ?`, [mark]);
    if (rows.length > 1) throw new ToolError('conflict', `${rows.length} accounts carry the mark of this person.`);
    return rows[0];
  }

  /** Sessions are known by user name, so two accounts of one name, for two hosts, couldn't be told apart. */
  private async refuseTakenName(username: string): Promise<void> {
    const rows = await this.client.query<AccountRow>(`${this.look.accounts} AND a.user = ?`, [username]);
    if (rows.length > 0) throw new ToolError('conflict', `The user name “${username}” is taken by another account.`);
    const role = await this.roleNamed({ kind: 'role', name: username });
    if (role) throw new ToolError('conflict', `“${username}” is the name of a role.`);
  }

  private async forgetUnlessMade(name: AccountName, error: unknown): Promise<void> {
    if (error instanceof ToolError && error.kind !== 'ambiguous') await this.forget(name).catch(() => undefined);
  }

  private async forget({ user, host }: AccountName): Promise<void> {
    await this.client.change(`DELETE FROM ${this.marks} WHERE user = ? AND host = ?`, [user, host]);
  }

  private async noteCredentials(name: AccountName, credentialVersion: string): Promise<AccountRow> {
    const row = await this.rowOf({ externalId: externalIdOf(name) });
    if (!row) throw new ToolError('conflict', 'The account disappeared while it was changed.');
    await this.client.change(
      `UPDATE ${this.marks} SET credential_version = ?, password_changed = ? WHERE user = ? AND host = ?`,
      [credentialVersion, String(row.password_changed ?? 0), name.user, name.host],
    );
    return { ...row, credential_version: credentialVersion };
  }

  /** Throws `conflict` where an account that was ours may live on under another name. */
  private async rowOf(ref: Pick<AccountRef, 'externalId'>): Promise<AccountRow | undefined> {
    const { user, host } = accountNameOf(ref);
    if (!canBeName(user)) return undefined;
    const [row] = await this.client.query<AccountRow>(`${this.look.accounts} AND a.user = ? AND a.host = ?`, [
      user,
      host,
    ]);
    if (row) return row;
    const [orphan] = await this.client.query<{ maybe_renamed: string | null }>(this.look.marksWithoutAccount, [
      user,
      host,
    ]);
    if (orphan?.maybe_renamed) {
      throw new ToolError('conflict', `“${user}” isn’t there, and may have been renamed to ${orphan.maybe_renamed}.`, {
        remedy: 'Look at the server; rename it back, or drop it, or correct its row in the connector’s table marks.',
      });
    }
    return undefined;
  }

  private async target(ref: AccountRef): Promise<Target> {
    const row = await this.rowOf(ref);
    if (!row) throw new ToolError('not-found', 'The account is not there (any more).');
    if (row.user === this.server.own.user) {
      throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this server.');
    }
    if (row.mark === null) {
      throw new ToolError('invalid', `Refused: “${externalIdOf(row)}” doesn’t carry Quartermaster’s mark.`, {
        remedy: 'Act on it by hand, or hand it over by a row in the connector’s table marks.',
      });
    }
    return { ...row, mark: row.mark, quoted: quoteAccount(row) };
  }

  private async roleNamed(grant: GrantRef): Promise<{ isPowerful: boolean } | undefined> {
    if (grant.kind !== 'role') {
      throw new ToolError('invalid', `MariaDB has roles, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `roles` in the access policy.',
      });
    }
    const [role] = await this.client.query<{ found: number | string; powerful: number | string | null }>(
      this.look.roleNamed,
      [canBeName(grant.name) ? grant.name : ''],
    );
    return Number(role?.found) > 0 ? { isPowerful: Number(role?.powerful) > 0 } : undefined;
  }

  private async holds(target: Target, grant: GrantRef): Promise<boolean> {
    const roles = await this.client.query<{ role: string }>(this.look.rolesOf, [target.user, target.host]);
    return roles.some(({ role }) => role === grant.name);
  }

  private async observed(rows: readonly AccountRow[]): Promise<readonly ObservedAccount[]> {
    const sessions = await this.sessions.count();
    return rows.map((row) => ({
      externalId: externalIdOf(row),
      username: row.user,
      mark: row.mark,
      email: null,
      state: row.is_locked ? 'suspended' : 'active',
      sessions: sessions.of(row.user),
      credentials: credentialsOf(row),
      credentialVersion: credentialVersionOf(row),
    }));
  }

  private created(row: AccountRow): CreatedAccount {
    return { externalId: externalIdOf(row), username: row.user, credentialVersion: credentialVersionOf(row) };
  }
}

const PAGE_SIZE = 500;

function identifiedBy(hash: string): string {
  return `IDENTIFIED VIA mysql_native_password USING '${hash}'`;
}

/** Ours, and the second of the newest change: a password that somebody sets by hand shows too. */
function credentialVersionOf({ credential_version, password_changed }: AccountRow): string | null {
  return credential_version === null ? null : `${credential_version}/${password_changed ?? 0}`;
}

function credentialsOf(row: AccountRow): LiveThings {
  const unseen = (because: string): LiveThings => ({ seen: false, residualUntil: null, because });
  if (row.namesakes) return unseen(`There are other accounts of the same user name: ${row.namesakes}.`);
  if (row.is_locked) return { seen: true, live: 0 };
  if (row.plugin !== 'mysql_native_password' || row.other_ways) {
    return unseen('The account may be signed in to otherwise than by the password that was set here.');
  }
  return { seen: true, live: 0 };
}

function ended(count: number): readonly string[] {
  return count === 0 ? [] : [`${count} live ${count === 1 ? 'session' : 'sessions'} ended`];
}
