import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Attribute, Change, Client, ResultCodeError, type Entry, type Filter, type SearchOptions } from 'ldapts';
import type { CallContext } from './contract.js';
import { refuseWhenOver } from './deadline.js';
import { resolveAllowed } from './egress.js';
import { ToolError, type ToolErrorKind } from './errors.js';
import { describeNetworkError } from './http-client.js';

/** How to reach a directory and prove that it is the right one. */
export interface LdapServer {
  host: string;
  port: number;
  /** `none` sends the password in the clear: private addresses only. */
  tls: 'ldaps' | 'starttls' | 'none';
  /** PEM; the system's authorities otherwise. */
  certificateAuthority?: string;
}

export interface LdapConnection {
  server: LdapServer;
  allowPrivateAddresses: boolean;
  call: CallContext;
}

/** Attribute values to write; an empty list removes the attribute. Text is written as UTF-8. */
export type LdapValues = Readonly<Record<string, readonly string[] | readonly Buffer[]>>;

export interface LdapChange {
  operation: 'add' | 'delete' | 'replace';
  attribute: string;
  values: readonly string[] | readonly Buffer[];
}

/** An entry as the server shows it; attributes under the names that were asked for. */
export interface LdapEntry {
  dn: string;
  /** All values as text; none when the entry doesn't have the attribute, or doesn't show it. */
  all(attribute: string): readonly string[];
  first(attribute: string): string | null;
  /** The first value's bytes, of an attribute that was asked for as `binary`. */
  bytes(attribute: string): Buffer | null;
  allBytes(attribute: string): readonly Buffer[];
}

export interface LdapSearch {
  base: string;
  scope: 'base' | 'one' | 'sub';
  filter: Filter;
  attributes: readonly string[];
  /** Those of the attributes that are bytes, not text. */
  binary?: readonly string[];
}

/**
 * One connection to one directory, within one call's deadline; used by every connector that speaks LDAP. Throws
 * `ToolError` and nothing else. A search that was lost is `transient`; a change that was lost is `ambiguous`.
 */
export class LdapClient {
  private isOver = false;
  private isNotLdap = false;

  private constructor(
    private readonly client: Client,
    private readonly socket: Socket,
    private readonly named: string,
  ) {}

  /** Connects, proves the server over TLS and signs in. Nothing secret is sent before the proof. */
  static async connect(connection: LdapConnection, bindDn: string, password: string): Promise<LdapClient> {
    const { server, call } = connection;
    const named = `${server.host}:${server.port}`;
    const { signal } = call;
    const socket = await openSocket(connection, named, signal);
    let handedOut = false;
    const client = new Client({
      url: `ldap://directory:${server.port}`,
      createConnection: () => {
        // The library would connect again, without TLS and without signing in, when the server hangs up.
        if (handedOut) throw new Error('The connection was lost.');
        handedOut = true;
        return socket;
      },
    });
    const ldap = new LdapClient(client, socket, named);
    socket.once('data', (first: Buffer) => {
      // Every LDAP message is a BER sequence (RFC 4511, section 4.1.1); the library waits for one for ever.
      if (first[0] === BER_SEQUENCE) return;
      ldap.isNotLdap = true;
      socket.destroy();
    });
    signal.addEventListener('abort', ldap.stop, { once: true });
    try {
      if (server.tls === 'starttls') await client.startTLS(tlsOptions(server)).catch(noStartTls(named));
      await client.bind(bindDn, password);
    } catch (error) {
      ldap.stop();
      throw ldap.signInError(error as Error, bindDn, signal.aborted);
    }
    return ldap;
  }

  /** Everything that matches, fetched in pages (RFC 2696); `isComplete` is false when the server cut it short. */
  async searchAll(search: LdapSearch): Promise<{ entries: readonly LdapEntry[]; isComplete: boolean }> {
    const entries: LdapEntry[] = [];
    try {
      const pages = this.client.searchPaginated(search.base, {
        ...searchOptions(search),
        paged: { pageSize: PAGE_SIZE },
      });
      for await (const page of pages) entries.push(...page.searchEntries.map((entry) => new ReadEntry(entry)));
      return { entries, isComplete: true };
    } catch (error) {
      if (error instanceof ResultCodeError && CUT_SHORT.has(error.code)) return { entries, isComplete: false };
      throw this.toolError(error as Error, false, `read ${search.base}`);
    }
  }

