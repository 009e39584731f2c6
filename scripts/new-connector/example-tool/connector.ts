import { already, done } from '../../../connectors/kit/act-results.js';
import { checkConnection } from '../../../connectors/kit/connection.js';
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
  NewAccount,
  ObservedAccount,
  ToolConnection,
  ToolSession,
} from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { ExampleToolClient, type ExampleToolUser } from './client.js';
import { exampleToolManifest, type ExampleToolSettings } from './manifest.js';

/** See README.md for what it needs, what it can prove and what it can't. */
export const exampleToolConnector: Connector<ExampleToolSettings> = {
  ...exampleToolManifest,
  async open(connection: ToolConnection<ExampleToolSettings>): Promise<ToolSession> {
    const { baseUrl, certificateAuthority } = checkConnection(exampleToolManifest, connection);
    const client = new ExampleToolClient({
      baseUrl,
      token: connection.secrets['token'] ?? '',
      certificateAuthority,
      allowPrivateAddresses: connection.allowPrivateAddresses,
      call: connection.call,
    });
    return new ExampleToolSession(client);
  },
};

class ExampleToolSession implements ToolSession {
  private own: Promise<{ id: string }> | undefined;

  constructor(private readonly client: ExampleToolClient) {}

  async check(): Promise<CheckReport> {
    const { name, version } = await this.client.whoami();
    await this.client.users(null);
    // Name here what these credentials may not do, where the tool can be asked without changing anything.
    return { principal: name, version, missing: [] };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const page = await this.client.users(next);
    return { accounts: page.users.map(observed), next: page.next, complete: page.next === null };
  }

  async findAccounts(query: AccountQuery): Promise<readonly FoundAccount[]> {
    const users = await this.client.usersLike(query);
    return users.flatMap((user) => {
      const matchedBy = howItMatches(user, query);
      return matchedBy ? [{ account: observed(user), matchedBy }] : [];
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const user = await this.client.user(ref.externalId);
    return user && observed(user);
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    const existing = await this.markedUser(want.mark);
    if (existing) return already(created(existing));
    const { mark, username: name, password, holder } = want;
    try {
      return done(created(await this.client.createUser({ name, mark, email: holder.email, password })));
    } catch (error) {
      // The name may be taken by our own create that ran at the same time.
      const ours = error instanceof ToolError && error.kind === 'conflict' ? await this.markedUser(mark) : null;
      if (ours) return already(created(ours));
      throw error;
    }
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const user = await this.target(ref);
    if (!user.isActive && user.sessions === 0) return already(null);
    if (user.isActive) await this.client.setActive(user.id, false);
    await this.client.endSessions(user.id);
    return done(null);
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const user = await this.target(ref);
    if (user.isActive) return already(null);
    await this.client.setActive(user.id, true);
    return done(null);
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    if (!(await this.client.user(ref.externalId))) return already(null);
    const user = await this.target(ref);
    await this.client.endSessions(user.id);
    await this.client.deleteUser(user.id);
    return done(null);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const user = await this.target(ref);
    await this.client.setPassword(user.id, password);
    await this.client.endSessions(user.id);
    const after = await this.client.user(user.id);
    if (!after) throw new ToolError('conflict', 'The account disappeared while its password was set.');
    return done({ credentialVersion: after.passwordVersion });
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const user = await this.target(ref);
    if (user.sessions === 0) return already(null);
    await this.client.endSessions(user.id);
    return done(null);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const user = await this.target(ref);
    const groupId = await this.client.groupNamed(groupOf(grant));
    if (groupId === null) {
      throw new ToolError('invalid', `The tool has no group “${grant.name}”.`, {
        remedy: 'Make the group at the tool, or correct its name in the access policy.',
      });
    }
    if (user.groups.includes(grant.name)) return already(null);
    await this.client.addMember(groupId, user.id);
    return done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    if (!(await this.client.user(ref.externalId))) return already(null);
    const user = await this.target(ref);
    const groupId = await this.client.groupNamed(groupOf(grant));
    if (groupId === null || !user.groups.includes(grant.name)) return already(null);
    await this.client.removeMember(groupId, user.id);
    return done(null);
  }

  async close(): Promise<void> {
    this.client.close();
  }

  /** The user an act is for. Throws `not-found` when it is gone, `forbidden` when it is the service's own. */
  private async target(ref: AccountRef): Promise<ExampleToolUser> {
    const user = await this.client.user(ref.externalId);
    if (!user) throw new ToolError('not-found', 'The account is not there (any more).');
    this.own ??= this.client.whoami();
    if ((await this.own).id === user.id) {
      throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this tool.');
    }
    return user;
  }

  /** Throws `conflict` when several carry the mark: nobody can know which one is meant. */
  private async markedUser(mark: string): Promise<ExampleToolUser | null> {
    const users = await this.client.usersLike({ mark, username: '', email: '' });
    const [marked, ...others] = users.filter((user) => user.mark === mark);
    if (others.length > 0) {
      throw new ToolError('conflict', `${others.length + 1} accounts carry the mark of this person.`);
    }
    return marked ?? null;
  }
}

function observed(user: ExampleToolUser): ObservedAccount {
  return {
    externalId: user.id,
    username: user.name,
    mark: user.mark,
    email: user.email,
    state: user.isActive ? 'active' : 'suspended',
    // What the tool can't show is said: { seen: false, residualUntil, because }. A guess is never `live: 0`.
    sessions: { seen: true, live: user.sessions },
    credentials: { seen: false, residualUntil: null, because: 'Fill in: what the tool has beside passwords.' },
    credentialVersion: user.passwordVersion,
    grants: user.groups.map((name) => ({ kind: 'group', name })),
  };
}

function created({ id, name, passwordVersion }: ExampleToolUser): CreatedAccount {
  return { externalId: id, username: name, credentialVersion: passwordVersion };
}

function howItMatches(
  user: ExampleToolUser,
  { mark, username, email }: AccountQuery,
): FoundAccount['matchedBy'] | null {
  if (mark !== '' && user.mark === mark) return 'mark';
  if (username !== '' && user.name === username) return 'username';
  return email !== '' && user.email?.toLowerCase() === email.toLowerCase() ? 'email' : null;
}

function groupOf(grant: GrantRef): string {
  if (grant.kind === 'group') return grant.name;
  throw new ToolError('unsupported', `This tool has groups; a ${grant.kind} (“${grant.name}”) must be given by hand.`);
}
