import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { signal } from '../../scripts/embedded/process-list.js';
import { PROCESS_RECORD } from './run-folder.js';
import { waitFor } from './wait-for.js';

export interface TestProcess {
  pid: number;
  /** What it wrote so far to both of its outputs. */
  output(): string;
  /** Waits for a line that matches, and answers the match; lines from before the call count too. */
  waitForLine(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Waits until a GET of `url` answers with `status`. */
  waitForHttp(url: string, status?: number, withinMs?: number): Promise<void>;
  /** Sends the signal and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Ending>;
  /** Sends the signal and doesn't wait: SIGSTOP, SIGCONT. */
  send(signal: NodeJS.Signals): void;
  ended: Promise<Ending>;
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ProcessOptions {
  /** Relative to the clone, as in `dist/src/api.main.js`: `npm test` builds first. */
  program: string;
  args?: readonly string[];
  /** Everything but PATH: a variable of the developer's own must not change a test. Undefined leaves one out. */
  env?: Readonly<Record<string, string | undefined>>;
}

/**
 * What each of our programs is started with. A start is mostly the compilation of what it loads, which those that end
 * by themselves leave for the others.
 */
export function programEnv(): Record<string, string | undefined> {
  return { PATH: process.env['PATH'], NODE_COMPILE_CACHE: join(inject('runFolder'), 'compiled') };
}

const started = new Set<number>();
process.on('exit', () => started.forEach((pid) => signal(pid, 'SIGKILL')));

/**
 * Starts one of the built programs with the Node that runs the tests. It never outlives them: it is killed when the
 * test file's process ends, and once more, by the record of the run, at the end of the run.
 */
export function startProcess(options: ProcessOptions): TestProcess {
  const program = join(cloneFolder(), options.program);
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...(options.args ?? [])], {
    cwd: cloneFolder(),
    env: { ...programEnv(), NODE_ENV: 'test', ...options.env },
    // The channel tells the program that its parent is gone, should the tests be killed.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const { pid } = child;
  if (!pid) throw new Error(`${program} can't be started`);
  started.add(pid);
  appendFileSync(join(inject('runFolder'), PROCESS_RECORD), `${pid} ${program}\n`);

  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    child.once('close', (code, signalName) => {
      started.delete(pid);
      ending = { code, signal: signalName };
      resolve(ending);
    });
  });
  /** A dead process won't ever meet the condition: that is said at once, with what it wrote. */
  const whileAlive = async <T>(what: string, withinMs: number, condition: () => T | Promise<T>) => {
    const seen = await waitFor(
      what,
      async () => {
        const met = await condition();
        return met || ending ? { met } : null;
      },
      { withinMs },
    ).catch((error: unknown) => error);
    if (seen instanceof Error) throw new Error(`${options.program}: ${seen.message}; it wrote:\n${output}`);
    const { met } = seen as { met: T };
    if (!met)
      throw new Error(`${options.program} ended (${JSON.stringify(ending)}) before: ${what}; it wrote:\n${output}`);
    return met;
  };

  return {
    pid,
    ended,
    output: () => output,
    send: (name) => void signal(pid, name),
    async waitForLine(pattern, withinMs = 10_000) {
      const line = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '') + (pattern.multiline ? '' : 'm'));
      return whileAlive(`a line like ${pattern}`, withinMs, () => line.exec(output));
    },
    async waitForHttp(url, status = 200, withinMs = 15_000) {
      await whileAlive(`${status} from ${url}`, withinMs, async () => {
        const answer = await fetch(url).catch(() => null);
        await answer?.body?.cancel();
        return answer?.status === status;
      });
    },
    async kill(name = 'SIGTERM') {
      signal(pid, name);
      return ended;
    },
  };
}
