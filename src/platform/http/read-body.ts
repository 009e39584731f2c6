import type { IncomingMessage } from 'node:http';
import type { Problem } from '../errors/problem.js';

/**
 * A file in a request's body, read by the handler and by no parser: only after it is known who sends it, and never more
 * than the limit. The answer should have `Connection: close`: what isn't read must not be taken for the next request.
 *
 * @param limit bytes
 */
export async function readBody(request: IncomingMessage, limit: number, tooLarge: () => Problem): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
