import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { CallContext } from '../kit/contract.js';
import { refuseWhenOver, remainingMs } from '../kit/deadline.js';
import { resolveAllowed } from '../kit/egress.js';
import { ToolError, type ToolErrorKind } from '../kit/errors.js';
import { describeNetworkError } from '../kit/http-client.js';
import type { PostgresSettings } from './manifest.js';

/**
 * One connection to one server, within one call's deadline. Throws `ToolError` and nothing else. A statement of a
 * transaction that didn't reach COMMIT was rolled back, so losing it is `transient`; losing the COMMIT is `ambiguous`.
 */
export class PostgresClient {
  private committed = false;
  private over = false;

  private constructor(
    private readonly connection: pg.Client,
    private readonly call: CallContext,
    private readonly host: string,
  ) {}

  static async connect(
    settings: PostgresSettings,
    password: string,
    { allowPrivateAddresses, call }: { allowPrivateAddresses: boolean; call: CallContext },
  ): Promise<PostgresClient> {
    refuseWhenOver(call);
    if (settings.sslmode === 'disable' && !allowPrivateAddresses) {
      throw new ToolError('invalid', 'sslmode “disable” is for tools on private addresses only.');
    }
    const { host, port, database, user } = settings;
    const named = `${host}:${port}`;
    const timeout = remainingMs(call);
    const address = await resolveAllowed(host, allowPrivateAddresses).catch((error: Error) => {
      throw error instanceof ToolError ? error : connectionError(error, named);
    });
    const connection = new pg.Client({
      // The checked address is what is connected to; the name is kept for TLS.
      host: address,
      port,
      database,
      user,
      password,
      ssl: tlsOptions(settings),
      application_name: `quartermaster ${call.attemptId}`,
      connectionTimeoutMillis: timeout,
      statement_timeout: timeout,
      lock_timeout: timeout,
    });
    const client = new PostgresClient(connection, call, named);
    // Without a listener a lost connection would end the process; the query that was running reports it.
    connection.on('error', () => undefined);
    const { signal } = call;
    signal.addEventListener('abort', client.stop, { once: true });
    try {
      await connection.connect();
    } catch (error) {
      client.stop();
      throw signal.aborted
        ? new ToolError('transient', `${named} did not answer in the time given.`)
        : connectionError(error as Error, named, settings);
    }
    return client;
  }

  /** A look: nothing it does has to be undone. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      const { rows } = await this.connection.query<Row>(sql, [...values]);
      return rows;
    } catch (error) {
      throw this.toolError(error as Error, this.committed);
    }
  }

  /** All or nothing. `change` must not swallow an error. */
  async transaction<T>(change: () => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    let result: T;
    try {
      result = await change();
    } catch (error) {
      await this.connection.query('ROLLBACK').catch(() => undefined);
      throw error instanceof ToolError ? error : this.toolError(error as Error, false);
    }
    try {
      await this.connection.query('COMMIT');
    } catch (error) {
      throw this.toolError(error as Error, true);
    }
    this.committed = true;
    return result;
  }

  /** Asks again until the answer is true or the call’s time is nearly over; false then. */
  async until(condition: () => Promise<boolean>): Promise<boolean> {
    for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
      if (await condition()) return true;
      if (remainingMs(this.call) < wait + MARGIN_MS) return false;
      await pause(wait, undefined, { signal: this.call.signal }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.over = true;
    await this.connection.end().catch(() => undefined);
  }

  private readonly stop = (): void => {
    if (this.over) return;
    this.over = true;
    // `end` would wait for the running query; the deadline doesn't.
    (this.connection as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  };

  private toolError(error: Error, mayHaveChanged: boolean): ToolError {
    const code = sqlState(error);
    if (code === undefined || CONNECTION_LOST.test(code)) {
      const message = this.over
        ? `${this.host} did not answer in the time given.`
        : `The connection to ${this.host} was lost.`;
      return new ToolError(mayHaveChanged ? 'ambiguous' : 'transient', message, { cause: error });
    }
    return sqlError(error as pg.DatabaseError, code);
  }
}

/** Left at the end of a call for the last statement and the answer. */
const MARGIN_MS = 300;

/** Class 08 and the administrator's endings: the server may have been anywhere in the statement. */
const CONNECTION_LOST = /^(08|57P0[1235])/;

function tlsOptions({ sslmode, host, certificateAuthority }: PostgresSettings): pg.ClientConfig['ssl'] {
  if (sslmode === 'disable') return false;
  return {
    rejectUnauthorized: sslmode === 'verify-full',
    ca: certificateAuthority,
    minVersion: 'TLSv1.2',
    servername: isIP(host) === 0 ? host : undefined,
  };
}

function sqlState(error: Error): string | undefined {
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  return code && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Nothing was asked of the server yet, so nothing was changed. */
function connectionError(error: Error, named: string, settings?: PostgresSettings): ToolError {
  const code = sqlState(error);
  if (code?.startsWith('28')) {
    return new ToolError(
      'auth-broken',
      `${named} does not let “${settings?.user}” in: wrong password or pg_hba.conf.`,
      {
        remedy: 'Check user and password, and that pg_hba.conf lets this host in.',
      },
    );
  }
  if (code === '3D000') return new ToolError('invalid', `${named} has no database “${settings?.database}”.`);
  if (code) return sqlError(error as pg.DatabaseError, code);
  if (/does not support SSL/.test(error.message)) {
    return new ToolError('auth-broken', `${named} does not offer TLS; nothing was sent.`, {
      remedy: 'Switch ssl on at the server; sslmode “disable” is for private addresses only.',
    });
  }
  if (/timeout expired/.test(error.message)) {
    return new ToolError('transient', `${named} did not answer in the time given.`);
  }
  if (/SASL|SSL connection|terminated unexpectedly/.test(error.message)) {
    return new ToolError('invalid', `${named} does not answer like a PostgreSQL server.`, {
      remedy: 'Check host and port.',
      cause: error,
    });
  }
  const { kind, message, remedy } = describeNetworkError(error, named);
  return new ToolError(kind, message, { remedy, cause: error });
}

/** “tuple concurrently updated”: somebody changed the same role at the same moment, and this change was rolled back. */
export function isChangedMeanwhile(error: unknown): boolean {
  return error instanceof ToolError && error.cause instanceof pg.DatabaseError && error.cause.code === 'XX000';
}

/** SQLSTATE to the engine's next step (PostgreSQL documentation, appendix A). Each of these was rolled back. */
function sqlError(error: pg.DatabaseError, code: string): ToolError {
  const kind = KIND_OF_SQLSTATE[code] ?? KIND_OF_SQLSTATE[code.slice(0, 2)] ?? 'invalid';
  const permission = kind === 'forbidden' ? `${error.message}${error.detail ? ` (${error.detail})` : ''}` : undefined;
  return new ToolError(kind, `PostgreSQL refused (${code}): ${error.message}.`, { permission, cause: error });
}

const KIND_OF_SQLSTATE: Readonly<Record<string, ToolErrorKind>> = {
  '23505': 'conflict', // two creates of one name at the same time
  '42501': 'forbidden',
  '42710': 'conflict',
  '42704': 'not-found',
  '57014': 'transient', // cancelled by statement_timeout
  '55P03': 'transient', // lock_timeout
  '25006': 'transient', // read-only: a standby, until the next failover
  '28': 'auth-broken',
  '40': 'transient', // serialization failure, deadlock
  '53': 'transient', // out of connections, memory, disk
  '57': 'transient',
  '58': 'transient',
  XX: 'transient',
};
