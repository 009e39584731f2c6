import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import type { CallContext } from '../kit/contract.js';
import { refuseWhenOver, remainingMs } from '../kit/deadline.js';
import { resolveAllowed } from '../kit/egress.js';
import { ToolError } from '../kit/errors.js';
import { describeNetworkError } from '../kit/http-client.js';
import type { RedisAclSettings } from './manifest.js';

/**
 * One connection to one node, within one call's deadline. Throws `ToolError` and nothing else: `transient` for a look
 * that was lost, `ambiguous` for a change.
 */
export class RedisAclClient {
  private over = false;
  private lastError: Error | undefined;

  private constructor(
    private readonly connection: Redis,
    private readonly call: CallContext,
    private readonly host: string,
  ) {
    // ioredis tells why a connection was lost here, and the commands only that it was.
    connection.on('error', (error: Error) => (this.lastError = error));
  }

  static async connect(
    settings: RedisAclSettings,
    password: string,
    { allowPrivateAddresses, call }: { allowPrivateAddresses: boolean; call: CallContext },
  ): Promise<RedisAclClient> {
    refuseWhenOver(call);
    if (settings.sslmode === 'disable' && !allowPrivateAddresses) {
      throw new ToolError('invalid', 'sslmode “disable” is for tools on private addresses only.');
    }
    const { host, port, user } = settings;
    const named = `${host}:${port}`;
    const address = await resolveAllowed(host, allowPrivateAddresses).catch((error: Error) => {
      throw error instanceof ToolError ? error : networkError(error, named);
    });
    const connection = new Redis({
      // The checked address is what is connected to; the name is kept for TLS.
      host: address,
      port,
      tls: tlsOptions(settings),
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: remainingMs(call),
    });
    const client = new RedisAclClient(connection, call, named);
    const { signal } = call;
    signal.addEventListener('abort', client.stop, { once: true });
    try {
      await connection.connect();
      await connection.call('AUTH', user, password);
    } catch (error) {
      const why = client.over ? new DOMException('The call is over.', 'AbortError') : (client.lastError ?? error);
      client.stop();
      throw signInError(why as Error, named, settings);
    }
    return client;
  }

  /** A look: nothing it does has to be undone. */
  async query(command: string, ...args: readonly string[]): Promise<unknown> {
    return this.answer(this.connection.call(command, ...args), 'transient');
  }

  /** Looks that are sent at once; their answers in the same order. */
  async queryAll(commands: readonly (readonly [string, ...string[]])[]): Promise<readonly unknown[]> {
    const pipeline = this.connection.pipeline();
    for (const [command, ...args] of commands) pipeline.call(command, ...args);
    return this.answersOf(pipeline.exec(), 'transient');
  }

  async change(command: string, ...args: readonly string[]): Promise<unknown> {
    refuseWhenOver(this.call);
    return this.answer(this.connection.call(command, ...args), 'ambiguous');
  }

  /** Commands between which no other client's come (MULTI, EXEC); their answers in the same order. */
  async together(commands: readonly (readonly [string, ...string[]])[]): Promise<readonly unknown[]> {
    refuseWhenOver(this.call);
    const transaction = this.connection.multi();
    for (const [command, ...args] of commands) transaction.call(command, ...args);
    return this.answersOf(transaction.exec(), 'ambiguous');
  }

