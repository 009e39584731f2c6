import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from './query-rows.js';

/** The time by the database's clock, the one that all servers share; inside a transaction, that of its start. */
export async function databaseNow(db: DataSource | EntityManager): Promise<Date> {
  const [row] = await queryRows<{ now: Date }>(db, `SELECT now()`);
  if (!row) throw new Error('PostgreSQL does not tell the time');
  return row.now;
}
