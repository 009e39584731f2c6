import { ConfigError } from '../config/config.js';
import { WrongInstallationError } from '../crypto/key-check.js';
import { KeyProviderError } from '../crypto/key-provider.js';
import { KeyFileError } from '../crypto/private-file.js';
import { KeysAway } from '../crypto/secret-error.js';
import { isDatabaseAway } from '../database/database-problem.js';
import { sqlState } from '../database/transaction.js';
import { Problem } from '../errors/problem.js';
import { errorRecord } from '../logging/error-record.js';
import { RouteDeclarationError } from '../sign-in/route-check.js';

/** What our processes and commands exit with. */
export const EXIT = {
  ok: 0,
  /** What was asked for was not possible, or a check says no. */
  failed: 1,
  /** Wrong arguments, configuration or key. */
  usage: 2,
  /** The database is away, or the key that seals secrets: trying again later may help. */
  unavailable: 3,
} as const;

export interface Failure {
  /** In plain words, with what to do. */
  message: string;
  exitCode: number;
}

/** What to tell the person in front of the terminal. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof ConfigError || error instanceof KeyFileError || error instanceof WrongInstallationError) {
    return { message: error.message, exitCode: EXIT.usage };
  }
  if (error instanceof RouteDeclarationError) return { message: error.message, exitCode: EXIT.failed };
  if (isDatabaseAway(error) || (error instanceof Problem && error.kind === 'unavailable')) {
    return {
      message: 'PostgreSQL does not answer. Check that it runs and that DATABASE_URL is right.',
      exitCode: EXIT.unavailable,
    };
  }
  if (error instanceof KeysAway && error.cause) return describeFailure(error.cause);
  if (error instanceof KeyProviderError) {
    return { message: error.message, exitCode: error.kind === 'away' ? EXIT.unavailable : EXIT.usage };
  }
  if (error instanceof Problem) return { message: error.message, exitCode: EXIT.failed };
  if (sqlState(error)?.startsWith('28')) {
    return { message: 'PostgreSQL refuses the user or password in DATABASE_URL.', exitCode: EXIT.usage };
  }
  if (sqlState(error) === '3D000') {
    return { message: 'The database named in DATABASE_URL does not exist. Create it first.', exitCode: EXIT.usage };
  }
  if (isAddressInUse(error)) {
    return { message: 'The port is in use by another program. Choose another with PORT.', exitCode: EXIT.usage };
  }
  return {
    message: `Something went wrong that nobody foresaw: ${JSON.stringify(errorRecord(error), null, 2)}`,
    exitCode: EXIT.failed,
  };
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}