  /** Asks again until the answer is true or the call’s time is nearly over; false then. */
  async until(condition: () => Promise<boolean>): Promise<boolean> {
    for (let wait = 5; ; wait = Math.min(wait * 2, 250)) {
      if (await condition()) return true;
      if (remainingMs(this.call) < wait + MARGIN_MS) return false;
      await pause(wait, undefined, { signal: this.call.signal }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.over = true;
    this.connection.disconnect();
  }

  private readonly stop = (): void => {
    if (this.over) return;
    this.over = true;
    this.connection.disconnect();
  };

  private async answer(asked: Promise<unknown>, whenLost: 'transient' | 'ambiguous'): Promise<unknown> {
    try {
      return await asked;
    } catch (error) {
      throw this.toolError(error as Error, whenLost);
    }
  }

  private async answersOf(
    asked: Promise<[Error | null, unknown][] | null>,
    whenLost: 'transient' | 'ambiguous',
  ): Promise<readonly unknown[]> {
    const answers = (await this.answer(asked, whenLost)) as [Error | null, unknown][] | null;
    return (answers ?? []).map(([error, answer]) => {
      if (error) throw this.toolError(error, whenLost);
      return answer;
    });
  }

  private toolError(error: Error, whenLost: 'transient' | 'ambiguous'): ToolError {
    if (isReply(error)) return replyError(error);
    const what = this.over ? 'did not answer in the time given' : 'lost the connection';
    return new ToolError(whenLost, `${this.host} ${what}.`, { cause: this.lastError ?? error });
  }
}

/** Left at the end of a call for the last command and the answer. */
const MARGIN_MS = 300;

function tlsOptions({ sslmode, host, certificateAuthority }: RedisAclSettings): RedisOptions['tls'] {
  if (sslmode === 'disable') return undefined;
  return {
    rejectUnauthorized: sslmode === 'verify-full',
    ca: certificateAuthority,
    minVersion: 'TLSv1.2',
    servername: isIP(host) === 0 ? host : undefined,
  };
}

function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

function networkError(error: Error, named: string): ToolError {
  const { kind, message, remedy } = describeNetworkError(error, named);
  return new ToolError(kind, message, { remedy, cause: error });
}

/** Nothing was asked of the server yet but to let us in, so nothing was changed. */
function signInError(error: Error, named: string, { user, sslmode }: RedisAclSettings): ToolError {
  const isOverTls = sslmode !== 'disable';
  if (isReply(error) && /^(WRONGPASS|NOAUTH|ERR.*AUTH)/i.test(error.message)) {
    return new ToolError('auth-broken', `${named} does not let “${user}” in: wrong password, or the user is off.`, {
      remedy: 'Check user and password; after a restart, that the user was saved (ACL SAVE).',
    });
  }
  if (isReply(error)) return replyError(error);
  if (error.name === 'ParserError' || error.message.startsWith('Protocol error')) {
    return new ToolError('invalid', `${named} does not answer like a Redis server.`, {
      remedy: 'Check host and port.',
      cause: error,
    });
  }
  if (/ETIMEDOUT|Connection is closed/.test(error.message)) {
    return didNotAnswer(named, isOverTls, error);
  }
  return error.name === 'AbortError' ? didNotAnswer(named, isOverTls, error) : networkError(error, named);
}

function didNotAnswer(named: string, isOverTls: boolean, cause: Error): ToolError {
  const remedy = isOverTls
    ? 'Check host and port; a Redis without TLS on this port is silent when it is spoken to over TLS.'
    : 'Check host and port.';
  return new ToolError('transient', `${named} did not answer in the time given.`, { remedy, cause });
}

/** A refusal, by its first word; its text is shown only where it names a permission and nothing of ours. */
function replyError(error: Error): ToolError {
  const { previousErrors } = error as { previousErrors?: readonly Error[] };
  const message = previousErrors?.[0]?.message ?? error.message;
  const code = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR';
  if (code === 'NOPERM') {
    const command = /run the '([^']+)' command/.exec(message)?.[1];
    const permission = command ? `+${command}` : 'more than it has';
    return new ToolError('forbidden', `Redis refused (NOPERM): the service’s user needs ${permission}.`, {
      permission,
    });
  }
  if (code === 'NOAUTH' || code === 'WRONGPASS') {
    return new ToolError('auth-broken', `Redis refused (${code}): the service’s user isn’t let in any more.`);
  }
  if (['LOADING', 'BUSY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'OOM', 'READONLY'].includes(code)) {
    return new ToolError('transient', `Redis can’t do this now (${code}).`, { cause: error });
  }
  return new ToolError('invalid', `Redis refused (${code}).`, { cause: error });
}
