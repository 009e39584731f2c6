import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Active tools that nothing listens at: for measures that stop before the call. */
export async function seedTools(db: pg.PoolClient, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const [index, id] of ids.entries()) {
    await db.query(
      `INSERT INTO tools (id, key, name, connector, environment, settings, secret_ids, owners)
       VALUES ($1, $2, $2, 'scim', 'test', $3, '{"ids": {}, "savedFor": null}', '{it@acme.example}')`,
      [id, `tool-${index}`, { usernameFrom: 'local-part', connector: { baseUrl: 'http://127.0.0.1:9' } }],
    );
    await db.query(
      `INSERT INTO tool_budgets (tool_id, share, concurrency, calls_per_second, burst, allowance)
       SELECT $1, share, 64, 100000, 100000, 100000 FROM unnest('{shared,reserved}'::text[]) AS s (share)`,
      [id],
    );
  }
  return ids;
}
