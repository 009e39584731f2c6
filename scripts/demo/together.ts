/**
 * As `Promise.all`, but when one of them fails it waits for the others to end before it throws: what was just starting
 * has then started, and can be stopped.
 */
export async function together<const T extends readonly unknown[]>(
  starting: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}
