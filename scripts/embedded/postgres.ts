import { execFile, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.js';
import { makeReachableFolder } from './places.js';
import { embeddedPostgresBinaries } from './postgres-binaries.js';
import { commandLine, goneWithin, signal } from './process-list.js';
import { serverUser } from './server-user.js';

export interface PostgresOptions {
  /** Holds the cluster, its log and its superuser's password. Made when it isn't there. */
  dataFolder: string;
  /** A free one when left out. */
  port?: number;
  /** Further server settings, such as `{ fsync: 'off' }` in tests. */
  settings?: Readonly<Record<string, string>>;
  /** Gets a line for whatever takes time or is out of the ordinary. */
  log?: (line: string) => void;
  /** How long another launcher is waited for, which may just be stopping; 5 s when left out. */
  waitForOtherMs?: number;
}

export interface PostgresServer {
  pid: number;
  port: number;
  /** The superuser's address of a database. */
  url(database: string): string;
  /** Makes the database when it isn't there, owned by an ordinary role of the same name; answers that role's address. */
  ensureDatabase(name: string): Promise<string>;
  /** Disconnects every client, flushes and ends the server (PostgreSQL's fast shutdown), and waits for it. */
  stop(): Promise<void>;
}

/** Another living launcher uses this cluster; it must be left alone. */
export class PostgresInUse extends Error {
  override readonly name = 'PostgresInUse';
}

const SUPERUSER = 'postgres';
/** Any fixed number will do: the advisory lock that the launcher holds as long as it lives. */
const LAUNCHER_LOCK = 7_154_882_011;
const START_LIMIT_MS = 60_000;

/** Starts the PostgreSQL that comes from npm; see `startPostgres`. */
export async function startEmbeddedPostgres(options: PostgresOptions): Promise<PostgresServer> {
  return startPostgres(await embeddedPostgresBinaries(), options);
}

/**
 * Starts PostgreSQL from `binaries` (the folder with `initdb` and `postgres`) on loopback, and makes its cluster when
 * there is none. A server that a killed launcher left behind is adopted, or replaced when it runs with other settings.
 * It runs in a process group of its own: Ctrl-C must reach the service first, and the database last.
 *
 * @throws {PostgresInUse} when another launcher that uses the same data folder is alive
 */
export async function startPostgres(binaries: string, options: PostgresOptions): Promise<PostgresServer> {
  const { dataFolder, log = () => {} } = options;
  await makeReachableFolder(dataFolder);
  const cluster = join(dataFolder, 'cluster');
  if (!existsSync(join(cluster, 'PG_VERSION'))) await makeCluster(binaries, dataFolder);
  const password = (await readFile(passwordFile(dataFolder), 'utf8')).trim();

  const orphan = await runningServer(cluster);
  if (orphan) {
    const adopted = await adopt(orphan, password, options);
    if (adopted) {
      log(`took over the PostgreSQL (process ${orphan.pid}) that an earlier run left behind`);
      return adopted;
    }
    log(`stopping the PostgreSQL (process ${orphan.pid}) that an earlier run left behind`);
    await stopServer(cluster, orphan.pid);
  }
  await defuseStalePidFile(cluster);
  const running = await launch(binaries, options);
  const lock = await takeLauncherLock(running.port, password, 0);
  if (!lock) throw new PostgresInUse(`Another launcher just took the database in ${dataFolder}.`);
  return serverHandle(cluster, running, password, lock);
}

const passwordFile = (dataFolder: string): string => join(dataFolder, 'superuser-password');
const logFile = (dataFolder: string): string => join(dataFolder, 'postgres.log');

/** initdb works beside the final place, so that a kill in the middle of it leaves no half a cluster behind. */
async function makeCluster(binaries: string, dataFolder: string): Promise<void> {
  const user = serverUser();
  const unfinished = join(dataFolder, 'cluster.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile(dataFolder), password, { mode: 0o600 });
  const passwordForInitdb = join(dataFolder, 'initdb-password');
  await writeFile(passwordForInitdb, password, { mode: 0o600 });
  if (user) {
    await chown(unfinished, user.uid, user.gid);
    await chown(passwordForInitdb, user.uid, user.gid);
  }
  const initdb = join(binaries, 'initdb');
  const args = [
    `--pgdata=${unfinished}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordForInitdb}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    ...(await collation(initdb)),
    '--no-instructions',
  ];
  try {
    await promisify(execFile)(initdb, args, { ...user, cwd: '/', env: serverEnvironment() });
  } finally {
    await rm(passwordForInitdb, { force: true });
  }
  await rename(unfinished, join(dataFolder, 'cluster'));
}

/**
 * Code-point order that is the same on every machine, so that an index survives a move. PostgreSQL 17 brought it
 * built in; before that it came from the C library.
 */
async function collation(initdb: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(initdb, ['--version'], {
    ...serverUser(),
    cwd: '/',
    env: serverEnvironment(),
  });
  const major = Number(/(\d+)/.exec(stdout)?.[1]);
  return major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] : ['--locale=C.UTF-8'];
}

/** Nothing of ours: PGPORT, PGDATA, LC_ALL and the like would change what the server does. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

interface RunningServer {
  pid: number;
  port: number;
  isReady: boolean;
}

/**
 * What `postmaster.pid` says, if it is true: its process must be alive and have been started on this very cluster.
 * Lines of the file: process id, data folder, start time, port, socket folder, address, shared memory key, status.
 */
async function runningServer(cluster: string): Promise<RunningServer | null> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isInteger(pid) || pid <= 0) return null;
  if (commandLine(pid).includes(cluster)) return { pid, port, isReady: lines[7]?.trim() === 'ready' };
  return null;
}

/**
 * A dead server's `postmaster.pid` may hold a process id that is a zombie's or another program's by now, and then
 * PostgreSQL would refuse to start. It never takes its own parent's id, ours, for a rival. The file itself stays,
 * because by the shared memory key in it PostgreSQL finds out that children of the dead server still live.
 */
async function defuseStalePidFile(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  if (lines.length > 1) await writeFile(pidFile, [process.pid, ...lines.slice(1)].join('\n'));
}

async function adopt(
  orphan: RunningServer,
  password: string,
  options: PostgresOptions,
): Promise<PostgresServer | null> {
  if (!orphan.isReady) return null;
  let lock: pg.Client | null;
  try {
    lock = await takeLauncherLock(orphan.port, password, options.waitForOtherMs ?? 5_000);
  } catch {
    // It takes no clients: most likely it is just being stopped.
    return null;
  }
  if (!lock) {
    throw new PostgresInUse(
      `Quartermaster already runs on the database in ${options.dataFolder} (PostgreSQL is process ${orphan.pid}). ` +
        'Stop it first, or set QUARTERMASTER_DATA to another folder for a second one.',
    );
  }
  const askedPort = options.port ?? orphan.port;
  const running = commandLine(orphan.pid);
  if (askedPort === orphan.port && serverSettings(options).every((setting) => running.includes(setting))) {
    return serverHandle(join(options.dataFolder, 'cluster'), orphan, password, lock);
  }
  await lock.end();
  return null;
}

function serverSettings(options: PostgresOptions): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...options.settings,
  };
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`);
}

/** Starts the server and waits until it accepts clients; tries another port when somebody was quicker to take ours. */
async function launch(binaries: string, options: PostgresOptions): Promise<RunningServer> {
  const { dataFolder } = options;
  const cluster = join(dataFolder, 'cluster');
  for (let tries = 1; ; tries++) {
    const port = options.port ?? (await freePort());
    const output = await open(logFile(dataFolder), 'w', 0o600);
    const child = spawn(
      join(binaries, 'postgres'),
      ['-D', cluster, '-p', String(port), ...serverSettings(options).flatMap((setting) => ['-c', setting])],
      { ...serverUser(), cwd: '/', env: serverEnvironment(), detached: true, stdio: ['ignore', output.fd, output.fd] },
    );
    let ended = false;
    let spawnError: Error | undefined;
    child.once('error', (error) => ([ended, spawnError] = [true, error]));
    child.once('exit', () => (ended = true));
    child.unref();
    await output.close();

    const deadline = performance.now() + START_LIMIT_MS;
    while (!ended && performance.now() < deadline) {
      const running = await runningServer(cluster);
      if (running?.isReady && running.pid === child.pid) return running;
      await pause(10);
    }
    if (child.pid) signal(child.pid, 'SIGQUIT');
    const said = spawnError?.message ?? (await readFile(logFile(dataFolder), 'utf8')).trim();
    const portWasTaken = said.includes('Address already in use') && options.port === undefined;
    // The children of a killed server need a moment to notice that it is gone.
    const oldChildrenLive = said.includes('pre-existing shared memory block');
    if (tries >= 10 || !(portWasTaken || oldChildrenLive)) {
      throw new Error(`PostgreSQL did not start in ${dataFolder}:\n${said.split('\n').slice(-15).join('\n')}`);
    }
    await pause(200);
  }
}

async function connect(port: number, password: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: urlOf(port, SUPERUSER, password, 'postgres') });
  // A client without a listener would end our process when the server goes away.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/**
 * The lock lasts as long as its connection, so it needs no cleaning up after a crash: the server sees a killed
 * launcher's connection close. That can take a moment, hence the tries. Null: somebody else holds it.
 */
async function takeLauncherLock(port: number, password: string, withinMs: number): Promise<pg.Client | null> {
  const client = await connect(port, password);
  const deadline = performance.now() + withinMs;
  do {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      LAUNCHER_LOCK,
    ]);
    if (rows[0]?.taken) return client;
    await pause(50);
  } while (performance.now() < deadline);
  await client.end();
  return null;
}

