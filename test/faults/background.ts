import { setTimeout as pause } from 'node:timers/promises';
import type { Company, Employee } from './company.js';
import type { Random } from './random.js';

const PEOPLE = 10;
const EVERY_MS = 500;
const MOST_PENDING = 8;

/** What somebody of the background is planned to be, once all that was asked for has happened. */
interface Life {
  employee: Employee;
  employed: boolean;
  lost: boolean;
  /** What was asked for, one after the other. */
  chain: Promise<unknown>;
  lossId?: string;
}

/** Everyday life beside the faults: people join, move, lose laptops, get access back, leave and return. */
export class Background {
  private readonly lives: Life[] = [];
  private readonly stopping = new AbortController();
  private readonly problems: unknown[] = [];
  private pending = 0;
  private isStill = false;
  private running: Promise<void> | undefined;
  done = 0;

  constructor(
    private readonly company: Company,
    private readonly random: Random,
  ) {}

  start(): void {
    this.running = this.live();
  }

  /** Nothing is begun, and all that was has ended, while `work` runs: for faults that must hit nobody else. */
  async standStill<T>(work: () => Promise<T>): Promise<T> {
    this.isStill = true;
    try {
      await Promise.all(this.lives.map(({ chain }) => chain));
      return await work();
    } finally {
      this.isStill = false;
    }
  }

  /** Begins nothing more and waits for what was begun. Throws what couldn't be seen through. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await Promise.all(this.lives.map(({ chain }) => chain));
    if (this.problems.length > 0)
      throw new AggregateError(this.problems, `the background failed: ${String(this.problems[0])}`);
  }

  private async live(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      // What is drawn depends on the draws before and on nothing else: the workload replays, its timing may differ.
      this.drawOne();
      while ((this.pending >= MOST_PENDING || this.isStill) && !this.stopping.signal.aborted) await pause(50);
      await pause(EVERY_MS, undefined, { signal: this.stopping.signal }).catch(() => {});
    }
  }

  private drawOne(): void {
    if (this.lives.length < PEOPLE && this.random.chance(0.4)) return this.begin();
    if (this.lives.length === 0) return;
    const life = this.random.pick(this.lives);
    const { employee } = life;
    const draw = this.random.next();
    if (!life.employed) {
      life.employed = true;
      this.next(life, () => this.company.hire(employee));
    } else if (life.lost) {
      life.lost = false;
      this.next(life, () => this.company.isRestored(employee, life.lossId ?? ''));
    } else if (draw < 0.35) {
      life.lost = true;
      this.next(life, async () => (life.lossId = await this.company.losesLaptop(employee)));
    } else if (draw < 0.7) {
      this.next(life, () => this.company.moves(employee, employee.department === 'sales' ? 'engineering' : 'sales'));
    } else {
      life.employed = false;
      this.next(life, () => this.company.leaves(employee));
    }
  }

  private begin(): void {
    const employee = this.company.newcomer(this.random.pick(['engineering', 'sales']));
    const life: Life = { employee, employed: true, lost: false, chain: Promise.resolve() };
    this.lives.push(life);
    this.next(life, () => this.company.hire(employee));
  }

  private next(life: Life, act: () => Promise<unknown>): void {
    this.pending += 1;
    life.chain = life.chain
      .then(act)
      .then(() => (this.done += 1))
      .catch((error: unknown) => void this.problems.push(error))
      .finally(() => (this.pending -= 1));
  }
}