  /** A search whose answer is believed to be whole. Throws `forbidden` when the server cut it short. */
  async search(search: LdapSearch): Promise<readonly LdapEntry[]> {
    const { entries, isComplete } = await this.searchAll(search);
    if (isComplete) return entries;
    throw new ToolError('forbidden', `${this.named} cut a search below ${search.base} short.`, {
      permission: 'a higher limit for searches',
      remedy: 'Raise size and time limit of searches for the service’s own account.',
    });
  }

  /** One entry by its name; null when it isn't there, or isn't shown to us. */
  async read(
    dn: string,
    filter: Filter,
    attributes: readonly string[],
    binary: readonly string[] = [],
  ): Promise<LdapEntry | null> {
    try {
      return (await this.search({ base: dn, scope: 'base', filter, attributes, binary }))[0] ?? null;
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'not-found') return null;
      throw error;
    }
  }

  async add(dn: string, values: LdapValues): Promise<void> {
    const attributes = Object.entries(values).map(([type, all]) => attributeOf(type, all));
    await this.act(`add ${dn}`, () => this.client.add(dn, attributes));
  }

  /** All changes or none (RFC 4511, section 4.6). */
  async modify(dn: string, changes: readonly LdapChange[]): Promise<void> {
    const all = changes.map(
      ({ operation, attribute, values }) => new Change({ operation, modification: attributeOf(attribute, values) }),
    );
    await this.act(`write ${changes.map(({ attribute }) => attribute).join(', ')} of ${dn}`, () =>
      this.client.modify(dn, all),
    );
  }

  async delete(dn: string): Promise<void> {
    await this.act(`delete ${dn}`, () => this.client.del(dn));
  }

  async compare(dn: string, attribute: string, value: string): Promise<boolean> {
    try {
      return await this.client.compare(dn, attribute, value);
    } catch (error) {
      throw this.toolError(error as Error, false, `compare ${attribute} of ${dn}`);
    }
  }

  /** Who the server says we are (RFC 4532): `dn:…` or `u:…`. */
  async whoAmI(): Promise<string> {
    try {
      return (await this.client.exop(WHO_AM_I)).value ?? '';
    } catch (error) {
      throw this.toolError(error as Error, false, 'ask who it is signed in as');
    }
  }

  async close(): Promise<void> {
    if (!this.isOver) await this.client.unbind().catch(() => undefined);
    this.stop();
  }

  private readonly stop = (): void => {
    this.isOver = true;
    this.socket.destroy();
  };

  private async act(what: string, send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (error) {
      throw this.toolError(error as Error, true, what);
    }
  }

  private toolError(error: Error, mayHaveChanged: boolean, what: string): ToolError {
    if (error instanceof ResultCodeError) return resultError(error, this.named, what);
    const message = this.isOver
      ? `${this.named} did not answer in the time given.`
      : `The connection to ${this.named} was lost.`;
    return mayHaveChanged
      ? new ToolError('ambiguous', `${message} The change may have been made.`, { cause: error })
      : new ToolError('transient', message, { cause: error });
  }

  private signInError(error: Error, bindDn: string, timeIsOver: boolean): ToolError {
    if (error instanceof ToolError) return error;
    if (this.isNotLdap) return notLdap(this.named);
    if (timeIsOver) return new ToolError('transient', `${this.named} did not answer in the time given.`);
    if (error instanceof ResultCodeError) {
      if (SIGN_IN_REFUSED.has(error.code)) {
        return new ToolError('auth-broken', `${this.named} does not let “${bindDn}” in: wrong name or password.`, {
          remedy: 'Check the bind DN and its password, and that its account is not locked.',
          cause: error,
        });
      }
      return resultError(error, this.named, 'sign in');
    }
    if ((error as NodeJS.ErrnoException).code) return networkError(error, this.named);
    return new ToolError('transient', `${this.named} hung up while signing in.`, { cause: error });
  }
}

