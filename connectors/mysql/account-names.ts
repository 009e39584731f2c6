import type { AccountRef } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';

/** MariaDB knows an account by name and host together; it has no other id. */
export interface AccountName {
  user: string;
  host: string;
}

/** `name@host`: a host has no @, so the last one divides the two. */
export function externalIdOf({ user, host }: AccountName): string {
  return `${user}@${host}`;
}

export function accountNameOf({ externalId }: Pick<AccountRef, 'externalId'>): AccountName {
  const at = externalId.lastIndexOf('@');
  if (at < 1) throw new ToolError('invalid', `“${externalId}” is not an account’s name and host.`);
  return { user: externalId.slice(0, at), host: externalId.slice(at + 1) };
}

/**
 * Between backticks nothing but a backtick has a meaning, whatever the server's sql_mode is (MariaDB documentation,
 * “Identifier Names”); account statements take no parameters.
 */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0')) throw new ToolError('invalid', 'A name can’t hold a NUL.');
  return `\`${name.replaceAll('`', '``')}\``;
}

export function quoteAccount({ user, host }: AccountName): string {
  return `${quoteIdentifier(user)}@${quoteIdentifier(host)}`;
}

/** No account has a name with characters beyond the basic plane: the server can't keep them. */
export function canBeName(user: string): boolean {
  return user !== '' && !/[\u{10000}-\u{10ffff}]/u.test(user);
}

/**
 * MariaDB keeps names as utf8mb3: of a character beyond the basic plane (an emoji) it silently makes a question mark,
 * and it drops spaces at the end. Both would be another account than the one that was asked for.
 */
export function refuseImpossibleName(user: string): void {
  if (user === '' || user !== user.trim() || /\p{Cc}/u.test(user)) {
    throw new ToolError('invalid', 'A MariaDB user name can’t be empty, begin or end with a space, or hold controls.');
  }
  if (!canBeName(user)) {
    throw new ToolError('invalid', 'A MariaDB user name can’t hold emoji or other characters beyond U+FFFF.');
  }
  // What is left are characters of one UTF-16 unit each.
  if (user.length > 128) {
    throw new ToolError('invalid', `A MariaDB user name can be 128 characters long; this one has ${user.length}.`, {
      remedy: 'Give this person a shorter user name for this tool.',
    });
  }
}
