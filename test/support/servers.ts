import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres, startPostgres, type PostgresServer } from '../../scripts/embedded/postgres.js';
import { clearAbandonedRuns, endEverything, makeRunFolder, makeServersFolder, PROCESS_RECORD } from './run-folder.js';

/** The versions of PostgreSQL that the suites run on: the oldest supported one, from Debian, and the embedded one. */
export type PostgresVersion = 15 | 18;

declare module 'vitest' {
  export interface ProvidedContext {
    /** Everything that this run makes on disk; it is removed at the end. */
    runFolder: string;
    /** The superuser's address of each server's `postgres` database; null where that version isn't installed. */
    postgres15: string | null;
    postgres18: string;
  }
}

const DEBIAN_POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** Tests survive no power cut, so nothing is flushed. */
const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_wal_size: '256MB',
};

/** vitest's global set-up: real servers, once for a whole run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await clearAbandonedRuns();
  const runFolder = await makeRunFolder();
  const inMemory = await makeServersFolder();
  const data = inMemory ?? runFolder;
  const embedded = startEmbeddedPostgres({ dataFolder: join(data, 'postgres-18'), settings: FAST });
  const debian = existsSync(join(DEBIAN_POSTGRES_15, 'initdb'))
    ? startPostgres(DEBIAN_POSTGRES_15, { dataFolder: join(data, 'postgres-15'), settings: FAST })
    : null;
  const postgres15 = await debian;
  const postgres18 = await embedded;
  const servers = [postgres15, postgres18].filter((server) => server !== null);
  await recordServers(runFolder, data, servers);

  project.provide('runFolder', runFolder);
  project.provide('postgres15', postgres15?.url('postgres') ?? null);
  project.provide('postgres18', postgres18.url('postgres'));
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await endEverything(runFolder);
    if (inMemory) await endEverything(inMemory);
  };
}

/** So that the next run ends them, should this one be killed before it can. */
async function recordServers(runFolder: string, data: string, servers: readonly PostgresServer[]): Promise<void> {
  const lines = servers.map((server) => `${server.pid} ${data}\n`);
  await appendFile(join(runFolder, PROCESS_RECORD), lines.join(''));
}
