import { fork, type ChildProcess } from 'node:child_process';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cloneFolder } from './embedded/places.js';

export interface ServiceOptions {
  databaseUrl: string;
  /** Null: standard lanes run on PostgreSQL alone. */
  redisUrl: string | null;
  keyFile: string;
  port: number;
  /** Further variables for the processes, such as ACCESS_POLICY_FILE or LOG_LEVEL. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Gets each line that a process writes, and what the supervisor itself has to say (`name` is `supervisor`). */
  onLine?: (name: ServiceProcessName | 'supervisor', line: string) => void;
  /** Gives up starting, and ends what was started. */
  signal?: AbortSignal;
}

export type ServiceProcessName = 'api' | 'worker' | 'emergency';

export interface ServiceProcess {
  readonly name: ServiceProcessName;
  /** Changes with each restart; undefined while there is none. */
  readonly pid: number | undefined;
}

export interface Service {
  baseUrl: string;
  children: readonly ServiceProcess[];
  /** Asks every process to end, and kills what hasn't within 8 s. Can be called twice. */
  stop(): Promise<void>;
}

const PROCESSES: readonly { name: ServiceProcessName; program: string; args: readonly string[] }[] = [
  { name: 'api', program: 'dist/src/api.main.js', args: [] },
  { name: 'worker', program: 'dist/src/worker.main.js', args: ['--lanes', 'standard,bulk'] },
  { name: 'emergency', program: 'dist/src/worker.main.js', args: ['--lanes', 'emergency'] },
];

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** A process that lived this long was well: its next restart is quick again. */
const STEADY_MS = 10_000;
const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 8_000;

/**
 * Starts the service's processes, restarts those that die, and answers once `/health/ready` does. Each is tied to us by
 * an IPC channel: it ends when the channel closes, so that not even a SIGKILL of this process leaves one behind.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { onLine = () => {}, port } = options;
  const host = options.env?.['HOST'] ?? (process.env['HOST'] || '127.0.0.1');
  const hasTls = Boolean(options.env?.['TLS_CERT_FILE'] ?? process.env['TLS_CERT_FILE']);
  const scheme = hasTls ? 'https' : 'http';
  const baseUrl = `${scheme}://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;
  const env: NodeJS.ProcessEnv = {
    PUBLIC_URL: `${scheme}://localhost:${port}`,
    ...process.env,
    HOST: host,
    ...options.env,
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl ?? undefined,
    QUARTERMASTER_KEY_FILE: options.keyFile,
    PORT: String(port),
    QUARTERMASTER_PARENT: 'ipc',
  };
  // Recovery keys open in the API server alone; a worker that has their identity refuses to start.
  const workersEnv = { ...env, RECOVERY_IDENTITY_FILE: undefined };
  const children = PROCESSES.map((one) =>
    superviseProcess({ ...one, env: one.name === 'api' ? env : workersEnv, onLine }),
  );
  const stop = async () => void (await Promise.all(children.map((child) => child.stop())));
  try {
    await becomesReady(`${baseUrl}/health/ready`, children, options.signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { baseUrl, children, stop };
}

interface SupervisedProcess extends ServiceProcess {
  /** How it ended the last time, if it did. */
  readonly lastEnding: string | null;
  stop(): Promise<void>;
}

function superviseProcess(options: {
  name: ServiceProcessName;
  program: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  onLine: NonNullable<ServiceOptions['onLine']>;
}): SupervisedProcess {
  const { name, onLine } = options;
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let lastEnding: string | null = null;

  const keepRunning = async (): Promise<void> => {
    let restartPause = FIRST_PAUSE_MS;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      child = fork(join(cloneFolder(), options.program), options.args, {
        env: options.env,
        cwd: cloneFolder(),
        execArgv: ['--enable-source-maps'],
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        // A group of its own: Ctrl-C reaches the supervisor only, which then ends everything in the right order.
        detached: true,
      });
      const ending = await untilEnd(child, (line) => onLine(name, line));
      child = undefined;
      if (stopping.signal.aborted) return;
      lastEnding = ending;
      if (performance.now() - startedAt > STEADY_MS) restartPause = FIRST_PAUSE_MS;
      onLine('supervisor', `${name} ended (${ending}); it is restarted in ${restartPause / 1000} s`);
      await pause(restartPause, undefined, { signal: stopping.signal }).catch(() => {});
      restartPause = Math.min(restartPause * 2, LONGEST_PAUSE_MS);
    }
  };
  const ended = keepRunning();

  return {
    name,
    get pid() {
      return child?.pid;
    },
    get lastEnding() {
      return lastEnding;
    },
    async stop() {
      stopping.abort();
      child?.kill('SIGTERM');
      const patience = setTimeout(() => {
        onLine('supervisor', `${name} didn't end within ${STOP_LIMIT_MS / 1000} s and is killed`);
        child?.kill('SIGKILL');
      }, STOP_LIMIT_MS);
      await ended;
      clearTimeout(patience);
    },
  };
}

function untilEnd(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  for (const stream of [child.stdout, child.stderr]) if (stream) eachLine(stream, onLine);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  stream.on('end', () => rest && onLine(rest));
}

async function becomesReady(url: string, children: readonly SupervisedProcess[], signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    signal?.throwIfAborted();
    // Exit code 2 is a refusal: wrong settings, another key than the database's. A restart can't mend it.
    const refusing = children.find((child) => child.lastEnding === 'exit code 2');
    if (refusing) throw new Error(`${refusing.name} refused to start; its last lines say why`);
    if (await answersWell(url)) return;
    await pause(50);
  }
  throw new Error(`the service wasn't ready within ${READY_LIMIT_MS / 1000} s (${url})`);
}

/** Asks our own child on this machine, so its certificate is for the name that others call it by, and isn't checked. */
function answersWell(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { agent: false, timeout: 2_000 } as const;
    const onAnswer = (answer: { statusCode?: number; resume(): void }): void => {
      answer.resume();
      resolve(answer.statusCode === 200);
    };
    const request = url.startsWith('https:')
      ? getHttps(url, { ...options, rejectUnauthorized: false }, onAnswer)
      : getHttp(url, options, onAnswer);
    request.on('error', () => resolve(false));
    request.on('timeout', () => request.destroy());
  });
}
