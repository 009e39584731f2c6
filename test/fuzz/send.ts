import { request as requestHttp, type Agent, type IncomingHttpHeaders } from 'node:http';
import type { FuzzRequest } from './requests-for.js';

export interface FuzzAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Why there was none, where the status is 0. */
  text: string;
  ms: number;
}

/** Sends the bytes as they are: no client library that would mend them. */
export function send(base: URL, agent: Agent, request: Omit<FuzzRequest, 'kind' | 'caller'>): Promise<FuzzAnswer> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const failed = ({ message }: Error): void =>
      resolve({ status: 0, headers: {}, text: message, ms: performance.now() - startedAt });
    const outgoing = requestHttp(
      {
        host: base.hostname,
        port: base.port,
        agent,
        method: request.method,
        path: request.path,
        headers: {
          ...request.headers,
          ...(request.body !== undefined && { 'content-length': String(Buffer.byteLength(request.body)) }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', failed);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString('utf8'),
            ms: performance.now() - startedAt,
          }),
        );
      },
    );
    outgoing.on('error', failed);
    outgoing.end(request.body);
  });
}
