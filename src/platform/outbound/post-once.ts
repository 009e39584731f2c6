import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { guardedLookup, refusePrivateLiteral } from '../../../connectors/kit/egress.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { describeNetworkError, parseRetryAfter } from '../../../connectors/kit/http-client.js';

export interface PostAnswer {
  status: number;
  retryAfter: Date | undefined;
  /** The media type, without its parameters. */
  type: string | undefined;
  /** The first bytes of the answer. */
  text: string;
}

/** Nothing was answered. The message names the host and never the path, which may be the secret (Slack). */
export class NotReached extends Error {
  override readonly name = 'NotReached';
}

export interface PostOptions {
  allowPrivateAddresses: boolean;
  signal: AbortSignal;
}

/** Bytes: no provider answers a post with more than a line. */
const LARGEST_ANSWER = 16 * 1024;

/**
 * Posts once, on a connection of its own. Redirects aren't followed, so the secret goes to no other host; addresses
 * inside our network are refused unless allowed, for the address that is really connected to (see the kit's `egress`).
 * @throws NotReached
 */
export async function postOnce(
  url: URL,
  { type, text }: { type: string; text: string },
  { allowPrivateAddresses, signal }: PostOptions,
): Promise<PostAnswer> {
  try {
    refuseAddress(url, allowPrivateAddresses);
    return await post(url, type, Buffer.from(text), { allowPrivateAddresses, signal });
  } catch (error) {
    if (error instanceof ToolError) throw new NotReached(error.message);
    const cause = signal.aborted ? new DOMException('over', 'AbortError') : error;
    // The error itself isn't kept as the cause: Node's name the address with its path.
    throw new NotReached(describeNetworkError(cause instanceof Error ? cause : new Error('unknown'), url.host).message);
  }
}

/** For an address that is kept: what can be said of it without asking anybody. @throws ToolError */
export function refuseAddress(url: URL, allowPrivateAddresses: boolean): void {
  if (url.protocol !== 'https:' && !allowPrivateAddresses) {
    throw new ToolError('invalid', `${url.host} isn't reached by https: what is sent would travel in the clear.`);
  }
  // Node asks no look-up for a host that is an address already.
  refusePrivateLiteral(url.hostname, allowPrivateAddresses);
}

function post(
  url: URL,
  type: string,
  payload: Buffer,
  { allowPrivateAddresses, signal }: PostOptions,
): Promise<PostAnswer> {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((done, fail) => {
    const outgoing = send(url, {
      method: 'POST',
      agent: false,
      lookup: guardedLookup(allowPrivateAddresses),
      signal,
      headers: {
        'content-type': type,
        'content-length': payload.length,
        'accept-encoding': 'identity',
        'user-agent': 'quartermaster',
      },
    });
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      firstBytes(incoming).then(
        (text) =>
          done({
            status: incoming.statusCode ?? 0,
            type: incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase(),
            retryAfter: parseRetryAfter(incoming.headers['retry-after'], new Date()),
            text,
          }),
        fail,
      );
    });
    outgoing.end(payload);
  });
}

async function firstBytes(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop ends the connection: the status is what counts.
    if (size > LARGEST_ANSWER) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, LARGEST_ANSWER);
}
