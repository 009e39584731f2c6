import type { DataSource, EntityManager } from 'typeorm';

const WORTH_ANOTHER_TRY: ReadonlySet<unknown> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
]);
const TRIES = 4;

/** One decision, one transaction; taken again from the start when PostgreSQL had to break a deadlock. */
export async function inTransaction<T>(db: DataSource, decide: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction(decide);
    } catch (error) {
      if (attempt >= TRIES || !WORTH_ANOTHER_TRY.has(sqlState(error))) throw error;
    }
  }
}

/** The SQLSTATE of a driver's error, or undefined when it isn't one. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  if (driverError !== undefined) return sqlState(driverError);
  return typeof code === 'string' ? code : undefined;
}
