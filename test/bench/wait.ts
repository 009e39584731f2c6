import { setTimeout as pause } from 'node:timers/promises';

/** Asks until the answer isn't undefined. @throws when that takes too long: the measure can't be taken then */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  { withinMs = 60_000, everyMs = 50 }: { withinMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s, but this didn't happen: ${what}`);
    await pause(everyMs);
  }
}
