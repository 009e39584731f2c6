import { globSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { commandLine } from '../../scripts/embedded/process-list.js';
import { createTestDatabase, hasPostgres, type TestDatabase } from './database.js';
import { startProcess } from './processes.js';
import { hasRedis, startTestRedis } from './redis.js';
import { APART, NEEDS_TO_BE_APART, SHARE_A_PROCESS } from './specs-apart.js';
import { waitFor } from './wait-for.js';

describe.each([15, 18] as const)('a test database on PostgreSQL %i', (version) => {
  async function ask(database: TestDatabase, sql: string): Promise<Record<string, unknown> | undefined> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows[0];
    } finally {
      await client.end();
    }
  }

  it.skipIf(!hasPostgres(version))('is migrated, its own, and opened by an ordinary role', async () => {
    const [one, other] = await Promise.all([createTestDatabase(version), createTestDatabase(version)]);
    try {
      const facts = await ask(
        one,
        `SELECT current_setting('server_version_num')::int / 10000 AS version, rolsuper AS superuser,
                (SELECT count(*) > 0 FROM schema_migrations) AS migrated
         FROM pg_roles WHERE rolname = current_user`,
      );
      expect(facts).toEqual({ version, superuser: false, migrated: true });
      await ask(one, 'CREATE TABLE only_here ()');
      expect(await ask(other, "SELECT to_regclass('only_here') AS found")).toEqual({ found: null });
    } finally {
      await one.drop();
      await other.drop();
    }
  });
});

describe.skipIf(!hasRedis())('a test Redis', () => {
  it('ends when it is told to', async () => {
    const redis = await startTestRedis();
    expect(commandLine(redis.pid)).toContain(inject('runFolder'));
    await redis.stop();
    expect(commandLine(redis.pid)).toBe('');
  });
});

describe('a test process', () => {
  it('tells what it wrote, when it ended instead of doing what was waited for', async () => {
    const program = startProcess({ program: 'dist/src/cli.main.js', args: ['no-such-command'] });
    await expect(program.waitForLine(/never written/)).rejects.toThrow(/ended.*unknown command/s);
  });

  it('is gone once it was killed', async () => {
    const program = startProcess({ program: 'dist/test/support/idle.js' });
    await program.waitForLine(/^idle$/);
    expect(await program.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    await waitFor('the process is gone', () => commandLine(program.pid) === '');
  });
});

describe('specs that share a process', () => {
  const needsToBeApart = (spec: string) => NEEDS_TO_BE_APART.test(readFileSync(join(cloneFolder(), spec), 'utf8'));

  it('are all but those that read the log or change what all of a process see', () => {
    const sharing = globSync(SHARE_A_PROCESS, { cwd: cloneFolder(), exclude: [...APART] });
    expect(sharing.length).toBeGreaterThan(50);
    expect(sharing.filter(needsToBeApart), 'list them in test/support/specs-apart.ts').toEqual([]);
    expect(
      APART.filter((spec) => !needsToBeApart(spec)),
      'these may share one',
    ).toEqual([]);
  });
});
