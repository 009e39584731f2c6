import { EXIT } from '../platform/lifecycle/failure.js';
import { SCOPES, type Scope } from '../platform/sign-in/actor.js';
import { isScope } from '../platform/sign-in/scopes.js';
import { CommandFailure } from './command.js';

/** `cases:read,steps:decide` @throws CommandFailure that names the scopes there are */
export function parseScopes(text: string): Scope[] {
  const wanted = text
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');
  const unknown = wanted.filter((scope) => !isScope(scope));
  if (unknown.length > 0 || wanted.length === 0) {
    throw new CommandFailure(
      `There is no scope ${unknown.join(', ') || '(none given)'}. There are: ${SCOPES.join(', ')}.`,
      EXIT.usage,
    );
  }
  return [...new Set(wanted.filter(isScope))];
}
