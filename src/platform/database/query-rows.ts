import type { DataSource, EntityManager } from 'typeorm';

/**
 * The rows of one SQL statement. TypeORM answers `[rows, count]` for UPDATE and DELETE and plain rows for the rest;
 * here it is always rows. The caller names their shape, since only it knows its columns.
 */
export async function queryRows<Row>(
  db: DataSource | EntityManager,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const answer: unknown = await db.query(sql, [...parameters]);
  if (!Array.isArray(answer)) return [];
  const rows: unknown =
    answer.length === 2 && Array.isArray(answer[0]) && typeof answer[1] === 'number' ? answer[0] : answer;
  return rows as Row[];
}
