import type { NextFunction, Request, Response } from 'express';
import { Problem } from '../errors/problem.js';

/**
 * Express middleware behind the JSON parser. JSON can write half of a surrogate pair (`\ud800`), which is no text:
 * PostgreSQL's jsonb refuses it, and UTF-8 has no bytes for it (RFC 8259, 8.2).
 */
export function refuseHalfCharacters(
  request: Request & { rawBody?: Buffer },
  _response: Response,
  next: NextFunction,
): void {
  const { rawBody, body } = request as { rawBody?: Buffer; body?: unknown };
  // Only an escape can make one: nearly every body goes on after this one look.
  const mayHave = rawBody !== undefined && (rawBody.includes('\\ud') || rawBody.includes('\\uD'));
  next(mayHave && !isWellFormed(body) ? halfCharacter() : undefined);
}

/** Whether every text in it, names of properties too, can be written as UTF-8. */
export function isWellFormed(value: unknown): boolean {
  // A stack of our own: a body may be nested more deeply than ours goes.
  const left = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one === 'string' && !one.isWellFormed()) return false;
    // One by one: the arguments of a call are limited, a list's length isn't.
    if (typeof one === 'object' && one !== null) {
      for (const [key, inner] of Object.entries(one)) {
        if (!key.isWellFormed()) return false;
        left.push(inner);
      }
    }
  }
  return true;
}

function halfCharacter(): Problem {
  return new Problem('invalid-request', 'A text in the body has half of a surrogate pair, which is no character.');
}
