import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { embeddedPostgresBinaries } from '../../../scripts/embedded/postgres-binaries.js';
import { startPostgres, type PostgresServer } from '../../../scripts/embedded/postgres.js';
import { commandLine, goneWithin, parentOf, signal } from '../../../scripts/embedded/process-list.js';
import { runsAsRoot } from '../../../scripts/embedded/server-user.js';
import { SMALL_DISK } from './run-folder.js';

const run = promisify(execFile);

/** A commit must outlive a crash of the server, which `synchronous_commit` sees to; a power cut isn't tried here. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '150',
  deadlock_timeout: '500ms',
  max_wal_size: '192MB',
  // When a hold was committed is told by nothing else: `now()` is when its transaction began.
  track_commit_timestamp: 'on',
};
const DISK_MB = 640;

/** A PostgreSQL of this run's own, which may be frozen, crashed, starved of disk and brought back. */
export class PostgresUnderTest {
  private watching = true;
  private ending = false;
  private filler: FileHandle | undefined;
  private refilling: NodeJS.Timeout | undefined;

  private constructor(
    private server: PostgresServer,
    private readonly binaries: string,
    private readonly folder: string,
    /** Whether its data lie on a small disk of their own, which can be filled. */
    readonly hasOwnDisk: boolean,
    /** Hears of each of its lives. */
    private readonly onStart: (pid: number) => void,
  ) {
    onStart(server.pid);
  }

  static async start(folder: string, onStart: (pid: number) => void): Promise<PostgresUnderTest> {
    await mkdir(folder, { recursive: true });
    const hasOwnDisk = runsAsRoot() && process.platform === 'linux' && (await mountSmallDisk(folder));
    const binaries = await embeddedPostgresBinaries();
    const server = await startPostgres(binaries, { dataFolder: join(folder, 'data'), settings: SETTINGS });
    const postgres = new PostgresUnderTest(server, binaries, folder, hasOwnDisk, onStart);
    void postgres.keepAlive();
    return postgres;
  }

  /** The superuser's address. */
  url(database: string): string {
    return this.server.url(database);
  }

  /** Makes a database with a role of the same name; answers that role's address. */
  async createDatabase(name: string): Promise<string> {
    return this.server.ensureDatabase(name);
  }

  /** A copy that belongs to the template's role; nobody may be connected to the template. Answers the role's address. */
  async copyDatabase(templateUrl: string, name: string): Promise<string> {
    const url = new URL(templateUrl);
    const template = url.pathname.slice(1);
    await this.asSuperuser('postgres', async (client) => {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${url.username} STRATEGY file_copy`);
    });
    url.pathname = `/${name}`;
    return url.href;
  }

  async dropDatabase(name: string): Promise<void> {
    await this.asSuperuser('postgres', (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
  }

  async asSuperuser<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** All of its processes stand still; its sockets stay open. */
  freeze(): void {
    for (const pid of this.processes()) signal(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.processes()) signal(pid, 'SIGCONT');
  }

  /** @param how `fast` says goodbye to its clients; `crash` doesn't, and recovers from its log at the next start. */
  async goAway(how: 'fast' | 'crash'): Promise<void> {
    this.watching = false;
    signal(this.server.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await goneWithin(15_000, () => this.isGone());
  }

  async comeBack(): Promise<void> {
    const { port } = this.server;
    this.server = await startPostgres(this.binaries, {
      dataFolder: join(this.folder, 'data'),
      port,
      settings: SETTINGS,
    });
    this.onStart(this.server.pid);
    this.watching = true;
  }

  async terminateBackends(database: string): Promise<number> {
    return this.asSuperuser('postgres', async (client) => {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`,
        [database],
      );
      return rowCount ?? 0;
    });
  }

  /** Leaves not one block free, and takes what gets free meanwhile, until `freeDisk`. */
  async fillDisk(): Promise<void> {
    const filler = await open(join(this.folder, 'filler'), 'w');
    const chunk = Buffer.alloc(256 * 1024);
    const fill = async (): Promise<void> => {
      for (const size of [chunk.length, 4_096]) {
        while ((await filler.write(chunk, 0, size).catch(() => null)) !== null);
      }
    };
    await fill();
    this.refilling = setInterval(() => void fill(), 200);
    this.filler = filler;
  }

  async freeDisk(): Promise<void> {
    clearInterval(this.refilling);
    await this.filler?.close();
    await rm(join(this.folder, 'filler'), { force: true });
  }

  async stop(): Promise<void> {
    this.ending = true;
    this.thaw();
    await this.server.stop().catch(() => undefined);
    if (this.hasOwnDisk) await run('umount', ['--lazy', this.folder]).catch(() => undefined);
  }

  /** What a service manager does: a server that ended by itself is started again. */
  private async keepAlive(): Promise<void> {
    while (!this.ending) {
      await pause(250);
      if (this.watching && !this.ending && this.isGone()) await this.comeBack().catch(() => undefined);
    }
  }

  private isGone(): boolean {
    return !commandLine(this.server.pid).includes(this.folder);
  }

  private processes(): number[] {
    const { pid } = this.server;
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return [pid, ...all.map(Number).filter((one) => parentOf(one) === pid)];
  }
}

async function mountSmallDisk(folder: string): Promise<boolean> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0755`, SMALL_DISK, folder]);
    return true;
  } catch {
    return false;
  }
}
