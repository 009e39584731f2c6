/**
 * As `Promise.all`, but when one of them fails it waits for the others to end before it throws. In a transaction: what asks
 * for more after its first answer would otherwise go on past the rollback, on a connection that is in none by then. And
 * what was just starting has then started, and can be stopped.
 */
export async function together<const T extends readonly unknown[]>(
  asked: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(asked);
  return Promise.all(asked);
}
