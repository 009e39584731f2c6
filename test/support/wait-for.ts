import { setTimeout as pause } from 'node:timers/promises';

type Falsy = false | null | undefined | 0 | '';

/**
 * Waits until `condition` answers something truthy, and answers it. A condition that throws hasn't been met yet; what
 * it threw last is told when the time is over. `what` completes the sentence "… didn't happen".
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 5_000, everyMs = 25 }: { withinMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let lastError: unknown;
    try {
      const met = await condition();
      if (met) return met as Exclude<T, Falsy>;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${withinMs} ms, but this didn't happen: ${what}`, { cause: lastError });
    }
    await pause(everyMs);
  }
}
