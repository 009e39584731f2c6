import { setTimeout as pause } from 'node:timers/promises';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { seedAccounts, seeding, seedLeavers, seedPeople, seedStaff } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { changed, joined, left, newEmployee, type Employee, type HrPoster } from '../stage/hr-poster.js';
import { percentile, spreadOf } from '../statistics.js';

const RATE = 200;
/** Seconds at the full rate before it counts. */
const WARM_UP = 20;
/** Of so many HR has told before: whom the changes are about, each in turn. */
const STAFF = 3_000;

/**
 * From the moment at which an event was to be posted to the last byte of its 202, at a fixed rate that waits for nobody:
 * a slow answer makes the ones behind it late, and that counts. As an HR system's export sends them: of twenty events
 * eighteen change somebody's title, one is a join (four accounts) and one a leave.
 */
export const webhook: Measure = {
  name: 'webhook',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const [rate, blocks, seconds, leavers] = smoke ? [20, 2, 3, 500] : [RATE, 4, 15, 5_000];
    const database = await stage.database();
    const staff = Array.from({ length: STAFF }, newEmployee);
    const service = await BenchService.start(stage, {
      database,
      tools: 4,
      latency: 100,
      seed: (toolIds) =>
        seeding(database.pool, async (db) => {
          await seedPeople(db, { label: 'busy', count: leavers });
          await seedAccounts(db, 'busy', toolIds);
          await seedLeavers(db, 'busy');
          await seedStaff(db, staff, toolIds);
        }),
    });
    try {
      const hr = new Events(service.hr, staff);
      // Warm, as a service in use is: without it the first seconds measure how code and statements are compiled.
      await hr.post(rate, smoke ? 3 : WARM_UP);
      const perBlock: number[][] = [];
      for (let block = 0; block < blocks; block += 1) perBlock.push(await hr.post(rate, seconds));
      const waiting = await database.value<number>(
        `SELECT count(*)::int FROM steps WHERE state = 'ready' AND lane = 'standard'`,
      );
      if (waiting === 0) throw new Error('the workers ran out of work while the events were posted');
      const latencies = perBlock.flat();
      return [
        {
          name: `webhook acknowledged, p99, ${rate}/s with workers busy`,
          figure: percentile(latencies, 0.99),
          unit: 'ms',
          bound: { most: 50 },
          aim: { most: 10 },
          spread: spreadOf(perBlock.map((block) => percentile(block, 0.99))),
          samples: latencies.length,
          notes: [
            `p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p95 ${percentile(latencies, 0.95).toFixed(1)} ms; spread: of each block's p99`,
            ...(smoke ? [] : [await tryJoins(hr), await tryFaster(hr)]),
          ],
          ...(rate < RATE && { short: `at ${rate}/s only` }),
        },
      ];
    } finally {
      await service.stop();
      await database.drop();
    }
  },
};

/** The aim's second half: whether five times the rate is held. */
async function tryFaster(hr: Events): Promise<string> {
  const latencies = await hr.post(1_000, 5).catch((error: unknown) => String(error));
  if (typeof latencies === 'string') return `1,000/s for 5 s isn't held: ${latencies}`;
  const late = Math.max(...latencies);
  return `1,000/s for 5 s: p99 ${percentile(latencies, 0.99).toFixed(0)} ms, ${late < 1_000 ? 'held' : 'not held: answers fall behind'}`;
}

/** What a hire costs, the dearest event: joins alone, at rates that rise until answers fall behind. */
async function tryJoins(hr: Events): Promise<string> {
  let held = 0;
  for (const rate of [20, 40, 60, 80, 120, 160]) {
    const latencies = await hr.post(rate, 4, 'joins').catch(() => [Number.POSITIVE_INFINITY]);
    if (percentile(latencies, 0.99) > 500) break;
    held = rate;
  }
  return `joins alone, with four accounts each: ${held}/s held with p99 below 500 ms`;
}

class Events {
  private readonly known: Employee[];
  private sent = 0;

  constructor(
    private readonly hr: HrPoster,
    staff: readonly Employee[],
  ) {
    this.known = [...staff];
  }

  /** Answers the latency of each. @throws when one isn't answered with 202 */
  async post(perSecond: number, seconds: number, what: 'all' | 'joins' = 'all'): Promise<number[]> {
    const startedAt = performance.now();
    const answers: Promise<number>[] = [];
    for (let index = 0; index < perSecond * seconds; index += 1) {
      const dueAt = startedAt + (index * 1000) / perSecond;
      const early = dueAt - performance.now();
      if (early > 0) await pause(early);
      const { event, over } = what === 'joins' ? this.join() : this.next();
      answers.push(
        this.hr.post(event).then((status) => {
          if (status !== 202) throw new Error(`an event was answered with ${status}`);
          over();
          return performance.now() - dueAt;
        }),
      );
      // Told at the end; not before somebody listens.
      answers.at(-1)?.catch(() => undefined);
    }
    return Promise.all(answers);
  }

  private next(): Posting {
    const turn = (this.sent += 1) % 20;
    if (turn === 0) return this.join();
    const someone = this.known.shift();
    if (!someone) throw new Error('events about everybody wait for their answers: the service falls far behind');
    if (turn === 10) return { event: left(someone), over: () => undefined };
    const promoted = { ...someone, title: `Engineer ${this.sent}` };
    return { event: changed(promoted), over: () => void this.known.push(promoted) };
  }

  private join(): Posting {
    const employee = newEmployee();
    return { event: joined(employee), over: () => void this.known.push(employee) };
  }
}

interface Posting {
  event: Record<string, unknown>;
  /** When it was answered: from then on the next event about this employee may be posted. */
  over: () => void;
}
