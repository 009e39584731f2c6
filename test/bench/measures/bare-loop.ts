import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import type { BenchService } from '../stage/bench-service.js';
import type { Stage } from '../stage/stage.js';
import type { BareNews } from './bare-loop-process.js';

/** The bench's end of the process with the bare loop: a process like a worker, without anything of Quartermaster. */
export class BareLoop {
  private constructor(private readonly child: ChildProcess) {}

  static async start(stage: Stage, { database, tools, toolIds }: BenchService, concurrency: number): Promise<BareLoop> {
    const child = fork(
      join(cloneFolder(), 'dist/test/bench/measures/bare-loop-process.js'),
      [database.url, String(concurrency), toolIds.join(','), tools.urls.join(',')],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    const loop = new BareLoop(child);
    stage.onStop(() => loop.stop());
    await loop.next('ready');
    return loop;
  }

  /** Operations per second, over the seeded steps that wait with `due_at` infinity: as many as `steps`. */
  async rate(steps: number): Promise<number> {
    this.child.send({ steps });
    const { seconds, operations } = await this.next('over');
    if (operations !== steps) throw new Error(`the bare loop made ${operations} operations, not ${steps}`);
    return operations / seconds;
  }

  private next<Kind extends BareNews['news']>(kind: Kind): Promise<Extract<BareNews, { news: Kind }>> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void => reject(new Error(`the bare loop ended with code ${code}`));
      this.child.once('exit', ended);
      this.child.once('message', (news: BareNews) => {
        this.child.off('exit', ended);
        if (news.news === kind) resolve(news as Extract<BareNews, { news: Kind }>);
        else reject(new Error(`the bare loop said ${news.news}, not ${kind}`));
      });
    });
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
  }
}
