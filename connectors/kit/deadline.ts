import { randomUUID } from 'node:crypto';
import type { CallContext } from './contract.js';
import { ToolError } from './errors.js';

/** A call that may take `ms` and that nobody but the clock ends. */
export function callWithin(ms: number, attemptId: string = randomUUID()): CallContext {
  return { signal: AbortSignal.timeout(Math.max(0, ms)), deadline: new Date(Date.now() + ms), attemptId };
}

/** Milliseconds until the call must be over; 0 when it is. */
export function remainingMs(call: CallContext): number {
  return Math.max(0, call.deadline.getTime() - Date.now());
}

/** Throws `transient` when the call is over already: then nothing was sent. */
export function refuseWhenOver(call: CallContext): void {
  if (call.signal.aborted || remainingMs(call) === 0) {
    throw new ToolError('transient', 'The call’s time was over before anything was sent.');
  }
}
