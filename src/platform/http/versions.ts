import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { Problem } from '../errors/problem.js';

/** The ETag of a record's version (RFC 9110, 8.8.3): `"7"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The version that the caller saw, from `If-Match`. Then update with `WHERE version = $n` and `requireChanged`.
 * @throws Problem `precondition-required` (428) without the header or with `*`, `invalid-request` when it isn't one ETag,
 * `precondition-failed` (412) for an ETag that no version of ours ever had.
 */
export function requireVersion(header: string | undefined): number {
  const value = header?.trim();
  if (!value || value === '*') {
    throw new Problem('precondition-required', 'Send `If-Match` with the ETag that your last GET of it answered.');
  }
  const tag = /^(W\/)?"([^"]*)"$/.exec(value);
  if (!tag) {
    throw new Problem('invalid-request', '`If-Match` has to be one ETag in its quotes, as in `"7"`.', [
      { pointer: '/header/if-match', detail: 'This has to be one ETag in its quotes.' },
    ]);
  }
  // If-Match compares strongly: a weak tag never matches (RFC 9110, 13.1.1).
  if (tag[1] || !/^\d{1,9}$/.test(tag[2] ?? '')) throw stale();
  return Number(tag[2]);
}

/**
 * @param changed How many rows the update `WHERE id = … AND version = …` changed; the record is known to be there.
 * @throws Problem `precondition-failed` (412) when none
 */
export function requireChanged(changed: number | null | undefined): void {
  if (!changed) throw stale();
}

/** `@IfMatch() version: number` */
export const IfMatch = createParamDecorator((_data: unknown, context: ExecutionContext): number =>
  requireVersion(context.switchToHttp().getRequest<Request>().get('if-match')),
);

function stale(): Problem {
  return new Problem('precondition-failed', 'Read it again, and decide whether your change still makes sense.');
}
