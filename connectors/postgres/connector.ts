import { randomUUID } from 'node:crypto';
import pg from 'pg';
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
import { isChangedMeanwhile, PostgresClient } from './client.js';
import { postgresManifest, type PostgresSettings } from './manifest.js';
import { commentPrefix, readComment, writeComment, type RoleNote } from './role-comment.js';
import { scramVerifier } from './scram-verifier.js';

/** A role per person on a PostgreSQL server; see README.md for the permissions it needs and its limits. */
export const postgresConnector: Connector<PostgresSettings> = {
  ...postgresManifest,
  async open(connection: ToolConnection<PostgresSettings>): Promise<ToolSession> {
    const settings = checkConnection(postgresManifest, connection);
    const client = await PostgresClient.connect(settings, connection.secrets['password'] ?? '', connection);
    return new PostgresSession(client, settings);
  },
};

interface Role {
  oid: string;
  rolname: string;
  rolcanlogin: boolean;
  rolsuper: boolean;
  comment: string | null;
  is_self: boolean;
  live: number;
}

/** A role that may be acted on: known by its oid, carrying our mark, and neither powerful nor our own. */
type Target = Role & { note: RoleNote };

class PostgresSession implements ToolSession {
  constructor(
    private readonly client: PostgresClient,
    private readonly settings: PostgresSettings,
  ) {}

  async check(): Promise<CheckReport> {
    const [self] = await this.client.query<Permissions>(PERMISSIONS);
    if (!self) throw new ToolError('invalid', 'The server doesn’t know its own user.');
    const missing: CheckReport['missing'][number][] = [];
    const principal = pg.escapeIdentifier(self.principal);
    if (!self.creates_roles) {
      for (const capability of ['createAccount', 'suspendAccount', 'restoreAccount', 'removeAccount'] as const) {
        missing.push({ capability, permission: 'CREATEROLE', remedy: `ALTER ROLE ${principal} CREATEROLE;` });
      }
      missing.push({
        capability: 'resetCredentials',
        permission: 'CREATEROLE',
        remedy: `ALTER ROLE ${principal} CREATEROLE;`,
      });
    }
    if (!self.signals) {
      for (const capability of ['suspendAccount', 'removeAccount', 'resetCredentials', 'revokeAccess'] as const) {
        missing.push({
          capability,
          permission: 'pg_signal_backend',
          remedy: `GRANT pg_signal_backend TO ${principal};`,
        });
      }
    }
    if (!self.grants) {
      for (const capability of ['grant', 'withdraw'] as const) {
        missing.push({
          capability,
          permission: 'ADMIN OPTION on a group role',
          remedy: `GRANT <group role> TO ${principal} WITH ADMIN OPTION;`,
        });
      }
    }
    return { principal: self.principal, version: self.version, missing };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const roles = await this.client.query<Role>(
      `${ROLES} WHERE r.oid > $1::oid AND (r.rolcanlogin OR starts_with(d.description, $2)) ORDER BY r.oid LIMIT $3`,
      [next ?? '0', '{"quartermaster":', PAGE_SIZE],
    );
    const isLast = roles.length < PAGE_SIZE;
    return {
      accounts: roles.map((role) => this.observed(role)),
      next: isLast ? null : (roles.at(-1)?.oid ?? null),
      complete: isLast,
    };
  }

