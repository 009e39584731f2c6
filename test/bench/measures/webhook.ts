import { setTimeout as pause } from 'node:timers/promises';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { changed, joined, left, newEmployee, type Employee, type HrPoster } from '../stage/hr-poster.js';
import { percentile, spreadOf } from '../statistics.js';

const RATE = 200;

/**
 * From the moment at which an event was to be posted to the last byte of its 202, at a fixed rate that waits for nobody:
 * a slow answer makes the ones behind it late, and that counts. Six of ten join, two move, two leave.
 */
export const webhook: Measure = {
  name: 'webhook',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const [blocks, seconds, leavers] = smoke ? [2, 5, 1_500] : [4, 20, 12_000];
    const database = await stage.database();
    const service = await BenchService.start(stage, {
      database,
      tools: 4,
      latency: 100,
      seed: (toolIds) =>
        seeding(database.pool, async (db) => {
          await seedPeople(db, { label: 'busy', count: leavers });
          await seedAccounts(db, 'busy', toolIds);
          await seedLeavers(db, 'busy');
        }),
    });
    try {
      const hr = new Events(service.hr);
      await hr.post(50, 3);
      const perBlock: number[][] = [];
      for (let block = 0; block < blocks; block += 1) perBlock.push(await hr.post(RATE, seconds));
      const waiting = await database.value<number>(
        `SELECT count(*)::int FROM steps WHERE state = 'ready' AND lane = 'standard'`,
      );
      if (waiting === 0) throw new Error('the workers ran out of work while the events were posted');
      const latencies = perBlock.flat();
      return [
        {
          name: `webhook acknowledged, p99, ${RATE}/s with workers busy`,
          figure: percentile(latencies, 0.99),
          unit: 'ms',
          bound: { most: 50 },
          aim: { most: 10 },
          spread: spreadOf(perBlock.map((block) => percentile(block, 0.99))),
          samples: latencies.length,
          notes: [
            `p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p95 ${percentile(latencies, 0.95).toFixed(1)} ms; spread: of each block's p99`,
            ...(smoke ? [] : [await tryFaster(hr)]),
          ],
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

class Events {
  private readonly known: Employee[] = [];
  private sent = 0;

  constructor(private readonly hr: HrPoster) {}

  /** Answers the latency of each. @throws when one isn't answered with 202 */
  async post(perSecond: number, seconds: number): Promise<number[]> {
    const startedAt = performance.now();
    const answers: Promise<number>[] = [];
    for (let index = 0; index < perSecond * seconds; index += 1) {
      const dueAt = startedAt + (index * 1000) / perSecond;
      const early = dueAt - performance.now();
      if (early > 0) await pause(early);
      const { event, over } = this.next();
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

  private next(): { event: Record<string, unknown>; over: () => void } {
    const turn = (this.sent += 1) % 10;
    const nothing = (): void => undefined;
    const someone = turn === 3 || turn === 6 || turn === 8 || turn === 9 ? this.known.shift() : undefined;
    if (!someone) {
      const employee = newEmployee();
      return { event: joined(employee), over: () => void this.known.push(employee) };
    }
    if (turn === 3 || turn === 8) return { event: left(someone), over: nothing };
    const moved = { ...someone, familyName: `${someone.familyName} again` };
    return { event: changed(moved), over: () => void this.known.push(moved) };
  }
}
