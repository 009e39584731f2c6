import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from './embedded/postgres.js';
import { runCli } from './run-cli.js';

/**
 * Proves on a database of its own that the migrations make exactly the tables that the entities describe, from empty
 * and again after the newest one was taken back, and that the committed OpenAPI document, the tables of connectors and roles and
 * the runbook's page are what the code says.
 */
const dataFolder = join(tmpdir(), `quartermaster-drift-${randomUUID()}`);
const server = await startEmbeddedPostgres({ dataFolder, settings: { fsync: 'off' } });
try {
  const env = {
    DATABASE_URL: await server.ensureDatabase('quartermaster'),
    REDIS_URL: undefined,
    // Nobody has to have one here: nothing is stored.
    QUARTERMASTER_KEY_FILE: join(dataFolder, 'no-keys'),
  };
  const tables = ['migrate up', 'check-drift', 'migrate down', 'migrate up', 'check-drift'];
  for (const command of [
    ...tables,
    'openapi --check',
    'connectors --check',
    'roles matrix --check',
    'runbook document --check',
  ]) {
    console.log(`quartermaster ${command}`);
    await runCli(command.split(' '), env);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await server.stop();
  await rm(dataFolder, { recursive: true, force: true });
}
