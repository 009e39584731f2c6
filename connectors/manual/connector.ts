import { checkConnection } from '../kit/connection.js';
import type {
  AccountRef,
  ActResult,
  CheckReport,
  Connector,
  FoundAccount,
  GrantRef,
  NewAccount,
  ObservedAccount,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { manualManifest, type ManualSettings } from './manifest.js';

/** A tool without an API: each act is a task for a person, with instructions and the evidence they have to leave. */
export const manualConnector: Connector<ManualSettings> = {
  ...manualManifest,
  async open(connection: ToolConnection<ManualSettings>): Promise<ToolSession> {
    return new ManualSession(checkConnection(manualManifest, connection));
  },
};

class ManualSession implements ToolSession {
  constructor(private readonly tool: ManualSettings) {}

  async check(): Promise<CheckReport> {
    return { principal: 'whoever does the task', version: null, missing: [] };
  }

  async findAccounts(): Promise<readonly FoundAccount[]> {
    throw this.cannotLook();
  }

  async getAccount(): Promise<ObservedAccount | null> {
    throw this.cannotLook();
  }

  async createAccount({ username, holder }: NewAccount): Promise<ActResult<never>> {
    return this.task(
      `Make an account “${username}” for ${holder.displayName} on ${holder.email}, and on no other address. ` +
        'Let the tool send its own invitation; don’t choose a password for them.',
      'the account’s page with its user name and address',
    );
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    return this.task(
      `Suspend ${named(ref)} and end all its sessions, tokens and keys. Don’t delete it.`,
      'the account’s page, showing that it is suspended and has no sessions',
    );
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    return this.task(
      `Let ${named(ref)} sign in again. Its credentials were replaced before: the old ones must stay dead.`,
      'the account’s page, showing that it is active',
    );
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    return this.task(
      `Hand on what ${named(ref)} owns, then delete the account.`,
      'the list of accounts without it, and who has its data now',
    );
  }

  async resetCredentials(ref: AccountRef): Promise<ActResult<never>> {
    return this.task(
      `Reset the password of ${named(ref)} by the tool’s own reset mail, and end all its sessions, tokens and keys. ` +
        'Leave it suspended if it is.',
      'the time of the reset as the tool shows it',
    );
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    return this.task(
      `End all sessions, tokens and keys of ${named(ref)}; leave the account as it is.`,
      'the account’s page, showing no sessions, tokens and keys',
    );
  }

  async revokeDevice(ref: AccountRef, deviceExternalId: string): Promise<ActResult> {
    return this.task(
      `End what ${named(ref)} has on the device ${deviceExternalId} (sessions, keys, app passwords), and nothing else.`,
      'the account’s list of devices or sessions without it',
    );
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return this.task(`Give ${named(ref)} the ${grant.kind} “${grant.name}”.`, `the ${grant.kind}’s list of members`);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    return this.task(
      `Take the ${grant.kind} “${grant.name}” from ${named(ref)}.`,
      `the ${grant.kind}’s list of members`,
    );
  }

  async close(): Promise<void> {}

  private async task(what: string, evidence: string): Promise<ActResult<never>> {
    const { toolName, adminUrl, notes } = this.tool;
    const where = `In ${toolName}${adminUrl ? ` (${adminUrl})` : ''}:`;
    const lines = [where, what, `Leave as evidence: ${evidence}.`, ...(notes ? [`Notes: ${notes}`] : [])];
    return { outcome: 'action-required', instructions: lines.join('\n'), sideEffects: [] };
  }

  private cannotLook(): ToolError {
    return new ToolError('unsupported', `${this.tool.toolName} has no API; only a person can look.`);
  }
}

function named({ username, externalId }: AccountRef): string {
  return externalId && externalId !== username ? `“${username}” (${externalId})` : `“${username}”`;
}
