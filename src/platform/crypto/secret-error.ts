import { Problem } from '../errors/problem.js';

/** A secret can't be opened: it is gone, sealed with another key, or was changed. The message never holds it. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/**
 * Nothing is wrong with the secret; the key that seals can't be had now. Whoever was about to use it waits and tries again.
 * The cause says what it is, for logs and the terminal; a stranger at a door learns only that it is so.
 */
export class KeysAway extends Problem {
  constructor(cause: Error) {
    super('keys-away', 'The key that seals secrets can’t be had at the moment. Try again in a while.');
    this.cause = cause;
  }
}
