import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { waitFor } from '../../test/support/wait-for.js';
import { PostgresInUse, startEmbeddedPostgres, type PostgresServer } from './postgres.js';
import { commandLine, signal } from './process-list.js';

describe('embedded PostgreSQL', () => {
  let dataFolder: string;
  let server: PostgresServer | undefined;

  beforeEach(() => {
    dataFolder = join(inject('runFolder'), `embedded-${randomUUID()}`);
  });
  afterEach(() => server?.stop());

  const start = async (settings?: Record<string, string>) =>
    (server = await startEmbeddedPostgres({ dataFolder, settings: { fsync: 'off', ...settings } }));

  async function query(url: string, sql: string): Promise<Record<string, unknown> | undefined> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows[0];
    } finally {
      await client.end();
    }
  }

  /** To the server, a killed launcher is a connection that ends. */
  async function loseLauncher(url: string): Promise<void> {
    await query(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
  }

  it('keeps its data over a stop and a start, and stops completely', async () => {
    const first = await start();
    const url = await first.ensureDatabase('records');
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(commandLine(first.pid)).toBe('');

    const second = await start();

    expect(await query(await second.ensureDatabase('records'), 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('gives each database an owner of its own that is no superuser', async () => {
    const url = await (await start()).ensureDatabase('records');
    const me = await query(url, 'SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user');
    expect(me).toEqual({ rolname: 'records', rolsuper: false });
  });

  it('refuses a second launcher while the first lives', async () => {
    const first = await start();
    await expect(startEmbeddedPostgres({ dataFolder, waitForOtherMs: 200 })).rejects.toThrow(PostgresInUse);
    expect(await query(first.url('postgres'), 'SELECT 1 AS lives')).toEqual({ lives: 1 });
  });

  it('takes over the server that a killed launcher left behind', async () => {
    const first = await start();
    await loseLauncher(first.url('postgres'));

    const second = await start();

    expect(second.pid).toBe(first.pid);
    expect(second.url('postgres')).toBe(first.url('postgres'));
  });

  it('replaces a server left behind that runs with other settings', async () => {
    const first = await start();
    await loseLauncher(first.url('postgres'));

    const second = await start({ work_mem: '7MB' });

    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.url('postgres'), 'SHOW work_mem')).toEqual({ work_mem: '7MB' });
  });

  it("starts over a killed server's pid file, even when another program has that process id by now", async () => {
    const first = await start();
    signal(first.pid, 'SIGKILL');
    await waitFor('the killed server is gone', () => commandLine(first.pid) === '');
    const pidFile = join(dataFolder, 'cluster', 'postmaster.pid');
    const stale = await readFile(pidFile, 'utf8');
    await writeFile(pidFile, stale.replace(/^\d+/, String(process.ppid)));

    const second = await start();

    expect(await query(second.url('postgres'), 'SELECT 1 AS lives')).toEqual({ lives: 1 });
  });
});
