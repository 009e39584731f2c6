import type { Failure } from './decide.js';
import type { AttemptResult } from './settle.js';

/** What a call gave, and how long ago it was sent (in milliseconds). */
export interface Called<T> {
  value: T;
  sentAgo: number;
}

export interface Failed {
  failure: Failure;
  /** Absent when nothing was sent. */
  sentAgo?: number;
}

export function failedAttempt({ failure, sentAgo }: Failed): AttemptResult {
  return {
    outcome: 'failed',
    errorKind: failure.kind,
    detail: { message: failure.message },
    ...(sentAgo !== undefined && { sentAgo }),
  };
}
