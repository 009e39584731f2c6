import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../data-source.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { prepared } from './prepared.js';
import { queryRows } from './query-rows.js';
import { inTransaction } from './transaction.js';

const READ = prepared(`SELECT name FROM fruits WHERE id = $1`);

let database: TestDatabase;
let db: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await createDataSource({ url: database.url, applicationName: 'test', poolSize: 1 }).initialize();
  await db.query(`CREATE TABLE fruits (id integer PRIMARY KEY, name text)`);
  await db.query(`INSERT INTO fruits SELECT n, 'apple ' || n FROM generate_series(1, 100) n`);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

const read = (id: number): Promise<unknown> => inTransaction(db, (tx) => tx.query(READ, [id]));
const preparedHere = (): Promise<unknown> =>
  db.query(`SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%fruits WHERE id = $1'`);

describe('a prepared statement', () => {
  it('is parsed once per connection, and only where it is marked', async () => {
    expect(await read(1)).toEqual([{ name: 'apple 1' }]);
    expect(await read(2)).toEqual([{ name: 'apple 2' }]);
    await db.query(`SELECT 1 FROM fruits WHERE id = $1`, [1]);
    expect(await preparedHere()).toEqual([{ statement: READ }]);
  });

  it('goes on when a migration changes the type of a column under it', async () => {
    expect(await read(1)).toEqual([{ name: 'apple 1' }]);
    await db.query(`ALTER TABLE fruits ALTER COLUMN name TYPE json USING to_json(name)`);
    expect(await read(1)).toEqual([{ name: 'apple 1' }]);
  });

  it('runs after what was asked before it, when both are asked at once', async () => {
    const told = await inTransaction(db, async (tx) => {
      await tx.query(`CREATE TEMPORARY TABLE told (what text) ON COMMIT DROP`);
      const told = prepared(`SELECT count(*)::int AS told FROM told`);
      const asked: Promise<unknown>[] = [];
      for (let n = 1; n <= 20; n += 1) {
        asked.push(tx.query(`INSERT INTO told VALUES ($1)`, [`${n}`]));
        asked.push(n % 2 === 0 ? queryRows(tx, told) : tx.query(told));
      }
      return Promise.all(asked);
    });
    const counts = told.filter((_, index) => index % 2 === 1);
    expect(counts).toEqual(Array.from({ length: 20 }, (_, index) => [{ told: index + 1 }]));
  });

  it('finds a row by its index, whatever was there when it was planned', async () => {
    await db.query(`CREATE TABLE grows (id integer PRIMARY KEY)`);
    const look = prepared(`SELECT id FROM grows WHERE id = $1`);
    for (let id = 0; id < 8; id += 1) await db.query(look, [id]);
    const plan = await db.query(`EXPLAIN (COSTS OFF) SELECT id FROM grows WHERE id = 1`);
    expect(JSON.stringify(plan)).not.toContain('Seq Scan');
  });
});