function serverHandle(cluster: string, running: RunningServer, password: string, lock: pg.Client): PostgresServer {
  const { pid, port } = running;
  return {
    pid,
    port,
    url: (database) => urlOf(port, SUPERUSER, password, database),
    async ensureDatabase(name) {
      // Derived, so that it is the same at the next start without a second secret to keep.
      const ownPassword = createHmac('sha256', password).update(name).digest('base64url');
      const [role, secret] = [pg.escapeIdentifier(name), pg.escapeLiteral(ownPassword)];
      const roles = await lock.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
      if (roles.rowCount === 0) await lock.query(`CREATE ROLE ${role} LOGIN PASSWORD ${secret}`);
      const databases = await lock.query('SELECT FROM pg_database WHERE datname = $1', [name]);
      if (databases.rowCount === 0) await lock.query(`CREATE DATABASE ${role} OWNER ${role}`);
      return urlOf(port, name, ownPassword, name);
    },
    async stop() {
      await lock.end().catch(() => {});
      await stopServer(cluster, pid);
    },
  };
}

function urlOf(port: number, user: string, password: string, database: string): string {
  return `postgresql://${encodeURIComponent(user)}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one (recovery happens at the next start). */
async function stopServer(cluster: string, pid: number): Promise<void> {
  const isGone = () => !commandLine(pid).includes(cluster);
  for (const [name, withinMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (isGone()) return;
    signal(pid, name);
    if (await goneWithin(withinMs, isGone)) return;
  }
  throw new Error(`PostgreSQL (process ${pid}) can't be stopped`);
}
