import { Problem } from '../errors/problem.js';
import { sqlState } from './transaction.js';

/** SQLSTATEs (PostgreSQL, appendix A) that mean "not now": the classes 08 and 53 come on top. */
const NOT_NOW = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now: it starts or stops
  '57P05', // idle_session_timeout
  '57014', // query_canceled: our statement time-out
  '25P03', // idle_in_transaction_session_timeout
  '25006', // read_only_sql_transaction: we were sent to a standby
]);

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** What pg and pg-pool say without a code. */
const MESSAGES = [
  'timeout exceeded when trying to connect',
  'Connection terminated',
  'Query read timeout',
  'Client was closed and is not queryable',
  'Client has encountered a connection error and is not queryable',
  'Driver not Connected',
];

/**
 * What TypeORM says when a connection ended that it was using or about to use. The last two come of a transaction whose
 * connection ended between two of its statements: TypeORM takes it out of the transaction's hands at that moment.
 */
const NAMES = new Set([
  'ConnectionIsNotSetError',
  'QueryRunnerAlreadyReleasedError',
  'QueryRunnerProviderAlreadyReleasedError',
]);

/** SQLSTATEs for text with a NUL character, which JSON may hold and PostgreSQL can't store. */
const NUL_IN_TEXT = new Set(['22021', '22P05']);

/** The problem that a database error stands for: `unavailable` (503) when it can't be reached now; null for a bug of ours. */
export function databaseProblem(error: unknown): Problem | null {
  if (NUL_IN_TEXT.has(sqlState(error) ?? '')) {
    return new Problem('invalid-request', 'A text in the request has a NUL character, which can not be stored.');
  }
  if (!isDatabaseAway(error)) return null;
  // A commit whose answer was lost may have happened: don't promise that nothing did.
  return new Problem(
    'unavailable',
    'The database does not answer at the moment. Look whether it happened, or try again.',
  );
}

export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Connecting to a name with several addresses fails with all of their errors in one.
  if (error instanceof AggregateError && error.errors.some(isDatabaseAway)) return true;
  const { code, driverError, syscall } = error as Error & { code?: unknown; driverError?: unknown; syscall?: unknown };
  if (driverError && driverError !== error && isDatabaseAway(driverError)) return true;
  if (typeof code === 'string') {
    if (NOT_NOW.has(code) || /^(08|53)...$/.test(code)) return true;
    // A missing file is ENOENT as well: only a socket's counts.
    if (NETWORK.has(code)) return code !== 'ENOENT' || syscall === 'connect';
  }
  return MESSAGES.some((message) => error.message.startsWith(message)) || NAMES.has(error.name);
}
