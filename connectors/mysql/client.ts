import { connect as openSocket, isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import mysql, { type Connection, type RowDataPacket } from 'mysql2';
import type { CallContext } from '../kit/contract.js';
import { refuseWhenOver, remainingMs } from '../kit/deadline.js';
import { resolveAllowed } from '../kit/egress.js';
import { ToolError } from '../kit/errors.js';
import type { MysqlSettings } from './manifest.js';
import { connectionError, isConnectionLost, isInterrupted, serverErrno, sqlError } from './mysql-errors.js';

/**
 * One connection to one server, within one call's deadline. Throws `ToolError` and nothing else. MariaDB's account
 * statements commit by themselves, so a look that is lost is `transient` and a change that is lost is `ambiguous`.
 */
export class MysqlClient {
  private over = false;
  private readonly lost: Promise<never>;
  private lose: (error: Error) => void = () => undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly call: CallContext,
    private readonly host: string,
  ) {
    // mysql2 answers a query that was running when its connection is destroyed with nothing at all.
    this.lost = new Promise((_done, fail) => (this.lose = fail));
    this.lost.catch(() => undefined);
    connection.on('error', (error: Error) => this.lose(error));
  }

  static async connect(
    settings: MysqlSettings,
    password: string,
    { allowPrivateAddresses, call }: { allowPrivateAddresses: boolean; call: CallContext },
  ): Promise<MysqlClient> {
    refuseWhenOver(call);
    const { host, port, user, sslmode } = settings;
    if (sslmode === 'disable' && !allowPrivateAddresses) {
      throw new ToolError('invalid', 'sslmode “disable” is for tools on private addresses only.');
    }
    const named = `${host}:${port}`;
    const address = await resolveAllowed(host, allowPrivateAddresses).catch((error: Error) => {
      throw error instanceof ToolError ? error : connectionError(error, named, user);
    });
    const connection = mysql.createConnection({
      // The name is kept for TLS; what is connected to is the address that was checked.
      host,
      stream: () => socketTo(host, address, port),
      user,
      password,
      charset: 'UTF8MB4_BIN',
      ssl: tlsOptions(settings),
      connectTimeout: remainingMs(call),
      connectAttributes: { program_name: `quartermaster ${call.attemptId}` },
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
    const client = new MysqlClient(connection, call, named);
    const { signal } = call;
    signal.addEventListener('abort', client.stop, { once: true });
    try {
      const connected = new Promise<void>((done, fail) =>
        connection.connect((error) => (error ? fail(error) : done())),
      );
      connected.catch(() => undefined);
      await Promise.race([connected, client.lost]);
    } catch (error) {
      client.stop();
      throw connectionError(error as Error, named, user);
    }
    await client.prepare();
    return client;
  }

  /** A look: nothing it does has to be undone. Values are sent apart from the statement, never inside it. */
  async query<Row>(sql: string, values: readonly (string | number)[] = []): Promise<readonly Row[]> {
    try {
      const [rows] = await this.execute(sql, values);
      return rows as unknown as readonly Row[];
    } catch (error) {
      throw this.toolError(error as Error, 'transient');
    }
  }

  /** A change, made at once; one whose answer was lost may have been made. */
  async change(sql: string, values: readonly (string | number)[] = []): Promise<void> {
    refuseWhenOver(this.call);
    // ALTER USER heeds this limit alone, and not lock_wait_timeout (seen on 10.11).
    await this.query(`SET SESSION max_statement_time = ${Math.max(0.05, (remainingMs(this.call) - MARGIN_MS) / 1000)}`);
    try {
      await this.execute(sql, values);
    } catch (error) {
      throw this.toolError(error as Error, 'ambiguous');
    }
  }

  /** Asks again until the answer is true or the call’s time is nearly over; false then. */
  async until(condition: () => Promise<boolean>): Promise<boolean> {
    for (let wait = 10; ; wait = Math.min(wait * 2, 250)) {
      if (await condition()) return true;
      if (remainingMs(this.call) < wait + MARGIN_MS) return false;
      await pause(wait, undefined, { signal: this.call.signal }).catch(() => undefined);
    }
  }

  /** Whole seconds that a lock may be waited for: a wait must end before the call does, or it is granted after it. */
  secondsLeft(): number {
    return Math.floor(Math.max(0, remainingMs(this.call) - MARGIN_MS) / 1000);
  }

  async close(): Promise<void> {
    if (this.over) return;
    this.over = true;
    await Promise.race([this.connection.promise().end(), this.lost]).catch(() => undefined);
    this.connection.destroy();
  }

  /**
   * A strict mode, so that nothing is ever cut to fit, and limits within the call's time: a server goes on waiting
   * for a lock when its client has gone away, and would make the change long after the call.
   */
  private async prepare(): Promise<void> {
    const seconds = this.secondsLeft();
    await this.query(
      `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION',
       lock_wait_timeout = ${seconds}, innodb_lock_wait_timeout = ${seconds}`,
    );
  }

  private execute(sql: string, values: readonly (string | number)[]) {
    const answered = this.connection.promise().execute<RowDataPacket[]>(sql, [...values]);
    answered.catch(() => undefined);
    return Promise.race([answered, this.lost]);
  }

  private readonly stop = (): void => {
    if (this.over) return;
    this.over = true;
    this.lose(new DOMException('The call is over.', 'AbortError'));
    this.connection.destroy();
  };

  private toolError(error: Error, whenLost: 'transient' | 'ambiguous'): ToolError {
    const errno = serverErrno(error);
    if (errno !== undefined && isInterrupted(errno)) {
      return new ToolError(whenLost, `${this.host} was interrupted, and its time was over (${errno}).`, {
        cause: error,
      });
    }
    if (errno !== undefined && !isConnectionLost(errno)) return sqlError(error, errno);
    const what = this.over ? 'did not answer in the time given' : 'lost the connection';
    return new ToolError(whenLost, `${this.host} ${what}.`, { cause: error });
  }
}

/** Left at the end of a call for the last statement and the answer. */
const MARGIN_MS = 300;

/**
 * For an address Node takes the name to prove from the socket, and `localhost` when there is none there
 * (`tls.connect`, `_host`): a certificate for localhost would then do for any address.
 */
function socketTo(host: string, address: string, port: number) {
  const socket = openSocket({ host: address, port });
  return isIP(host) === 0 ? socket : Object.assign(socket, { _host: host });
}

function tlsOptions({ sslmode, certificateAuthority }: MysqlSettings): mysql.SslOptions | undefined {
  if (sslmode === 'disable') return undefined;
  const isProved = sslmode === 'verify-full';
  return { rejectUnauthorized: isProved, verifyIdentity: isProved, ca: certificateAuthority, minVersion: 'TLSv1.2' };
}
