import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { BenchContext, Measure } from '../measure.js';
import { residentMb } from '../resident.js';
import type { Row } from '../row.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { median, slopeOf, spreadOf } from '../statistics.js';

const TOOLS = 8;
const ALL = 1_000_000;
const MB = 2 ** 20;
/** Parts of the run that are compared: the second, after the warm-up, and the last. */
const PARTS = 5;
/** What is no growth: a heap that is collected now and then is never the same to the byte. */
const SAME_PERCENT = 5;
/** Through fewer steps nothing would show: what a step leaves behind must be tellable from the noise of a heap. */
const ENOUGH_STEPS = 50_000;

/** A million steps wait: what Redis holds of that. Then a worker runs them: what that does to its memory. */
export const million: Measure = {
  name: 'million',
  async run({ stage, smoke, endsAt, say }: BenchContext): Promise<Row[]> {
    const steps = smoke ? 4_000 : ALL;
    const watch = smoke ? 2 : 15;
    const database = await stage.database();
    const service = await BenchService.start(stage, { database, tools: TOOLS, latency: 100 });
    const redis = new Redis(service.redis.url);
    redis.on('error', () => undefined);
    try {
      const seedSteps = (label: string, count: number) =>
        seeding(database.pool, async (db) => {
          await seedPeople(db, { label, count: count / TOOLS });
          await seedAccounts(db, label, service.toolIds);
          await seedLeavers(db, label);
        });
      await seedSteps('few', 1_000);
      const few = await watchRedis(redis, watch);
      await seedSteps('many', steps);
      const many = await watchRedis(redis, watch);
      const rows = [redisRow(steps, few, many)];
      say(`        ${steps.toLocaleString('en')} steps are seeded; now a worker runs them`);
      service.tools.latency = 0;
      rows.push(memoryRow(await watchWorker(service, endsAt, smoke ? 200 : 2_000)));
      return rows;
    } finally {
      redis.disconnect();
      await service.stop();
      await database.drop();
    }
  },
};

async function watchRedis(redis: Redis, seconds: number): Promise<number[]> {
  const seen: number[] = [];
  for (let second = 0; second < seconds; second += 0.25) {
    const used = /used_memory:(\d+)/.exec(await redis.info('memory'))?.[1];
    if (used === undefined) throw new Error('Redis does not say how much memory it uses');
    seen.push(Number(used) / MB);
    await pause(250);
  }
  return seen;
}

function redisRow(steps: number, few: readonly number[], many: readonly number[]): Row {
  const figure = Math.max(...many);
  return {
    name: `Redis memory with ${steps.toLocaleString('en')} steps waiting`,
    figure,
    unit: 'MB',
    bound: { most: 200 },
    // Flat: no more than with a thousandth of it, but for the connections' buffers.
    aim: { most: Math.ceil(Math.max(...few) + 1) },
    spread: spreadOf(many),
    samples: many.length,
    notes: [`with 1,000 waiting it is ${Math.max(...few).toFixed(1)} MB; both while the worker works`],
    ...(steps < ALL && { short: `${steps.toLocaleString('en')} steps only` }),
  };
}

interface Sample {
  steps: number;
  resident: number;
}

/** Resident memory and steps done, until none is left or the time is over. */
async function watchWorker(service: BenchService, until: number, everyMs: number): Promise<Sample[]> {
  const pid = service.pidOf('worker');
  const samples: Sample[] = [];
  while (performance.now() < until) {
    if (service.pidOf('worker') !== pid) throw new Error('the worker was restarted while its memory was watched');
    // By the index of what is due, and nearly: what the planner's statistics of the table say would be older.
    const steps = await service.database.value<number>(`SELECT count(*)::int FROM steps WHERE state = 'done'`);
    samples.push({ steps, resident: await residentMb(pid) });
    const waiting = await service.database.rows(`SELECT 1 FROM steps WHERE state = 'ready' LIMIT 1`);
    if (waiting.length === 0) break;
    await pause(everyMs);
  }
  if (samples.length < PARTS * 2) throw new Error('there was no time left to watch a worker in');
  return samples;
}

function memoryRow(samples: readonly Sample[]): Row {
  const part = (number: number) =>
    samples
      .slice(Math.floor((number * samples.length) / PARTS), Math.floor(((number + 1) * samples.length) / PARTS))
      .map(({ resident }) => resident);
  const perPart = Array.from({ length: PARTS }, (_, number) => median(part(number)));
  const [, early = 0] = perPart;
  const late = perPart.at(-1) ?? 0;
  const warm = samples.slice(Math.floor(samples.length / PARTS));
  const slope = slopeOf(warm.map(({ steps, resident }) => ({ x: steps / 10_000, y: resident })));
  const first = samples[0]?.steps ?? 0;
  const done = (samples.at(-1)?.steps ?? 0) - first;
  return {
    name: `resident memory of a worker through ${done.toLocaleString('en')} steps: growth after warm-up`,
    figure: (100 * (late - early)) / early,
    unit: '%',
    bound: { most: SAME_PERCENT },
    aim: { most: 0 },
    spread: spreadOf(perPart.slice(1).map((resident) => (100 * (resident - early)) / early)),
    samples: samples.length,
    notes: [
      `${perPart.map((mb) => mb.toFixed(0)).join(', ')} MB in the fifths of the run; after the first, by least squares, ${slope.toFixed(2)} MB more per 10,000 steps`,
    ],
    ...(done < ENOUGH_STEPS && { short: `through ${done.toLocaleString('en')} steps only` }),
  };
}
