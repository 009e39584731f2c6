/** How many generations an epoch has room for; below 2⁵³ for two million epochs, so that a number holds it exactly. */
export const GENERATIONS_PER_EPOCH = 2 ** 32;

/**
 * A person's next generation. The epoch changes when a backup is restored: generations given out after the backup
 * was taken are lost with it, and must not come again.
 */
export function generationAfter(current: number, epoch: number): number {
  return Math.max(current + 1, epoch * GENERATIONS_PER_EPOCH);
}
