import type {
  AccountHolder,
  AccountRef,
  ActResult,
  FoundAccount,
  GrantRef,
  Mark,
  ObservedAccount,
  ToolSession,
} from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import type { StepAct } from '../step-states.js';

/** Everything that a call may say to a tool: loaded for this attempt, and nothing but it is used. */
export interface Target {
  toolName: string;
  /** Whom the service itself is at this tool; never a target. */
  ownPrincipal: string | null;
  holder: AccountHolder;
  mark: Mark;
  username: string;
  /** Null while nobody has seen the account. */
  externalId: string | null;
  grant: GrantRef | null;
  /** What the tool knows a device by, of which alone the credentials end. */
  device: string | null;
  password: string | null;
}

/** Sends one act, as an absolute state. Throws `ToolError` only. */
export async function actOnTool(session: ToolSession, act: StepAct, target: Target): Promise<ActResult> {
  refuseOwnPrincipal(target);
  switch (act) {
    case 'create_account':
      if (!session.createAccount) throw unsupported(target, 'create accounts');
      return session.createAccount({
        mark: target.mark,
        username: target.username,
        holder: target.holder,
        password: passwordOf(target),
      });
    case 'suspend_account':
      if (!session.suspendAccount) throw unsupported(target, 'suspend accounts');
      return session.suspendAccount(refOf(target));
    case 'restore_account':
      if (!session.restoreAccount) throw unsupported(target, 'restore accounts');
      return session.restoreAccount(refOf(target));
    case 'reset_credentials':
      if (!session.resetCredentials) throw unsupported(target, 'reset credentials');
      return session.resetCredentials(refOf(target), passwordOf(target));
    case 'revoke_device':
      if (!session.revokeDevice) throw unsupported(target, 'tell devices apart');
      return session.revokeDevice(refOf(target), deviceOf(target));
    case 'grant':
      if (!session.grant) throw unsupported(target, 'give groups or roles');
      return session.grant(refOf(target), grantOf(target));
    case 'withdraw':
      if (!session.withdraw) throw unsupported(target, 'withdraw groups or roles');
      return session.withdraw(refOf(target), grantOf(target));
    case 'discover':
    case 'final_look':
      throw new ToolError('invalid', `"${act}" looks; it is not an act`);
  }
}

/** The account as the tool shows it; by its stable id, or by our mark while the id isn't known. Null: it isn't there. */
export async function lookAtAccount(session: ToolSession, target: Target): Promise<ObservedAccount | null> {
  if (target.externalId !== null) {
    return session.getAccount({ externalId: target.externalId, username: target.username });
  }
  const byMark = (await findAll(session, target)).find(({ matchedBy }) => matchedBy === 'mark');
  // The listing may leave out what only a look at the account itself shows: grants and sessions.
  return byMark ? session.getAccount(byMark.account) : null;
}

export async function findAll(session: ToolSession, target: Target): Promise<readonly FoundAccount[]> {
  return session.findAccounts({ mark: target.mark, username: target.username, email: target.holder.email });
}

function refuseOwnPrincipal({ ownPrincipal, username, externalId, toolName }: Target): void {
  if (ownPrincipal !== null && (username === ownPrincipal || externalId === ownPrincipal)) {
    throw new ToolError(
      'invalid',
      `"${username}" is Quartermaster's own account in ${toolName}; it is never a target.`,
    );
  }
}

function refOf({ externalId, username, toolName }: Target): AccountRef {
  if (externalId === null) throw new ToolError('not-found', `The account "${username}" was never seen in ${toolName}.`);
  return { externalId, username };
}

function grantOf({ grant, toolName }: Target): GrantRef {
  if (!grant) throw new ToolError('invalid', `A grant in ${toolName} has no name.`);
  return grant;
}

function deviceOf({ device, toolName }: Target): string {
  if (device === null) throw new ToolError('invalid', `A step in ${toolName} names no device.`);
  return device;
}

function passwordOf({ password, toolName }: Target): string {
  if (password === null) throw new ToolError('invalid', `There is no new password for ${toolName}.`);
  return password;
}

function unsupported({ toolName }: Target, what: string): ToolError {
  return new ToolError('unsupported', `${toolName} can't ${what} through its API.`, {
    remedy: 'Do it by hand there, then complete this step.',
  });
}
