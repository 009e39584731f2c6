import { BenchService } from '../stage/bench-service.js';
import type { BenchDatabase } from '../stage/stage.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../seeds/seed.js';
import { spreadOf } from '../statistics.js';
import { until } from '../wait.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { BareLoop } from './bare-loop.js';

const TOOLS = 4;
/** As many steps as a worker of the standard lanes runs at the same time (`SLOTS` in worker-loop.ts). */
const CONCURRENCY = 32;

/**
 * Account operations per second ÷ a bare loop of the same writes and calls. Quartermaster and the loop take turns, so
 * that whatever else the machine does meets both; the ratio is of neighbours.
 */
export const operations: Measure = {
  name: 'operations',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const [rounds, people] = smoke ? [2, 60] : [7, 400];
    const database = await stage.database();
    const service = await BenchService.start(stage, { database, tools: TOOLS, latency: 0 });
    const bare = await BareLoop.start(stage, service, CONCURRENCY);
    try {
      const batch = (round: string) => seedBatch(database, service.toolIds, round, people);
      await quartermasterRate(service, await batch('warm'));
      await bare.rate(await batch('warm-bare'));
      const pairs: { quartermaster: number; bare: number; requests: number; bareRequests: number }[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const steps = await batch(`q${round}`);
        await service.tools.take();
        const quartermaster = await quartermasterRate(service, steps);
        const requests = (await service.tools.take()).requests / steps;
        const bareSteps = await batch(`b${round}`);
        await service.tools.take();
        const bareRate = await bare.rate(bareSteps);
        pairs.push({
          quartermaster,
          bare: bareRate,
          requests,
          bareRequests: (await service.tools.take()).requests / bareSteps,
        });
      }
      const ratios = spreadOf(pairs.map((pair) => pair.quartermaster / pair.bare));
      const of = (key: keyof (typeof pairs)[number]) => spreadOf(pairs.map((pair) => pair[key]));
      return [
        {
          name: 'account operations per second ÷ a bare loop of the same writes and calls, tools at 0 ms',
          figure: ratios.median,
          unit: '×',
          bound: { least: 0.5 },
          aim: { least: 1 },
          spread: ratios,
          samples: rounds * people * TOOLS,
          notes: [
            `Quartermaster ${Math.round(of('quartermaster').median)}/s (${Math.round(of('quartermaster').low)} to ${Math.round(of('quartermaster').high)}), ` +
              `the loop ${Math.round(of('bare').median)}/s (${Math.round(of('bare').low)} to ${Math.round(of('bare').high)}), ${CONCURRENCY} at a time`,
            `HTTP requests an operation, as the tools counted them: ${of('requests').median.toFixed(2)} and ${of('bareRequests').median.toFixed(2)}`,
          ],
        },
      ];
    } finally {
      await bare.stop();
      await service.stop();
      await database.drop();
    }
  },
};

/** People with an account at each tool who leave; their steps wait for `release`. Answers how many steps there are. */
export async function seedBatch(
  database: BenchDatabase,
  toolIds: readonly string[],
  label: string,
  people: number,
): Promise<number> {
  await seeding(database.pool, async (db) => {
    // Not due while they are being made: the worker would take the first ones already.
    await seedPeople(db, { label, count: people });
    await seedAccounts(db, label, toolIds);
    await db.query('BEGIN');
    await seedLeavers(db, label);
    await db.query(`UPDATE steps SET due_at = 'infinity' WHERE state = 'ready' AND lease_owner IS NULL`);
    await db.query('COMMIT');
  });
  return people * toolIds.length;
}

export async function quartermasterRate({ database }: BenchService, steps: number): Promise<number> {
  const before = await doneSteps(database);
  const startedAt = performance.now();
  await database.rows(`UPDATE steps SET due_at = now() WHERE state = 'ready' AND due_at = 'infinity'`);
  await until('all steps are done', async () => ((await doneSteps(database)) - before >= steps ? true : undefined), {
    withinMs: 180_000,
    everyMs: 20,
  });
  return (steps / (performance.now() - startedAt)) * 1000;
}

function doneSteps(database: BenchDatabase): Promise<number> {
  return database.value<number>(`SELECT count(*)::int FROM steps WHERE state = 'done'`);
}
