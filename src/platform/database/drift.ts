import type { DataSource } from 'typeorm';

/** The SQL that would make the database what the entities describe; empty when it is that already. Changes nothing. */
export async function findDrift(db: DataSource): Promise<string[]> {
  const { upQueries } = await db.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}
