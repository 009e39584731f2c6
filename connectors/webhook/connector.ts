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
  NewAccount,
  ObservedAccount,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { readCallBack } from './call-back.js';
import { WebhookClient } from './client.js';
import { webhookManifest, type WebhookSettings } from './manifest.js';
import {
  checkAnswer,
  createAnswer,
  findAnswer,
  getAnswer,
  listAnswer,
  plainAnswer,
  REQUEST_TYPES,
  resetAnswer,
  type RequestType,
  type ToldAccount,
} from './protocol.js';

/** A tool of the company's own that implements the protocol of README.md. */
export const webhookConnector: Connector<WebhookSettings> = {
  ...webhookManifest,
  readCallBack,
  async open(connection: ToolConnection<WebhookSettings>): Promise<ToolSession> {
    const settings = checkConnection(webhookManifest, connection);
    const client = new WebhookClient({
      url: settings.url,
      secret: connection.secrets['secret'] ?? '',
      certificateAuthority: settings.certificateAuthority,
      allowPrivateAddresses: connection.allowPrivateAddresses,
      call: connection.call,
    });
    return new WebhookSession(client, settings);
  },
};

class WebhookSession implements ToolSession {
  private own: Promise<{ id: string; username: string }> | undefined;

  constructor(
    private readonly client: WebhookClient,
    private readonly settings: WebhookSettings,
  ) {}

  async check(): Promise<CheckReport> {
    const { principal, version, missing, ...told } = await this.client.ask('check', {}, checkAnswer);
    const types = Object.entries(REQUEST_TYPES) as [RequestType, (typeof REQUEST_TYPES)[RequestType]][];
    return {
      principal: principal.username,
      version,
      missing: types.flatMap(([type, capability]) => {
        if (!told.implements.includes(type)) {
          const permission = webhookManifest.capabilities[capability].permission;
          return [{ capability, permission, remedy: `Until it does, this is a task for a person.` }];
        }
        return missing
          .filter((one) => one.type === type)
          .map(({ permission, remedy }) => ({ capability, permission, remedy }));
      }),
    };
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const page = await this.client.ask('accounts.list', { next, limit: this.settings.pageSize }, listAnswer);
    if (page.complete && page.next !== null) {
      throw new ToolError('invalid', 'The tool called a page complete that others follow.');
    }
    return { ...page, accounts: page.accounts.map(observed) };
  }

  async findAccounts(query: AccountQuery): Promise<readonly FoundAccount[]> {
    const { mark, username, email } = query;
    const { accounts } = await this.client.ask('accounts.find', { mark, username, email }, findAnswer);
    // Only what really matches counts, whatever else the tool showed.
    return accounts.flatMap((account) => {
      const matchedBy = howItMatches(account, query);
      return matchedBy ? [{ account: observed(account), matchedBy }] : [];
    });
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const { account } = await this.client.ask('account.get', { account: named(ref) }, getAnswer);
    if (account && account.id !== ref.externalId) {
      throw new ToolError('invalid', 'The tool was asked for one account and answered with another.');
    }
    return account && observed(account);
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    const { mark, username, holder, password } = want;
    const [marked, ...others] = await this.findAccounts({ mark, username: '', email: '' });
    if (others.length > 0) {
      throw new ToolError('conflict', `${others.length + 1} accounts carry the mark of this person.`);
    }
    if (marked) return already(created(marked.account));
    const answer = await this.client.ask('account.create', { mark, username, holder, password }, createAnswer);
    if (answer.outcome === 'in-progress' || answer.outcome === 'action-required') return answer;
    const { account, outcome, sideEffects } = answer;
    if (account.mark !== mark)
      throw new ToolError('ambiguous', 'The tool made an account without the mark it was given.');
    return outcome === 'done' ? done(created(observed(account)), sideEffects) : already(created(observed(account)));
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    return this.act('account.suspend', ref);
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    return this.act('account.restore', ref);
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    return this.act('account.remove', ref);
  }

  async resetCredentials(ref: AccountRef, password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    await this.refuseOwn(ref);
    const fields = { account: named(ref), password };
    const answer = await this.client.ask('account.reset-credentials', fields, resetAnswer);
    if (answer.outcome === 'in-progress' || answer.outcome === 'action-required') return answer;
    const { outcome, sideEffects, ...value } = answer;
    return { outcome, sideEffects, value };
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    return this.act('account.revoke-access', ref);
  }

  async revokeDevice(ref: AccountRef, deviceExternalId: string): Promise<ActResult> {
    return this.act('account.revoke-device', ref, { device: deviceExternalId });
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return this.act('grant.give', ref, { grant });
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return this.act('grant.withdraw', ref, { grant });
  }

  async close(): Promise<void> {
    this.client.close();
  }

  private async act(type: RequestType, ref: AccountRef, fields: Record<string, unknown> = {}): Promise<ActResult> {
    await this.refuseOwn(ref);
    const answer = await this.client.ask(type, { account: named(ref), ...fields }, plainAnswer);
    if (answer.outcome === 'in-progress' || answer.outcome === 'action-required') return answer;
    return { ...answer, value: null };
  }

  /** Asked of the tool in each session that acts: its word about our own account may have changed since the last check. */
  private async refuseOwn({ externalId, username }: AccountRef): Promise<void> {
    this.own ??= this.client.ask('check', {}, checkAnswer).then(({ principal }) => principal);
    const own = await this.own;
    if (own.id === externalId || own.username === username) {
      throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this tool.');
    }
  }
}

function named({ externalId, username }: AccountRef) {
  return { id: externalId, username };
}

function observed({ id, ...account }: ToldAccount): ObservedAccount {
  return { externalId: id, ...account };
}

function created({ externalId, username, credentialVersion }: ObservedAccount): CreatedAccount {
  return { externalId, username, credentialVersion };
}

function howItMatches(account: ToldAccount, { mark, username, email }: AccountQuery): FoundAccount['matchedBy'] | null {
  const same = (one: string | null, other: string) => other !== '' && one?.toLowerCase() === other.toLowerCase();
  if (mark !== '' && account.mark === mark) return 'mark';
  if (same(account.username, username)) return 'username';
  return same(account.email, email) ? 'email' : null;
}
