import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { isOutdatedPlan } from './prepared.js';

const WORTH_ANOTHER_TRY: ReadonlySet<unknown> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
]);
const TRIES = 4;

/**
 * One decision, one transaction; taken again from the start when PostgreSQL had to break a deadlock, or when a migration
 * changed a column under a statement that was prepared before.
 */
export async function inTransaction<T>(db: DataSource, decide: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction(decide);
    } catch (error) {
      if (attempt >= TRIES || !isWorthAnotherTry(error)) throw error;
    }
  }
}

function isWorthAnotherTry(error: unknown): boolean {
  return (
    WORTH_ANOTHER_TRY.has(sqlState(error)) || (error instanceof QueryFailedError && isOutdatedPlan(error.driverError))
  );
}

/** The SQLSTATE of a driver's error, or undefined when it isn't one. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  if (driverError !== undefined) return sqlState(driverError);
  return typeof code === 'string' ? code : undefined;
}
