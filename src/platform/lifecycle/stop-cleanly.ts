import type { Environment } from '../config/config.js';
import { whenParentIsGone } from './exit-with-parent.js';
import { describeFailure } from './failure.js';

/** Milliseconds for requests and steps under way to end. */
const PATIENCE = 7_000;

/**
 * Closes and ends the process on SIGTERM, SIGINT, and when the parent that asked for it is gone. A second signal ends
 * it at once; so does a close that takes longer than 7 s, with exit code 1. One that fails says why, with the same code.
 */
export function stopCleanly(env: Environment, close: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    setTimeout(() => {
      console.error('The end took too long: what was under way is cut off.');
      process.exit(1);
    }, PATIENCE).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(`The end wasn't a clean one. ${describeFailure(error).message}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  whenParentIsGone(env, stop);
}
