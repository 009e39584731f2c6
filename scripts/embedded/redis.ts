import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { chown, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { makeReachableFolder } from './places.js';
import { commandLine, goneWithin, signal } from './process-list.js';
import { serverUser } from './server-user.js';

export interface RedisOptions {
  dataFolder: string;
  /** A free one when left out. */
  port?: number;
  /** Keeps an append-only file, so that a restart doesn't empty it. Off: everything is gone when the server ends. */
  appendOnly?: boolean;
}

export interface RedisServer {
  pid: number;
  port: number;
  url: string;
  stop(): Promise<void>;
}

/** The path of `redis-server` or `valkey-server`, or null where neither is installed. */
export function redisProgram(): string | null {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
      const program = join(folder, name);
      try {
        accessSync(program, constants.X_OK);
        return program;
      } catch {
        // Not in this folder.
      }
    }
  }
  return null;
}

/**
 * Starts a Redis (or Valkey) on loopback with a random password, in a process group of its own. `noeviction`, because
 * BullMQ loses jobs with every other policy. One that a killed launcher left behind is stopped first. Answers null
 * when none is installed.
 */
export async function startRedis(options: RedisOptions): Promise<RedisServer | null> {
  const program = redisProgram();
  if (!program) return null;
  const folder = options.dataFolder;
  const files = join(folder, 'files');
  const configFile = join(folder, 'redis.conf');
  const pidFile = join(files, 'redis.pid');
  await makeReachableFolder(folder);
  await mkdir(files, { recursive: true, mode: 0o700 });

  const orphan = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (orphan > 0) await stopRedis(orphan, configFile);

  const port = options.port ?? (await freePort());
  const password = randomBytes(24).toString('base64url');
  // A file, since a command line can be read by every user of the machine. The title carries its path, which is how
  // we know our own server again.
  const config = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${files}"`,
    `pidfile "${pidFile}"`,
    'proc-title-template "{title} {listen-addr} {config-file}"',
    'maxmemory-policy noeviction',
    'save ""',
    `appendonly ${options.appendOnly ? 'yes' : 'no'}`,
  ];
  await writeFile(configFile, `${config.join('\n')}\n`, { mode: 0o600 });
  const user = serverUser();
  if (user) for (const path of [files, configFile]) await chown(path, user.uid, user.gid);

  const logPath = join(folder, 'redis.log');
  const output = await open(logPath, 'w', 0o600);
  const child = spawn(program, [configFile], {
    ...user,
    cwd: '/',
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  const state = { ended: false };
  child.once('error', () => (state.ended = true));
  child.once('exit', () => (state.ended = true));
  child.unref();
  await output.close();

  const url = `redis://:${password}@127.0.0.1:${port}`;
  const deadline = performance.now() + 15_000;
  while (!state.ended && performance.now() < deadline) {
    if (child.pid && (await answers(url))) {
      const { pid } = child;
      return { pid, port, url, stop: () => stopRedis(pid, configFile) };
    }
    await pause(10);
  }
  if (child.pid) signal(child.pid, 'SIGKILL');
  throw new Error(
    `${program} did not start:\n${(await readFile(logPath, 'utf8')).trim().split('\n').slice(-10).join('\n')}`,
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

async function stopRedis(pid: number, configFile: string): Promise<void> {
  const isGone = () => !commandLine(pid).includes(configFile);
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    if (isGone()) return;
    signal(pid, name);
    if (await goneWithin(5_000, isGone)) return;
  }
  throw new Error(`Redis (process ${pid}) can't be stopped`);
}
