import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { signal } from '../../../scripts/embedded/process-list.js';
import { waitFor } from '../../support/wait-for.js';

export interface KeptOptions {
  name: string;
  /** Below the build, as in `src/worker.main.js`. */
  program: string;
  args: readonly string[];
  /** A folder with a build: `dist`, or a copy of it. */
  build: string;
  env: Readonly<Record<string, string>>;
  /** What it writes once it works. */
  ready: RegExp;
  /** Hears of each of its lives. */
  onStart: (pid: number, program: string) => void;
}

export interface KeptEnding {
  pid: number;
  /** The signal's name, or `exit code 3`. */
  how: string;
  at: number;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const STEADY_MS = 10_000;

/** Everybody who is running, so that nobody outlives us: a frozen process wouldn't notice that we are gone. */
const running = new Set<number>();
process.on('exit', () => running.forEach((pid) => signal(pid, 'SIGKILL')));

/** A process that is started again whenever it ends, with the pauses of the supervisor (`scripts/supervisor.ts`). */
export class KeptProcess {
  readonly endings: KeptEnding[] = [];
  /** All that it ever wrote, over all its lives. */
  output = '';
  /** For its next life. */
  build: string;
  readonly extraEnv: Record<string, string> = {};
  private child: ChildProcess | undefined;
  private readyPid: number | undefined;
  private wanted = true;
  private hurry = new AbortController();
  private kept: Promise<void> | undefined;

  constructor(private readonly options: KeptOptions) {
    this.build = options.build;
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get isReady(): boolean {
    return this.pid !== undefined && this.pid === this.readyPid;
  }

  start(): void {
    this.wanted = true;
    this.kept ??= this.keep();
  }

  async untilReady(withinMs = 60_000): Promise<void> {
    await waitFor(`${this.name} is ready`, () => this.isReady, { withinMs }).catch((error: unknown) => {
      throw new Error(`${this.name} isn't ready; its last lines:\n${this.output.slice(-2_000)}`, { cause: error });
    });
  }

  /** Asks it to end and waits for its successor, which has today's `build` and `extraEnv`. */
  async replace(): Promise<void> {
    const before = this.pid;
    this.hurry.abort();
    if (before) signal(before, 'SIGTERM');
    await waitFor(`${this.name} has a successor`, () => this.isReady && this.pid !== before, { withinMs: 60_000 });
  }

  send(name: NodeJS.Signals): void {
    if (this.pid) signal(this.pid, name);
  }

  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.wanted = false;
    this.hurry.abort();
    const { pid } = this;
    if (pid) {
      signal(pid, 'SIGCONT');
      signal(pid, name);
      const kill = setTimeout(() => signal(pid, 'SIGKILL'), 9_000);
      await this.kept;
      clearTimeout(kill);
    }
    await this.kept;
    this.kept = undefined;
  }

  private async keep(): Promise<void> {
    let restartPause = FIRST_PAUSE_MS;
    while (this.wanted) {
      const startedAt = performance.now();
      await this.live();
      if (!this.wanted) return;
      if (performance.now() - startedAt > STEADY_MS) restartPause = FIRST_PAUSE_MS;
      await pause(restartPause, undefined, { signal: this.hurry.signal }).catch(() => {});
      if (this.hurry.signal.aborted) this.hurry = new AbortController();
      restartPause = Math.min(restartPause * 2, LONGEST_PAUSE_MS);
    }
  }

  private async live(): Promise<void> {
    const { program, args, env, ready } = this.options;
    const child = spawn(process.execPath, ['--enable-source-maps', join(this.build, program), ...args], {
      cwd: this.build,
      env: { PATH: process.env['PATH'], NODE_ENV: 'test', ...env, ...this.extraEnv },
      // The channel tells the process that we are gone. A group of its own: Ctrl-C is ours alone.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.child = child;
    const { pid = 0 } = child;
    running.add(pid);
    this.options.onStart(pid, program);
    let own = '';
    const take = (chunk: string): void => {
      this.output += chunk;
      if (this.readyPid === pid) return;
      own += chunk;
      if (ready.test(own)) this.readyPid = pid;
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take);
    const how = await new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, name) => resolve(name ?? `exit code ${code}`));
    });
    running.delete(pid);
    this.child = undefined;
    this.endings.push({ pid, how, at: Date.now() });
  }
}
