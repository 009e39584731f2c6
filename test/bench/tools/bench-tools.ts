import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import type { Taken, ToolNews, ToolOrder } from './tool-orders.js';

/** The bench's end of the process with the fake tools. */
export class BenchTools {
  private nextId = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly urls: readonly string[],
  ) {}

  static async start(count: number): Promise<BenchTools> {
    const child = fork(join(cloneFolder(), 'dist/test/bench/tools/tool-process.js'), [String(count)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const ports = await new Promise<number[]>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the fake tools ended with code ${code}`)));
      child.on('message', (news: ToolNews) => {
        if (news.news === 'listening') resolve(news.ports);
      });
    });
    return new BenchTools(
      child,
      ports.map((port) => `http://127.0.0.1:${port}`),
    );
  }

  /** Milliseconds between a request's arrival and its answer, at every tool. */
  set latency(milliseconds: number) {
    this.order({ order: 'latency', milliseconds });
  }

  /** What they saw since the last time. */
  async take(): Promise<Taken> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      const listener = (news: ToolNews): void => {
        if (news.news !== 'taken' || news.id !== id) return;
        this.child.off('message', listener);
        resolve(news.taken);
      };
      this.child.on('message', listener);
      this.order({ order: 'take', id });
    });
  }

  private order(order: ToolOrder): void {
    this.child.send(order);
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}
