import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { TlsCertificate } from '../../platform/transport/tls-certificate.js';
import type { CosigningWitness, WitnessAnswer } from './cosigning-witness.js';

interface WitnessServerOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  /** Without it plain HTTP: all that is said is signed and nothing is secret. */
  tls?: TlsCertificate;
  /** A sentence for whoever runs it. */
  tell: (sentence: string) => void;
}

/** Bytes: a checkpoint with many signatures, and the longest proof. */
const LARGEST_BODY = 64 * 1024;
/** Milliseconds for a whole request. */
const PATIENCE = 10_000;
const CHECKPOINT = /^\/([0-9a-f]{64})\/checkpoint$/;

/** Serves a witness over HTTP. @returns its address, and how to end it */
export async function serveWitness(
  witness: CosigningWitness,
  { host, port, tls, tell }: WitnessServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const listener: RequestListener = (request, response) => {
    answerTo(witness, request).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        // Such as a disk that is full: without a memory of it nothing is signed.
        tell(`nothing was cosigned: ${error instanceof Error ? error.message : 'unknown'}`);
        send(response, { status: 500, type: 'text/plain', text: 'I can’t remember anything now.\n' });
      },
    );
  };
  const limits = { requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: PATIENCE / 2 };
  const server: Server = tls ? createTlsServer({ ...limits, ...tls.pair }, listener) : createServer(limits, listener);
  server.listen(port, host);
  await once(server, 'listening');
  if (tls) tls.keepCurrent(server as ReturnType<typeof createTlsServer>, tell);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}

async function answerTo(witness: CosigningWitness, request: IncomingMessage): Promise<WitnessAnswer> {
  const [path = ''] = (request.url ?? '').split('?');
  const [, originHash] = CHECKPOINT.exec(path) ?? [];
  if (request.method === 'GET' && originHash !== undefined) return witness.checkpoint(originHash);
  if (request.method !== 'POST' || path !== '/add-checkpoint') {
    return { status: 404, type: 'text/plain', text: 'There is no such thing here.\n' };
  }
  const body = await bodyOf(request);
  return body === null
    ? { status: 413, type: 'text/plain', text: `No request has more than ${LARGEST_BODY} bytes.\n` }
    : witness.addCheckpoint(body);
}

/** Null when it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= LARGEST_BODY) chunks.push(chunk);
  }
  return size > LARGEST_BODY ? null : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, type, text }: WitnessAnswer): void {
  response.writeHead(status, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(text);
}
