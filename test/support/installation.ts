import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { createFilledDatabase, type TestDatabase } from './database.js';
import { programEnv } from './processes.js';

const run = promisify(execFile);

/** The token may do what the tests of the engine ask for. */
const SCOPES = [
  'people:read,people:write,tools:read,tools:write,accounts:read,accounts:hand-over,devices:read,devices:write,cases:read',
  'cases:write,lost-devices:report,credentials:reset,access:restore,steps:decide,hr-events:read,policy:read,alerts:read',
  'brakes:write,audit:read',
].join(',');

export interface TestInstallation {
  database: TestDatabase;
  token: string;
  /** Of the HR source `hr`. */
  hrSecret: string;
}

/** Runs the built command line, as somebody at a terminal would. */
export async function runBuiltCli(args: readonly string[], env: Record<string, string>): Promise<string> {
  const program = join(cloneFolder(), 'dist/src/cli.main.js');
  const { stdout } = await run(process.execPath, [program, ...args], { env: { ...programEnv(), ...env } });
  return stdout;
}

/**
 * An installation of the caller's own with a token and an HR source: set up by the command line once in a run, which takes
 * seconds, and copied from then on.
 * @param keyFile where its key is put
 */
export async function createTestInstallation(keyFile: string): Promise<TestInstallation> {
  const folder = join(inject('runFolder'), 'installation');
  const place = (name: string) => join(folder, name);
  const database = await createFilledDatabase('quartermaster_installation', async (url) => {
    // What is there was left by somebody who didn't come to an end.
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    const env = {
      DATABASE_URL: url,
      QUARTERMASTER_KEY_FILE: place('key'),
      QUARTERMASTER_ENVIRONMENT: 'test',
    };
    await runBuiltCli(['init'], env);
    const create = ['token', 'create', '--name', 'tests', '--scopes', SCOPES, '--service', 'tests'];
    await writeFile(place('token'), (await runBuiltCli(create, env)).trim());
    await writeFile(place('hr-secret'), (await runBuiltCli(['hr-source', 'add', 'hr'], env)).trim());
  });
  await copyFile(place('key'), keyFile);
  return {
    database,
    token: await readFile(place('token'), 'utf8'),
    hrSecret: await readFile(place('hr-secret'), 'utf8'),
  };
}
