import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createDataSource } from '../../src/data-source.js';
import type { PostgresVersion } from './servers.js';

export interface TestDatabase {
  /** The address, as an ordinary role that owns the database and nothing else: what an installation has. */
  url: string;
  /** The superuser's address of the same database, for faults such as ending other people's sessions. */
  superuserUrl: string;
  drop(): Promise<void>;
}

const OWNER = 'quartermaster';
const OWNER_PASSWORD = 'only-in-tests';
/** Any fixed number: held while a template is made. */
const TEMPLATE_LOCK = 7_154_882_012;

/** The version that database suites run on: 18, or what QM_TEST_POSTGRES says in the second pass of `npm test`. */
export function defaultPostgresVersion(): PostgresVersion {
  return process.env['QM_TEST_POSTGRES'] === '15' ? 15 : 18;
}

/** Whether this version's server is installed; a suite that needs it and doesn't find it is skipped by name. */
export function hasPostgres(version: PostgresVersion): boolean {
  return serverUrl(version) !== null;
}

/** A database that others are copied from: made by the first that needs it, once in a run. */
export interface Template {
  name: string;
  /** What it is a copy of itself. */
  from?: Template;
  fill: (url: string) => Promise<void>;
}

const MIGRATED: Template = {
  name: 'quartermaster_template',
  async fill(url) {
    const source = await createDataSource({ url, applicationName: 'test-template', poolSize: 1 }).initialize();
    await source.runMigrations().finally(() => source.destroy());
  },
};

/** A database of the caller's own with all migrations applied; copied from a template, which takes some 50 ms. */
export async function createTestDatabase(version = defaultPostgresVersion()): Promise<TestDatabase> {
  return createDatabase(version, MIGRATED);
}

/** A database of the caller's own without anything in it, for tests of the migrations themselves. */
export async function createEmptyDatabase(version = defaultPostgresVersion()): Promise<TestDatabase> {
  return createDatabase(version, null);
}

/** A database of the caller's own that holds what `fill` put into a migrated one. */
export async function createFilledDatabase(name: string, fill: Template['fill']): Promise<TestDatabase> {
  return createDatabase(defaultPostgresVersion(), { name, from: MIGRATED, fill });
}

async function createDatabase(version: PostgresVersion, template: Template | null): Promise<TestDatabase> {
  const server = serverUrl(version);
  if (!server) throw new Error(`PostgreSQL ${version} isn't installed: apt-get install postgresql-${version}`);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(server, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await makeOwnerOnce(client);
    if (template) await makeTemplateOnce(client, server, template);
    await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
    await client.query(
      `CREATE DATABASE ${name} TEMPLATE ${template?.name ?? 'template0'} OWNER ${OWNER} STRATEGY file_copy`,
    );
  });
  return {
    url: databaseUrl(server, name, true),
    superuserUrl: databaseUrl(server, name, false),
    drop: () => asSuperuser(server, async (client) => void (await client.query(`DROP DATABASE ${name} WITH (FORCE)`))),
  };
}

function serverUrl(version: PostgresVersion): string | null {
  return version === 15 ? inject('postgres15') : inject('postgres18');
}

function databaseUrl(server: string, database: string, asOwner: boolean): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (asOwner) [url.username, url.password] = [OWNER, OWNER_PASSWORD];
  return url.href;
}

/** Test files run in several processes: the first that needs the template makes it, the others wait for it. */
async function makeTemplateOnce(client: pg.Client, server: string, { name, from, fill }: Template): Promise<void> {
  const made = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (made.rowCount !== 0) return;
  if (from) await makeTemplateOnce(client, server, from);
  const unfinished = `${name}_unfinished`;
  await client.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${unfinished} ${from ? `TEMPLATE ${from.name}` : ''} OWNER ${OWNER}`);
  await fill(databaseUrl(server, unfinished, true));
  await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${name}`);
}

async function makeOwnerOnce(client: pg.Client): Promise<void> {
  const role = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [OWNER]);
  if (role.rowCount === 0) await client.query(`CREATE ROLE ${OWNER} LOGIN PASSWORD '${OWNER_PASSWORD}'`);
}

async function asSuperuser<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