class ReadEntry implements LdapEntry {
  readonly dn: string;
  private readonly values = new Map<string, Buffer | Buffer[] | string[] | string>();

  constructor(entry: Entry) {
    this.dn = entry.dn;
    // A server may answer `entryUUID` for `entryuuid`; attribute names have no case (RFC 4512, section 2.5).
    for (const [name, value] of Object.entries(entry)) this.values.set(name.toLowerCase(), value);
  }

  all(attribute: string): readonly string[] {
    const value = this.values.get(attribute.toLowerCase()) ?? [];
    return (Array.isArray(value) ? value : [value]).map((one) =>
      typeof one === 'string' ? one : one.toString('utf8'),
    );
  }

  first(attribute: string): string | null {
    return this.all(attribute)[0] ?? null;
  }

  bytes(attribute: string): Buffer | null {
    return this.allBytes(attribute)[0] ?? null;
  }

  allBytes(attribute: string): readonly Buffer[] {
    const value = this.values.get(attribute.toLowerCase()) ?? [];
    return (Array.isArray(value) ? value : [value]).filter((one) => Buffer.isBuffer(one));
  }
}

/**
 * A value as it is written inside a distinguished name (RFC 4514, section 2.4): what has a meaning there, and every
 * control character, is written as a backslash and two hexadecimal digits. Blanks are escaped wherever they could be
 * taken off. (The library's own `DN` quotes values the way of RFC 2253, and leaves NUL alone.)
 */
export function escapeDnValue(value: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  return value.replace(/[\u0000-\u001f\u007f"+,;<>=\\#]|^ | $/g, (character) => {
    return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** Seconds or parts of them, in UTC (RFC 4517, section 3.3.13); null for what isn't such a time. */
export function parseGeneralizedTime(text: string | null): Date | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/.exec(text ?? '');
  if (!parts) return null;
  const [year = 0, month = 0, ...rest] = parts.slice(1).map(Number);
  const [day, hours, minutes, seconds] = rest;
  const time = new Date(Date.UTC(year, month - 1, day, hours, minutes, seconds));
  return Number.isNaN(time.getTime()) ? null : time;
}

/** The server's own answer behind an error (RFC 4511, appendix A); null when it gave none. */
export function resultCodeOf(error: unknown): number | null {
  return error instanceof ToolError && error.cause instanceof ResultCodeError ? error.cause.code : null;
}

const BER_SEQUENCE = 0x30;
const PAGE_SIZE = 500;
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

/** timeLimitExceeded, sizeLimitExceeded, adminLimitExceeded. */
const CUT_SHORT = new Set([3, 4, 11]);

/** inappropriateAuthentication, invalidCredentials, and noSuchObject and invalidDNSyntax as some servers say it. */
const SIGN_IN_REFUSED = new Set([32, 34, 48, 49]);

async function openSocket(
  { server, allowPrivateAddresses, call }: LdapConnection,
  named: string,
  signal: AbortSignal,
): Promise<Socket> {
  refuseWhenOver(call);
  if (server.tls === 'none' && !allowPrivateAddresses) {
    throw new ToolError('invalid', 'A directory without TLS is for tools on private addresses only.');
  }
  try {
    // The checked address is what is connected to; the name is kept for TLS.
    const host = await resolveAllowed(server.host, allowPrivateAddresses);
    const plain = connectTcp({ host, port: server.port });
    await ready(plain, 'connect', signal);
    if (server.tls !== 'ldaps') return plain;
    const secure = connectTls({ ...tlsOptions(server), socket: plain });
    await ready(secure, 'secureConnect', signal).catch((error: unknown) => {
      if (!(error instanceof Error && (error as NodeJS.ErrnoException).code === 'ECONNRESET')) throw error;
      throw new ToolError('transient', `${named} hung up instead of speaking TLS; nothing was sent.`, {
        remedy: 'If it stays so: 636 speaks TLS from the start, 389 after StartTLS (the setting `tls`).',
        cause: error,
      });
    });
    return secure;
  } catch (error) {
    if (error instanceof ToolError) throw error;
    if (signal.aborted) throw new ToolError('transient', `${named} did not answer in the time given.`);
    throw networkError(error as Error, named);
  }
}

function ready(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = () => socket.destroy(new Error('The call’s time was over.'));
    signal.addEventListener('abort', over, { once: true });
    // Stays: without a listener a lost connection would end the process.
    socket.on('error', reject);
    socket.once('close', () => reject(new HungUp()));
    socket.once(event, () => {
      signal.removeEventListener('abort', over);
      resolve();
    });
  });
}

