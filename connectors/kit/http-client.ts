import {
  Agent as HttpAgent,
  request as requestHttp,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { CallContext } from './contract.js';
import { refuseWhenOver } from './deadline.js';
import { guardedLookup, refusePrivateLiteral } from './egress.js';
import { ToolError, type ToolErrorKind } from './errors.js';

export interface HttpClientOptions {
  /** Everything is requested below this URL, and the authorization goes to its origin only. */
  baseUrl: string;
  /** The `Authorization` header's value, from a secret. */
  authorization?: string;
  allowPrivateAddresses: boolean;
  call: CallContext;
  /** The largest answer that is read, in bytes. Default 4 MiB. */
  maxBytes?: number;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
  /** PEM certificates that are trusted instead of the system's. */
  ca?: string;
  /** What of an error answer may be shown: a word from a closed list, never the provider's text. */
  errorCode?: (body: unknown) => string | undefined;
  /** Where a code tells more than the status does: the kind of error it is. */
  kindOfCode?: Readonly<Record<string, ToolErrorKind>>;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base URL, its parts already encoded (`/Users/4711`). */
  path: string;
  query?: Readonly<Record<string, string | number>>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Further headers that are made of the payload's exact text, such as a signature over it. */
  sign?: (payload: string) => Readonly<Record<string, string>>;
  /** A POST that only asks: when its answer is lost it can be sent again without harm. */
  changesNothing?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The parsed JSON; undefined when the answer had no body. */
  body: unknown;
  /** What `body` was parsed from, for a signature over it. */
  text: string;
}

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/**
 * A small JSON-over-HTTP client for one session with one tool: connections of its own, one deadline for everything,
 * and each failure as the `ToolError` kind that tells the engine what to do next.
 *
 * `transient` promises that trying again is harmless; a change that may have been executed is `ambiguous`.
 */
export class HttpClient {
  private readonly base: URL;
  private readonly agent: HttpAgent | HttpsAgent;

  /** Throws `invalid` for a base URL that can't be used, `forbidden` for a private address that isn't allowed. */
  constructor(private readonly options: HttpClientOptions) {
    this.base = parseBaseUrl(options.baseUrl, options.allowPrivateAddresses);
    refusePrivateLiteral(this.base.hostname, options.allowPrivateAddresses);
    const agentOptions = { keepAlive: true, lookup: guardedLookup(options.allowPrivateAddresses) };
    this.agent =
      this.base.protocol === 'https:'
        ? new HttpsAgent({ ...agentOptions, ca: options.ca, minVersion: 'TLSv1.2' })
        : new HttpAgent(agentOptions);
  }

  /** Answers with a 2xx and its parsed JSON; throws `ToolError` for everything else. */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    refuseWhenOver(this.options.call);
    const exchange = await this.exchange(request);
    if (exchange.status >= 200 && exchange.status < 300) {
      return { ...exchange, body: parseAnswer(request, exchange) };
    }
    throw this.errorFor(request, exchange);
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange(request: HttpRequest): Promise<RawAnswer> {
    const url = this.urlFor(request);
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const { signal } = this.options.call;
    return new Promise((done, fail) => {
      const outgoing = send(url, {
        agent: this.agent,
        method: request.method,
        headers: this.headersFor(request, payload),
        signal,
      });
      const sent = watchSending(outgoing);
      const failed = (error: Error) => {
        // Node reports an abort while the body is read as a reset connection.
        const over = signal.aborted && !(error instanceof ToolError);
        const cause = over ? new DOMException('The call is over.', 'AbortError') : error;
        fail(this.lostConnection(request, cause, sent.may));
      };
      outgoing.on('error', failed);
      outgoing.on('response', (incoming) => {
        readBody(incoming, this.options.maxBytes ?? DEFAULT_MAX_BYTES).then(
          (text) => done({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
          failed,
        );
      });
      outgoing.end(payload);
    });
  }

  private urlFor({ path, query }: HttpRequest): URL {
    const base = this.base.href.replace(/\/$/, '');
    const url = new URL(`${base}${path}`);
    // A path holds data (an id); if reading it as a URL changes it, it would carry the secret to another place.
    if (!path.startsWith('/') || url.href !== `${base}${path}`) {
      throw new ToolError('invalid', 'Refused a path that leads elsewhere than it says; nothing was sent.');
    }
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, String(value));
    return url;
  }

  private headersFor(request: HttpRequest, payload: string | undefined): Record<string, string> {
    return {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'quartermaster',
      'x-request-id': this.options.call.attemptId,
      ...(payload && { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
      ...(this.options.authorization && { authorization: this.options.authorization }),
      ...this.options.headers,
      ...request.headers,
      ...request.sign?.(payload ?? ''),
    };
  }

  /** The kind for a request that got no whole answer. */
  private lostConnection(request: HttpRequest, error: Error, maySent: boolean): ToolError {
    if (error instanceof ToolError) return error;
    const host = this.base.host;
    if (error instanceof AnswerTooLarge) {
      return isHarmless(request)
        ? new ToolError('invalid', `${host} answered with more than ${error.maxBytes} bytes; reading was stopped.`)
        : new ToolError('ambiguous', `${host} answered a change with more than ${error.maxBytes} bytes.`);
    }
    const why = describeNetworkError(error, host);
    if (!maySent) return new ToolError(why.kind, why.message, { remedy: why.remedy, cause: error });
    return isHarmless(request)
      ? new ToolError('transient', why.message, { cause: error })
      : new ToolError('ambiguous', `${why.message} The change may have been made.`, { cause: error });
  }

  private errorFor(request: HttpRequest, answer: RawAnswer): ToolError {
    const { status, headers } = answer;
    const isJson = isJsonType(headers['content-type']);
    const code = isJson ? this.options.errorCode?.(parseJson(answer.text)) : undefined;
    const said = `${this.base.host} answered ${request.method} ${request.path} with ${status}${code ? ` (${code})` : ''}`;
    if (status >= 300 && status < 400) {
      return new ToolError('invalid', `${said}, a redirect; redirects are never followed.`, {
        remedy: 'Set the base URL to the address the API really has.',
      });
    }
    const resetAt = parseRetryAfter(headers['retry-after'], new Date());
    if (status === 429) return new ToolError('rate-limited', `${said}: too many requests.`, { resetAt });
    if (status >= 500 && status !== 501) {
      // A server may fail after it did the work; PUT and DELETE can be repeated without harm, these two can't.
      const mayHaveWorked = (request.method === 'POST' || request.method === 'PATCH') && !isHarmless(request);
      return new ToolError(mayHaveWorked ? 'ambiguous' : 'transient', `${said}.`, { resetAt });
    }
    if (status === 408) return new ToolError(isHarmless(request) ? 'transient' : 'ambiguous', `${said}.`);
    if (status === 401) {
      return new ToolError('auth-broken', `${said}: the credentials are not accepted.`, {
        remedy: 'Make a new token at the tool and save it here.',
      });
    }
    if (status === 403) {
      return new ToolError('forbidden', `${said}: these credentials may not do that.`, {
        permission: `${request.method} ${request.path.split('/')[1] ?? ''}`,
      });
    }
    if ((status === 404 || status === 410) && answer.text !== '' && !isJson) return notTheApi(said, headers);
    const kind = (code && this.options.kindOfCode?.[code]) || KIND_OF_STATUS[status];
    return new ToolError(kind ?? 'invalid', `${said}.`);
  }
}

function isHarmless({ method, changesNothing }: HttpRequest): boolean {
  return method === 'GET' || changesNothing === true;
}

const KIND_OF_STATUS: Readonly<Record<number, ToolErrorKind>> = {
  404: 'not-found',
  405: 'unsupported',
  409: 'conflict',
  410: 'not-found',
  412: 'conflict',
  501: 'unsupported',
};

interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

class AnswerTooLarge extends Error {
  constructor(readonly maxBytes: number) {
    super('answer too large');
  }
}

function parseBaseUrl(text: string, allowPrivateAddresses: boolean): URL {
  if (!URL.canParse(text)) throw new ToolError('invalid', 'The base URL is not a URL.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ToolError('invalid', `The base URL must begin with https:, not ${url.protocol}`);
  }
  if (url.protocol === 'http:' && !allowPrivateAddresses) {
    throw new ToolError('invalid', 'The base URL must begin with https: the secret would travel in the clear.');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new ToolError('invalid', 'The base URL must be without user name, query and fragment.');
  }
  return url;
}

/** Tells whether any of the request may have left: from the moment its socket stands. */
function watchSending(outgoing: ClientRequest): { may: boolean } {
  const sent = { may: false };
  outgoing.on('socket', (socket: Socket) => {
    const mark = () => (sent.may = true);
    if (outgoing.reusedSocket || !socket.connecting) mark();
    else socket.once(outgoing.protocol === 'https:' ? 'secureConnect' : 'connect', mark);
  });
  return sent;
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      incoming.destroy();
      throw new AnswerTooLarge(maxBytes);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isJsonType(contentType: string | undefined): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseAnswer(request: HttpRequest, { status, headers, text }: RawAnswer): unknown {
  if (status === 204 || text === '') return undefined;
  const said = `${request.method} ${request.path} was answered with ${status}`;
  // A change that was taken may be told of in another format.
  if (!isJsonType(headers['content-type']))
    throw notTheApi(said, headers, isHarmless(request) ? 'invalid' : 'ambiguous');
  const body = parseJson(text);
  if (body !== undefined) return body;
  throw new ToolError(isHarmless(request) ? 'transient' : 'ambiguous', `${said} and JSON that is broken.`);
}

function notTheApi(said: string, headers: IncomingHttpHeaders, kind: ToolErrorKind = 'invalid'): ToolError {
  const type = headers['content-type']?.split(';')[0] ?? 'no content type';
  return new ToolError(kind, `${said} and a page that isn’t the API (${type}).`, {
    remedy: 'Check the base URL; it may point at a website, a sign-in page or a proxy.',
  });
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date. Undefined when absent or unreadable. */
export function parseRetryAfter(value: string | undefined, now: Date): Date | undefined {
  if (value === undefined) return undefined;
  const at = /^\s*\d+\s*$/.test(value) ? now.getTime() + Number(value) * 1000 : Date.parse(value);
  return Number.isNaN(new Date(at).getTime()) ? undefined : new Date(Math.max(at, now.getTime()));
}

/** What a socket error means before anything was sent; shared by all clients that open sockets. */
export function describeNetworkError(
  error: Error,
  host: string,
): { kind: ToolErrorKind; message: string; remedy?: string } {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return { kind: 'transient', message: `${host} did not answer in the time given.` };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return { kind: 'transient', message: `The name of ${host} could not be resolved.`, remedy: 'Check the host name.' };
  }
  if (code === 'ECONNREFUSED') {
    return { kind: 'transient', message: `${host} refused the connection: nothing listens there.` };
  }
  if (TLS_ERROR.test(code)) {
    // Without a proven counterpart no step may go on: the tool is paused like with a dead credential.
    return {
      kind: 'auth-broken',
      message: `${host} could not be proved over TLS (${code}); nothing was sent.`,
      remedy: 'Renew the tool’s certificate, or give the certificate authority that signed it.',
    };
  }
  return { kind: 'transient', message: `The connection to ${host} failed (${code}).` };
}

const TLS_ERROR = /^(CERT_|ERR_TLS|ERR_SSL|EPROTO$|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH)/;
