import type { DataSource, EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { createDataSource } from '../../data-source.js';
import { together } from './together.js';
import { inTransaction } from './transaction.js';

let database: TestDatabase;
let db: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await createDataSource({ url: database.url, applicationName: 'test', poolSize: 1 }).initialize();
  await db.query(`CREATE TABLE written (what text)`);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

it('lets nothing of a decision that failed be written after its rollback', async () => {
  const refused = async (tx: EntityManager): Promise<void> => {
    await tx.query(`SELECT 1`);
    throw new Error('refused');
  };
  const goesOn = async (tx: EntityManager): Promise<void> => {
    await tx.query(`SELECT pg_sleep(0.05)`);
    await tx.query(`INSERT INTO written VALUES ('after the rollback')`);
  };
  await expect(inTransaction(db, (tx) => together([refused(tx), goesOn(tx)]))).rejects.toThrow('refused');
  expect(await db.query(`SELECT what FROM written`)).toEqual([]);
});

it('answers as Promise.all does', async () => {
  expect(await together([Promise.resolve(1), 'two', false])).toEqual([1, 'two', false]);
});
