import type { Failure } from './decide.js';
import type { AttemptResult } from './settle.js';

/** What a call gave, and when it was sent (see `AttemptResult.sentAt`). */
export interface Called<T> {
  value: T;
  sentAt: number;
}

export interface Failed {
  failure: Failure;
  /** Absent when nothing was sent. */
  sentAt?: number;
}

export function failedAttempt({ failure, sentAt }: Failed): AttemptResult {
  return {
    outcome: 'failed',
    errorKind: failure.kind,
    detail: { message: failure.message },
    ...(sentAt !== undefined && { sentAt }),
  };
}