class HungUp extends Error {
  readonly code = 'ECONNRESET';
}

function tlsOptions({ host, certificateAuthority }: LdapServer): ConnectionOptions {
  return {
    // Without a name to ask for, the certificate must carry the address itself.
    host,
    servername: isIP(host) === 0 ? host : undefined,
    ca: certificateAuthority,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  };
}

function networkError(error: Error, named: string): ToolError {
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST)/.test((error as NodeJS.ErrnoException).code ?? '')) {
    return new ToolError('auth-broken', `${named} does not speak TLS; nothing was sent.`, {
      remedy: 'Check the port (636 speaks TLS from the start, 389 after StartTLS) and the setting `tls`.',
      cause: error,
    });
  }
  const { kind, message, remedy } = describeNetworkError(error, named);
  return new ToolError(kind, message, { remedy, cause: error });
}

function noStartTls(named: string): (error: Error) => never {
  return (error) => {
    if (!(error instanceof ResultCodeError)) throw error;
    throw new ToolError('auth-broken', `${named} does not offer StartTLS; nothing was sent.`, {
      remedy: 'Give the server a certificate; `tls: none` is for private addresses only.',
      cause: error,
    });
  };
}

function notLdap(named: string): ToolError {
  return new ToolError('invalid', `${named} does not answer like a directory server.`, {
    remedy: 'Check host and port.',
  });
}

/** A result code (RFC 4511, appendix A) to the engine's next step. Each of these says that nothing was changed. */
function resultError(error: ResultCodeError, named: string, what: string): ToolError {
  const kind = KIND_OF_RESULT[error.code] ?? 'invalid';
  const name = error.constructor.name.replace(/Error$/, '');
  const remedy = REMEDY_OF_RESULT[error.code];
  return new ToolError(kind, `${named} refused to ${what} (${error.code} ${name}).`, {
    permission: kind === 'forbidden' ? what : undefined,
    remedy,
    cause: error,
  });
}

const KIND_OF_RESULT: Readonly<Record<number, ToolErrorKind>> = {
  1: 'transient', // operationsError
  3: 'transient', // timeLimitExceeded
  8: 'auth-broken', // strongerAuthRequired
  13: 'auth-broken', // confidentialityRequired
  32: 'not-found',
  48: 'auth-broken',
  49: 'auth-broken',
  50: 'forbidden', // insufficientAccessRights
  51: 'transient', // busy
  52: 'transient', // unavailable
  68: 'conflict', // entryAlreadyExists
  16: 'conflict', // noSuchAttribute: changed since we looked
  20: 'conflict', // attributeOrValueExists
  80: 'transient', // other
};

const REMEDY_OF_RESULT: Readonly<Record<number, string>> = {
  2: 'The server does not offer this operation (StartTLS without a certificate, for example).',
  8: 'Set `tls` to `ldaps` or `starttls`.',
  10: 'This server is a read-only copy: set the address of the one that takes changes.',
  13: 'Set `tls` to `ldaps` or `starttls`.',
  19: 'The server’s own rules (password policy, uniqueness) refuse the value.',
  53: 'The server’s own rules refuse it: a password policy, or a read-only copy.',
};

function searchOptions({ scope, filter, attributes, binary }: LdapSearch): SearchOptions {
  return { scope, filter, attributes: [...attributes], explicitBufferAttributes: [...(binary ?? [])] };
}

function attributeOf(type: string, values: readonly string[] | readonly Buffer[]): Attribute {
  return new Attribute({ type, values: [...values] as string[] | Buffer[] });
}
