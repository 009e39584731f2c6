import type { CallContext } from './contract.js';
import { ToolError } from './errors.js';

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

/** Aborted at the deadline or by the caller, whichever comes first. */
export function signalOf(call: CallContext): AbortSignal {
  return AbortSignal.any([call.signal, AbortSignal.timeout(remainingMs(call))]);
}
