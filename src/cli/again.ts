import { setTimeout as pause } from 'node:timers/promises';
import { ApiAway, ApiRefusal } from './api-client.js';

/** Milliseconds before each further try; whoever got on a little starts over. */
const PAUSES = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * Does a piece of something long until there is nothing left, and again where the service was away for a while.
 * @param piece answers how far it is now; null: all is done
 */
export async function goOn(piece: () => Promise<number | null>, note: (line: string) => void): Promise<void> {
  let [tries, reached] = [0, -1];
  for (;;) {
    try {
      const now = await piece();
      if (now === null) return;
      if (now > reached) tries = 0;
      reached = now;
    } catch (error) {
      const wait = PAUSES[tries];
      if (wait === undefined || !mayPass(error)) throw error;
      tries += 1;
      note(`${(error as Error).message} Trying again in ${wait / 1_000} s.`);
      await pause(wait);
    }
  }
}

/** Away, overloaded, or still busy with a request that broke off. */
const PASSING: ReadonlySet<string> = new Set(['request-in-flight', 'too-many-requests', 'store-failed', 'unavailable']);

function mayPass(error: unknown): boolean {
  return error instanceof ApiAway || (error instanceof ApiRefusal && PASSING.has(error.kind));
}