  async findAccounts({ mark, username, email }: AccountQuery): Promise<readonly FoundAccount[]> {
    const roles = await this.client.query<Role>(
      `${ROLES} WHERE starts_with(d.description, $1) OR r.rolname = $2 OR r.rolname = $3 ORDER BY r.oid`,
      [commentPrefix(mark), username, email],
    );
    return roles.map((role) => {
      const account = this.observed(role);
      if (account.mark === mark) return { account, matchedBy: 'mark' };
      return { account, matchedBy: role.rolname === username ? 'username' : 'email' };
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const role = await this.roleOf(ref);
    if (!role) return null;
    const groups = await this.client.query<{ rolname: string }>(
      `SELECT DISTINCT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
       WHERE m.member = $1::oid ORDER BY 1`,
      [role.oid],
    );
    return { ...this.observed(role), grants: groups.map(({ rolname: name }) => ({ kind: 'role', name })) };
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    refuseImpossibleName(want.username);
    const verifier = await scramVerifier(want.password);
    const note: RoleNote = { mark: want.mark, credentialVersion: randomUUID() };
    return this.client.transaction(async () => {
      // Two creates of one mark at the same time: the second waits here, and then finds the first one's role.
      await this.client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [commentPrefix(want.mark)]);
      const existing = await this.findAccounts({ mark: want.mark, username: want.username, email: '' });
      const marked = existing.filter(({ matchedBy }) => matchedBy === 'mark');
      if (marked.length > 1) throw new ToolError('conflict', `${marked.length} roles carry the mark of this person.`);
      if (marked[0]) return already(createdAccount(marked[0].account));
      if (existing.length > 0) {
        throw new ToolError('conflict', `The role “${want.username}” exists and isn’t Quartermaster’s.`, {
          remedy: 'Rename or remove that role, or give this person another user name.',
        });
      }
      const name = pg.escapeIdentifier(want.username);
      await this.client.query(
        `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
         PASSWORD ${pg.escapeLiteral(verifier)}`,
      );
      await this.writeNote(name, note);
      const [created] = await this.client.query<{ oid: string }>('SELECT oid::text FROM pg_roles WHERE rolname = $1', [
        want.username,
      ]);
      if (!created) throw new ToolError('conflict', 'The role disappeared while it was made.');
      const { credentialVersion } = note;
      return done({ externalId: created.oid, username: want.username, credentialVersion });
    });
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    if (!target.rolcanlogin && target.live === 0) return already(null);
    // NOLOGIN refuses new connections and leaves the open ones alone.
    return done(null, await this.changeAndEndSessions(target, () => this.alter(target, 'NOLOGIN')));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    if (target.rolcanlogin) return already(null);
    await this.client.transaction(() => this.alter(target, 'LOGIN'));
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const verifier = await scramVerifier(password);
    const target = await this.target(ref);
    const credentialVersion = randomUUID();
    const name = pg.escapeIdentifier(target.rolname);
    const ended = await this.changeAndEndSessions(target, async () => {
      await this.client.query(`ALTER ROLE ${name} PASSWORD ${pg.escapeLiteral(verifier)}`);
      await this.writeNote(name, { mark: target.note.mark, credentialVersion });
    });
    return done({ credentialVersion }, ended);
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const target = await this.target(ref);
    if (target.live === 0) return already(null);
    return done(null, sessionsEnded(await this.endSessions(target)));
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    if (!(await this.roleOf(ref))) return already(null);
    const target = await this.target(ref);
    await this.refuseOwner(target);
    const sideEffects = await this.changeAndEndSessions(target, () => this.alter(target, 'NOLOGIN'));
    await this.client.transaction(() => this.client.query(`DROP ROLE ${pg.escapeIdentifier(target.rolname)}`));
    return done(null, sideEffects);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const target = await this.target(ref);
    const group = await this.groupNamed(grant);
    if (!group) {
      throw new ToolError('invalid', `The server has no role “${grant.name}”.`, {
        remedy: 'Make the role at the server, or correct its name in the access policy.',
      });
    }
    refuseDangerousGroup(group);
    if (await this.isMember(target, group)) return already(null);
    await this.client.transaction(() => this.client.query(membership('GRANT', group, 'TO', target)));
    return done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const group = await this.groupNamed(grant);
    if (!group || !(await this.roleOf(ref))) return already(null);
    const target = await this.target(ref);
    if (!(await this.isMember(target, group))) return already(null);
    await this.client.transaction(async () => {
      await this.client.query(membership('REVOKE', group, 'FROM', target));
      // From PostgreSQL 16 on, REVOKE takes back one's own grants only, and merely warns about others'.
      if (!(await this.isMember(target, group))) return;
      throw new ToolError('forbidden', `Somebody else granted “${group.rolname}” to “${target.rolname}”.`, {
        permission: `REVOKE … GRANTED BY the role that granted “${group.rolname}”`,
      });
    });
    return done(null);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async alter(target: Target, change: 'LOGIN' | 'NOLOGIN'): Promise<void> {
    await this.client.query(`ALTER ROLE ${pg.escapeIdentifier(target.rolname)} ${change}`);
  }

  private async writeNote(quotedName: string, note: RoleNote): Promise<void> {
    await this.client.query(`COMMENT ON ROLE ${quotedName} IS ${pg.escapeLiteral(writeComment(note))}`);
  }

  /**
   * Changes a role and ends its sessions, and both again until there were none to end: everybody may change their own
   * password, so a session may have set it back, or made our own change fail, before it ended.
   */
  private async changeAndEndSessions(target: Target, change: () => Promise<void>): Promise<readonly string[]> {
    const ended = new Set<number>();
    const isSettled = await this.client.until(async () => {
      const isChanged = await this.client.transaction(change).then(
        () => true,
        (error: unknown) => {
          if (isChangedMeanwhile(error)) return false;
          throw error;
        },
      );
      const found = await this.endSessions(target);
      for (const pid of found) ended.add(pid);
      return isChanged && found.size === 0;
    });
    if (isSettled) return sessionsEnded(ended);
    throw new ToolError('transient', `Sessions of “${target.rolname}” were ended, and new ones came up each time.`);
  }

  /**
   * Ends all sessions of a role, answers their process ids, and looks until none was there for a while: a sign-in that passed the check just
   * before the role was changed shows up a moment later. Throws `forbidden`, or `transient` for stubborn sessions.
   */
  private async endSessions(target: Target): Promise<ReadonlySet<number>> {
    const seen = new Set<number>();
    let goneSince: number | undefined;
    const gone = await this.client.until(async () => {
      const sessions = await this.client.query<{ pid: number; asked: boolean }>(
        'SELECT pid, pg_terminate_backend(pid) AS asked FROM pg_stat_activity WHERE usesysid = $1::oid',
        [target.oid],
      );
      for (const { pid } of sessions) seen.add(pid);
      goneSince = sessions.length === 0 ? (goneSince ?? Date.now()) : undefined;
      return goneSince !== undefined && Date.now() - goneSince >= SETTLED_MS;
    });
    if (!gone) {
      throw new ToolError('transient', `Sessions of “${target.rolname}” were told to end and are still there.`);
    }
    return seen;
  }

  /** Ownership and privileges that would make DROP ROLE fail, named before anything is changed. */
  private async refuseOwner(target: Target): Promise<void> {
    const holdings = await this.client.query<{ held: string }>(HOLDINGS, [target.oid]);
    if (holdings.length === 0) return;
    const shown = holdings.slice(0, 5).map(({ held }) => held);
    const more = holdings.length > shown.length ? ` and ${holdings.length - shown.length} more` : '';
    throw new ToolError('invalid', `“${target.rolname}” can’t be removed: it holds ${shown.join(', ')}${more}.`, {
      remedy: 'Hand its objects on (REASSIGN OWNED BY … TO …; DROP OWNED BY …) in the databases that were named.',
    });
  }

  private async roleOf({ externalId }: AccountRef): Promise<Role | undefined> {
    if (!/^\d{1,10}$/.test(externalId)) throw new ToolError('invalid', `“${externalId}” is not the oid of a role.`);
    const [role] = await this.client.query<Role>(`${ROLES} WHERE r.oid = $1::oid`, [externalId]);
    return role;
  }

  private async target(ref: AccountRef): Promise<Target> {
    const role = await this.roleOf(ref);
    if (!role) throw new ToolError('not-found', 'The role is not there (any more).');
    if (role.is_self) {
      throw new ToolError('forbidden', 'Refused: this is the role that Quartermaster itself uses at this server.');
    }
    if (role.rolsuper) throw new ToolError('forbidden', `Refused: “${role.rolname}” is a superuser.`);
    const note = readComment(role.comment);
    if (!note) {
      throw new ToolError('invalid', `Refused: “${role.rolname}” doesn’t carry Quartermaster’s mark in its comment.`, {
        remedy: 'Act on it by hand, or hand it over by writing the mark into its comment.',
      });
    }
    return { ...role, note };
  }

  private async groupNamed(grant: GrantRef): Promise<Group | undefined> {
    if (grant.kind !== 'role') {
      throw new ToolError('invalid', `PostgreSQL has roles, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `roles` in the access policy.',
      });
    }
    const [group] = await this.client.query<Group>(
      `SELECT r.oid::text, r.rolname, d.description AS comment,
              r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls AS powerful
       FROM pg_roles r LEFT JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
       WHERE r.rolname = $1`,
      [grant.name],
    );
    return group;
  }

  private async isMember(target: Role, group: Group): Promise<boolean> {
    const rows = await this.client.query('SELECT FROM pg_auth_members WHERE member = $1::oid AND roleid = $2::oid', [
      target.oid,
      group.oid,
    ]);
    return rows.length > 0;
  }

  private observed(role: Role): ObservedAccount {
    const note = readComment(role.comment);
    return {
      externalId: role.oid,
      username: role.rolname,
      mark: note?.mark ?? null,
      email: null,
      state: role.rolcanlogin ? 'active' : 'suspended',
      // pg_stat_activity shows everybody every session’s user; only what it does is hidden without pg_read_all_stats.
      sessions: { seen: true, live: role.live },
      credentials: this.credentialsOf(role),
      credentialVersion: note?.credentialVersion ?? null,
    };
  }

  private credentialsOf(role: Role): LiveThings {
    // NOLOGIN refuses every way of signing in; PostgreSQL itself keeps no tokens or keys beside the password.
    if (!role.rolcanlogin || this.settings.passwordsOnly) return { seen: true, live: 0 };
    const because = 'pg_hba.conf may let people in by certificate, Kerberos or LDAP, which a role doesn’t show.';
    return { seen: false, residualUntil: null, because };
  }
}

interface Permissions {
  principal: string;
  version: string;
  creates_roles: boolean;
  signals: boolean;
  grants: boolean;
}

interface Group {
  oid: string;
  rolname: string;
  comment: string | null;
  powerful: boolean;
}

const PAGE_SIZE = 500;

function sessionsEnded({ size }: ReadonlySet<number>): readonly string[] {
  return size === 0 ? [] : [`${size} live ${size === 1 ? 'session' : 'sessions'} ended`];
}

/** How long no session may have shown up before they count as ended. */
const SETTLED_MS = 50;

const ROLES = `
  SELECT r.oid::text, r.rolname, r.rolcanlogin, r.rolsuper, d.description AS comment,
         r.rolname IN (session_user, current_user) AS is_self,
         (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid) AS live
  FROM pg_roles r
  LEFT JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass`;

/** Up to PostgreSQL 15 CREATEROLE may grant any role that isn't a superuser; later it takes ADMIN OPTION. */
const PERMISSIONS = `
  SELECT current_user::text AS principal, current_setting('server_version') AS version,
         r.rolsuper OR r.rolcreaterole AS creates_roles,
         r.rolsuper OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS signals,
         r.rolsuper
           OR (r.rolcreaterole AND current_setting('server_version_num')::int < 160000)
           OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                      WHERE m.admin_option AND NOT g.rolcanlogin AND pg_has_role(current_user, m.member, 'USAGE')) AS grants
  FROM pg_roles r WHERE r.rolname = current_user`;

/** pg_describe_object knows the objects of its own database only; of others the database is named. */
const HOLDINGS = `
  SELECT DISTINCT CASE
    WHEN s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      THEN CASE s.deptype WHEN 'o' THEN '' ELSE 'privileges on ' END || pg_describe_object(s.classid, s.objid, s.objsubid)
    ELSE 'objects in database ' || (SELECT quote_ident(datname) FROM pg_database WHERE oid = s.dbid)
  END AS held
  FROM pg_shdepend s
  WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::oid
    AND s.classid <> 'pg_auth_members'::regclass
  ORDER BY 1`;

function membership(verb: 'GRANT' | 'REVOKE', group: Group, preposition: 'TO' | 'FROM', target: Target): string {
  return `${verb} ${pg.escapeIdentifier(group.rolname)} ${preposition} ${pg.escapeIdentifier(target.rolname)}`;
}

/** PostgreSQL cuts longer names silently (NAMEDATALEN), which would make another role than the one asked for. */
function refuseImpossibleName(username: string): void {
  if (username === '' || username.includes('\0')) throw new ToolError('invalid', 'A role name can’t be like this.');
  if (Buffer.byteLength(username) > 63) {
    throw new ToolError('invalid', `A role name can be 63 bytes long; this one has ${Buffer.byteLength(username)}.`, {
      remedy: 'Give this person a shorter user name for this tool.',
    });
  }
  if (username.startsWith('pg_'))
    throw new ToolError('invalid', 'Role names that begin with pg_ are PostgreSQL’s own.');
}

function refuseDangerousGroup(group: Group): void {
  if (group.powerful)
    throw new ToolError('forbidden', `Refused: “${group.rolname}” may make roles or read everything.`);
  if (readComment(group.comment))
    throw new ToolError('invalid', `“${group.rolname}” is a person’s account, not a group.`);
}

function createdAccount({ externalId, username, credentialVersion }: ObservedAccount): CreatedAccount {
  return { externalId, username, credentialVersion };
}
