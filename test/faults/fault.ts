import { waitFor } from '../support/wait-for.js';
import type { Background } from './background.js';
import type { Company, Employee } from './company.js';
import type { Random } from './random.js';
import type { ServiceUnderTest } from './stage/service-under-test.js';

/** What a fault needs of the machine beside PostgreSQL. */
export type Need = 'Redis' | 'root' | 'faketime';

export interface Fault {
  name: string;
  needs?: readonly Need[];
  /** Does it, watches, and heals what doesn't heal by itself. Throws when what must happen doesn't. */
  run(scene: Scene): Promise<void>;
}

export interface Measured {
  what: string;
  ms: number;
  limitMs: number;
}

/** One fault's stage: what it acts on, and what it saw. */
export class Scene {
  readonly seen: string[] = [];
  readonly broken: string[] = [];
  readonly measured: Measured[] = [];

  constructor(
    readonly service: ServiceUnderTest,
    readonly company: Company,
    /** People with accounts and laptops, to lose them. */
    private readonly atRisk: Employee[],
    readonly background: Background,
    readonly random: Random,
    /** How many contracts end at once. */
    readonly crowd: number,
  ) {}

  /** The same fault at a service of its own, with nobody there yet. */
  elsewhere(service: ServiceUnderTest, company: Company): Scene {
    return new Scene(service, company, [], this.background, this.random, this.crowd);
  }

  say(what: string): void {
    this.seen.push(what);
  }

  /** A promise of the service; the fault goes on when it is broken, so that everything is healed. */
  promise(kept: boolean, what: string): void {
    if (!kept) this.broken.push(what);
  }

  measure(what: string, ms: number, limitMs: number): void {
    this.measured.push({ what, ms: Math.round(ms), limitMs });
    this.say(`${what} ${(ms / 1000).toFixed(1)} s`);
    this.promise(ms <= limitMs, `${what}: ${Math.round(ms)} ms, and ${limitMs} ms are allowed`);
  }

  /**
   * Somebody's laptop is lost now: how long until no tool lets them in any more (I8)? Their access is given back
   * afterwards; answers when that is asked for.
   */
  async loseALaptop(limitMs = 5_000): Promise<void> {
    const { company } = this;
    const victim = await this.victim();
    const lossId = await company.losesLaptop(victim);
    const began = performance.now();
    try {
      await company.untilAsItShould(victim, Math.max(30_000, 2 * limitMs));
    } finally {
      this.measure('lost laptop cut everywhere within', performance.now() - began, limitMs);
      this.owed.push(this.giveBack(victim, lossId));
    }
  }

  /** Somebody who has all their accounts and a laptop at this moment. */
  private async victim(): Promise<Employee> {
    const { company } = this;
    const isReady = (one: Employee) => one.deviceId !== undefined && one.losses.size === 0 && company.isAsItShould(one);
    const found = this.atRisk.find(isReady) ?? (await company.hiresWithLaptops(1))[0];
    if (!found) throw new Error('nobody is there to lose a laptop');
    if (!this.atRisk.includes(found)) this.atRisk.push(found);
    return found;
  }

  private async giveBack(victim: Employee, lossId: string): Promise<void> {
    await this.company.isRestored(victim, lossId);
    await this.company.getsLaptop(victim);
  }

  /** What goes on beside the fault and must have ended before the next. */
  private readonly owed: Promise<unknown>[] = [];

  async settleDebts(): Promise<void> {
    await Promise.all(this.owed);
  }

  /** Until a case is carried out, whatever the tools look like before. */
  async untilClosed(caseId: string | null, withinMs = 60_000): Promise<void> {
    await waitFor(
      `the case ${caseId} is closed`,
      async () => {
        const rows = await this.service.rows(`SELECT 1 FROM cases WHERE id = $1 AND state = 'closed'`, [caseId]);
        return rows.length > 0;
      },
      { withinMs, everyMs: 100 },
    );
  }

  /** Milliseconds until a step gets its next attempt after `number`, counted from `since` (by the machine's clock). */
  async untilNextAttempt(stepId: string, number: number, since: number, withinMs = 30_000): Promise<NextAttempt> {
    return waitFor(
      'the step is taken up again',
      async () => {
        const [row] = await this.service.rows<{ kind: string; at: Date }>(
          `SELECT kind, intended_at AS at FROM attempts WHERE step_id = $1 AND number > $2 ORDER BY number LIMIT 1`,
          [stepId, number],
        );
        return row && { kind: row.kind, after: row.at.getTime() - since };
      },
      { withinMs, everyMs: 50 },
    );
  }
}

export interface NextAttempt {
  kind: string;
  after: number;
}
