import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { makeReachableFolder, quartermasterDataFolder } from '../../../scripts/embedded/places.js';
import { startEmbeddedPostgres, type PostgresServer } from '../../../scripts/embedded/postgres.js';
import { runCli } from '../../../scripts/run-cli.js';
import { SCOPES } from '../../../src/platform/sign-in/actor.js';

/** How the bench's PostgreSQL differs from one as it comes. Commits are durable: `fsync` and all else is left alone. */
export const POSTGRES_SETTINGS = {
  /** So that "after the commit" is the commit's own instant. */
  track_commit_timestamp: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '200',
} as const;

const TEMPLATE = 'bench_template';

/** Durable PostgreSQL of the bench's own, with an initialised, empty installation to copy databases from. */
export class Stage {
  private readonly stops: (() => Promise<void>)[] = [];
  private databases = 0;

  private constructor(
    readonly folder: string,
    private server: PostgresServer,
  ) {}

  readonly keyFile = () => join(this.folder, 'key.json');
  readonly policyFile = () => join(this.folder, 'access-policy.yaml');
  token = '';
  hrSecret = '';

  static async start(): Promise<Stage> {
    const folder = join(quartermasterDataFolder(), `bench-${process.pid}-${randomBytes(3).toString('hex')}`);
    await makeReachableFolder(folder);
    const stage = new Stage(folder, await startPostgres(folder));
    try {
      await stage.prepare();
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  private async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(this.policyFile(), policy());
    const env = this.env(await this.server.ensureDatabase(TEMPLATE));
    await runCli(['migrate', 'up'], env);
    await runCli(['init'], env);
    const create = ['token', 'create', '--name', 'bench', '--service', 'bench', '--scopes', SCOPES.join(',')];
    this.token = (await runCli(create, env)).trim();
    this.hrSecret = (await runCli(['hr-source', 'add', 'hr'], env)).trim();
    // One source posts more than any company's HR system does in an hour.
    await runCli(
      ['brakes', 'limit', 'leaves,removals,grants,restorations', '--at-least', '1000000', '--share', '100'],
      env,
    );
  }

  /** What a process of the service needs beside its own port. */
  env(databaseUrl: string): Record<string, string> {
    return {
      DATABASE_URL: databaseUrl,
      QUARTERMASTER_KEY_FILE: this.keyFile(),
      QUARTERMASTER_ENVIRONMENT: 'test',
      ACCESS_POLICY_FILE: this.policyFile(),
      IMAGE_STORE: join(this.folder, 'images'),
      LOG_LEVEL: 'error',
      // One token asks for more than any person's does in a minute.
      RATE_LIMIT_REQUESTS: '0',
    };
  }

  /** A database of its own, a copy of the template or of another one that nobody is connected to. */
  async database(from = TEMPLATE): Promise<BenchDatabase> {
    const name = `bench_${(this.databases += 1)}`;
    const admin = new pg.Client({ connectionString: this.server.url('postgres') });
    await admin.connect();
    try {
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${from} OWNER ${TEMPLATE} STRATEGY file_copy`);
    } finally {
      await admin.end();
    }
    const owner = new URL(await this.server.ensureDatabase(TEMPLATE));
    owner.pathname = `/${name}`;
    const pool = new pg.Pool({ connectionString: this.server.url(name), max: 8 });
    pool.on('error', () => undefined);
    return new BenchDatabase(name, owner.href, pool, () => this.drop(name, pool));
  }

  private async drop(name: string, pool: pg.Pool): Promise<void> {
    await pool.end();
    const admin = new pg.Client({ connectionString: this.server.url('postgres') });
    await admin.connect();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`).finally(() => admin.end());
  }

  /** PostgreSQL goes away, as in a restart: every client is disconnected. */
  async stopPostgres(): Promise<void> {
    await this.server.stop();
  }

  /** It comes back at the same address; answered when it takes clients. */
  async startPostgresAgain(): Promise<void> {
    this.server = await startPostgres(this.folder, this.server.port);
  }

  onStop(stop: () => Promise<void>): void {
    this.stops.push(stop);
  }

  async stop(): Promise<void> {
    for (let stop = this.stops.pop(); stop; stop = this.stops.pop()) await stop().catch(() => undefined);
    await this.server.stop().catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One of the bench's databases: the owner's address for the service, and a superuser's pool for the bench. */
export class BenchDatabase {
  constructor(
    readonly name: string,
    readonly url: string,
    readonly pool: pg.Pool,
    readonly drop: () => Promise<void>,
  ) {}

  async rows<Row extends pg.QueryResultRow>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, parameters)).rows;
  }

  /** The first column of the only row. */
  async value<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    const [row] = (await this.pool.query<Record<string, T>>(sql, parameters)).rows;
    const [value] = Object.values(row ?? {});
    if (value === undefined) throw new Error(`no row: ${sql}`);
    return value;
  }
}

function startPostgres(folder: string, port?: number): Promise<PostgresServer> {
  return startEmbeddedPostgres({ dataFolder: join(folder, 'postgres'), settings: POSTGRES_SETTINGS, port });
}

/** Everybody in engineering has an account at four tools; the others are for the losses. */
function policy(): string {
  const tools = Array.from({ length: 4 }, (_, index) => `      - tool: tool-${index}`);
  return [
    'corporateDomains: [acme.example]',
    'rules:',
    '  - name: engineering',
    '    when: { department: engineering }',
    '    tools:',
    ...tools,
    '',
  ].join('\n');
}
