import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/data-source.js';
import { findDrift } from '../../src/platform/database/drift.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('the migrations', () => {
  let database: TestDatabase;
  let db: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
  });

  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });

  it('make exactly the tables that the entities describe, also after each was taken back', async () => {
    expect(await findDrift(db)).toEqual([]);
    const { length } = await db.query<unknown[]>(`SELECT FROM schema_migrations`);
    for (let left = length; left > 0; left -= 1) await db.undoLastMigration({ transaction: 'each' });
    expect((await db.runMigrations({ transaction: 'each' })).length).toBe(length);
    expect(await findDrift(db)).toEqual([]);
  });

  it('and a column that only the database has is found', async () => {
    await db.query('ALTER TABLE secrets ADD COLUMN forgotten text');
    expect(await findDrift(db)).toEqual([expect.stringContaining('"forgotten"')]);
  });
});
