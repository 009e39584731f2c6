import type { DataSource } from 'typeorm';

export interface MigrationState {
  name: string;
  applied: boolean;
}

/** Each migration of this code, oldest first. The database may know newer ones: a newer version was rolled out before us. */
export async function migrationStates(db: DataSource): Promise<MigrationState[]> {
  const applied = new Set(await appliedNames(db));
  return db.migrations.map(({ name = '' }) => ({ name, applied: applied.has(name) }));
}

export async function pendingMigrations(db: DataSource): Promise<string[]> {
  const states = await migrationStates(db);
  return states.filter(({ applied }) => !applied).map(({ name }) => name);
}

async function appliedNames(db: DataSource): Promise<string[]> {
  const [table] = await db.query<{ exists: boolean }[]>(
    `SELECT to_regclass('schema_migrations') IS NOT NULL AS exists`,
  );
  if (!table?.exists) return [];
  const rows = await db.query<{ name: string }[]>(`SELECT name FROM schema_migrations`);
  return rows.map(({ name }) => name);
}
