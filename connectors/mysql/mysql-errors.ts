import { ToolError, type ToolErrorKind } from '../kit/errors.js';
import { describeNetworkError } from '../kit/http-client.js';

/** A server's answer carries a number (MariaDB documentation, “MariaDB Error Code Reference”); a lost line doesn't. */
export function serverErrno(error: unknown): number | undefined {
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown };
  return typeof errno === 'number' && errno >= 1000 && typeof sqlState === 'string' ? errno : undefined;
}

/** Account management that failed: the account is there already, isn't there, or was in use. */
const CANNOT_USER = 1396;
export const NO_SUCH_THREAD = 1094;
const NOT_OWNER_OF_THREAD = 1095;

/** Refusals of a sign-in: wrong password, host not allowed, account locked, password expired, no such plugin. */
const SIGN_IN_REFUSED = new Set([1045, 1130, 1698, 1820, 1862, 1251, 4151]);

/** The next step for a server's refusal. None of these statements had an effect. */
const KIND_OF_ERRNO: Readonly<Record<number, ToolErrorKind>> = {
  [CANNOT_USER]: 'conflict',
  1062: 'conflict', // duplicate key
  [NO_SUCH_THREAD]: 'not-found',
  1044: 'forbidden',
  1045: 'forbidden',
  [NOT_OWNER_OF_THREAD]: 'forbidden',
  1142: 'forbidden',
  1143: 'forbidden',
  1227: 'forbidden',
  1698: 'forbidden', // GRANT of a role without ADMIN OPTION
  1040: 'transient', // too many connections
  1041: 'transient',
  1047: 'transient', // Galera node not ready
  1053: 'transient',
  1203: 'transient',
  1205: 'transient', // lock_wait_timeout
  1213: 'transient',
  1226: 'transient',
  1290: 'transient', // read_only: a replica, until the next failover
  1836: 'transient',
};

/** KILL QUERY and max_statement_time: an account statement may have come some of its way. */
export function isInterrupted(errno: number): boolean {
  return errno === 1317 || errno === 1969;
}

/** These end the session in the middle: the statement may have been executed. */
export function isConnectionLost(errno: number | undefined): boolean {
  return errno === undefined || [1927, 1152, 1158, 1159, 1160, 1161, 1184].includes(errno);
}

/** Nothing was asked of the server yet, so nothing was changed. */
export function connectionError(error: Error, named: string, user: string): ToolError {
  const errno = serverErrno(error);
  if (errno !== undefined && SIGN_IN_REFUSED.has(errno)) {
    return new ToolError('auth-broken', `${named} does not let “${user}” in (${errno}).`, {
      remedy: 'Check user and password, the host part of the account, and that it is neither locked nor expired.',
    });
  }
  if (errno !== undefined) return sqlError(error, errno);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') {
    return new ToolError('auth-broken', `${named} does not offer TLS; nothing was sent.`, {
      remedy: 'Give the server a certificate; sslmode “disable” is for private addresses only.',
    });
  }
  if (code === 'HANDSHAKE_SSL_ERROR') return new ToolError('auth-broken', ...notProved(error, named));
  if (NOT_MYSQL.test(`${code} ${error.message}`)) {
    return new ToolError('invalid', `${named} does not answer like a MariaDB server.`, {
      remedy: 'Check host and port.',
      cause: error,
    });
  }
  if (code === 'PROTOCOL_CONNECTION_LOST' || code === 'ETIMEDOUT') {
    return new ToolError('transient', `${named} did not answer in the time given.`, {
      remedy: 'Check host and port: a MariaDB server speaks first.',
    });
  }
  const { kind, message, remedy } = describeNetworkError(error, named);
  return new ToolError(kind, message, { remedy, cause: error });
}

function notProved(error: Error, named: string): [string, { remedy: string; cause: Error }] {
  const remedy = 'Renew the tool’s certificate, or give the certificate authority that signed it.';
  return [`${named} could not be proved over TLS; nothing was sent.`, { remedy, cause: error }];
}

const NOT_MYSQL = /PROTOCOL_|PACKETS|packet|handshake|ERR_OUT_OF_RANGE|ERR_BUFFER|protocol/i;

export function sqlError(error: Error, errno: number): ToolError {
  if (errno === 1049 || errno === 1146 || errno === 1356) {
    return new ToolError('invalid', `The connector’s own schema isn’t set up at the server (${errno}).`, {
      remedy: 'Run the statements of connectors/mysql/README.md, “A least-privilege credential”.',
      cause: error,
    });
  }
  const kind = KIND_OF_ERRNO[errno] ?? 'invalid';
  if (kind !== 'forbidden') return new ToolError(kind, `MariaDB refused (${errno}).`, { cause: error });
  // Of the forbidden ones the text names the privilege, and never holds a value of ours beside the account's name.
  const permission = errno === NOT_OWNER_OF_THREAD ? 'CONNECTION ADMIN' : error.message;
  return new ToolError(kind, `MariaDB refused (${errno}): ${permission}.`, { permission, cause: error });
}
