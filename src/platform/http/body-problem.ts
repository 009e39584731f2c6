import type { NextFunction, Request, Response } from 'express';
import { Problem } from '../errors/problem.js';

/** By `type` of body-parser's errors. */
const ADVICE: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'The body is not valid JSON.',
  'request.aborted': 'The request ended before its body was complete.',
  'encoding.unsupported': 'Send the body plain, or compressed with gzip, deflate or br.',
  'charset.unsupported': 'Send JSON in UTF-8.',
};

/** Express's error middleware behind the parsers: their messages quote the body, so ours take their place. */
export function explainBodyErrors(error: unknown, _request: Request, _response: Response, next: NextFunction): void {
  next(bodyProblem(error) ?? error);
}

function bodyProblem(error: unknown): Problem | null {
  if (!(error instanceof Error)) return null;
  const { status, type, limit } = error as Error & { status?: unknown; type?: unknown; limit?: unknown };
  if (typeof status !== 'number' || status < 400 || status >= 500 || typeof type !== 'string') return null;
  if (status === 413)
    return new Problem('too-large', `A request body may have ${Number(limit) / 1024} kB at most here.`);
  return new Problem('invalid-request', ADVICE[type] ?? 'The body can not be read.');
}
