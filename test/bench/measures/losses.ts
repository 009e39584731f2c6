import { setTimeout as pause } from 'node:timers/promises';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { clearLeavers, seedAccounts, seeding, seedLaptops, seedLeavers, seedPeople } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import type { Stage } from '../stage/stage.js';
import { percentile, spreadOf } from '../statistics.js';
import { loseLaptop, type Loss } from './lost-laptop.js';

const TOOLS = 30;
const LATENCY = 100;
/** Losses for a p99 that means something. */
const ENOUGH = 200;

interface Sizes {
  idle: number;
  queued: number;
  leavers: number;
  killed: number;
  redisDead: number;
  postgresBack: number;
}

const FULL: Sizes = { idle: 200, queued: 200, leavers: 10_000, killed: 8, redisDead: 20, postgresBack: 4 };
const SMOKE: Sizes = { idle: 4, queued: 4, leavers: 100, killed: 1, redisDead: 2, postgresBack: 1 };

/** Lost laptops: alone, behind a mass leave, and with something dead. */
export const losses: Measure = {
  name: 'losses',
  async run({ stage, smoke, say }: BenchContext): Promise<Row[]> {
    const sizes = smoke ? SMOKE : FULL;
    const database = await stage.database();
    const service = await BenchService.start(stage, {
      database,
      tools: TOOLS,
      latency: LATENCY,
      seed: (toolIds) =>
        seeding(database.pool, async (db) => {
          const { idle, queued, killed, redisDead, postgresBack, leavers } = sizes;
          const losers = { warm: 3, idle, queued, killed, 'redis-dead': redisDead, 'postgres-back': postgresBack };
          for (const [label, count] of Object.entries(losers)) {
            await seedPeople(db, { label, count });
            await seedAccounts(db, label, toolIds);
            await seedLaptops(db, label);
          }
          await seedPeople(db, { label: 'leaver', count: leavers });
          await seedAccounts(db, 'leaver', toolIds);
        }),
    });
    const series = new Series(service);
    try {
      await series.lose('warm', 1, 3);
      const half = Math.ceil(sizes.idle / 2);
      const idle = await series.lose('idle', 1, half);
      say(`        ${half} losses alone; now ${sizes.leavers * TOOLS} steps are queued ahead, by SQL`);
      await seeding(database.pool, (db) => seedLeavers(db, 'leaver'));
      const queued = await series.lose('queued', 1, sizes.queued);
      await refuseEmptyQueue(service);
      await seeding(database.pool, (db) => clearLeavers(db, 'leaver'));
      idle.push(...(await series.lose('idle', half + 1, sizes.idle)));
      const killed = await series.loseWithKill('killed', sizes.killed);
      const postgresBack = await series.loseWithoutPostgres(stage, 'postgres-back', sizes.postgresBack);
      await service.redis.stop();
      const redisDead = await series.lose('redis-dead', 1, sizes.redisDead);
      return [
        ...aloneRows(idle),
        ...queuedRows(idle, queued, sizes.leavers),
        faultRow('with the emergency worker killed mid-case', killed, 5_000),
        faultRow('with Redis dead', redisDead, 1_000),
        faultRow('after PostgreSQL returns', postgresBack, 3_000),
      ];
    } finally {
      await service.stop();
      await database.drop();
    }
  },
};

class Series {
  constructor(private readonly service: BenchService) {}

  async lose(label: string, from: number, to: number): Promise<Loss[]> {
    const all: Loss[] = [];
    for (let number = from; number <= to; number += 1) {
      all.push(await loseLaptop(this.service, `bench-${label}-${number}`));
    }
    return all;
  }

  /** The worker that cuts the laptop is killed while it does; at another moment each time. */
  async loseWithKill(label: string, count: number): Promise<Loss[]> {
    const all: Loss[] = [];
    for (let number = 1; number <= count; number += 1) {
      await this.service.untilSteady();
      const loss = loseLaptop(this.service, `bench-${label}-${number}`, async () => {
        await pause((number * 37) % 300);
        process.kill(this.service.pidOf('emergency'), 'SIGKILL');
      });
      all.push(await loss);
    }
    return all;
  }

  /** PostgreSQL goes away mid-case for two seconds; counted from when it takes clients again. */
  async loseWithoutPostgres(stage: Stage, label: string, count: number): Promise<Loss[]> {
    const all: Loss[] = [];
    for (let number = 1; number <= count; number += 1) {
      await this.service.untilSteady();
      let backAt = 0;
      const loss = await loseLaptop(this.service, `bench-${label}-${number}`, async () => {
        await pause(50 + ((number * 37) % 100));
        await stage.stopPostgres();
        await pause(2_000);
        await stage.startPostgresAgain();
        backAt = Date.now();
      });
      const confirmed = loss.committedAt + loss.confirmed - backAt;
      if (confirmed < 0) throw new Error('everything was confirmed before PostgreSQL went away');
      all.push({ ...loss, confirmed });
    }
    return all;
  }
}

async function refuseEmptyQueue({ database }: BenchService): Promise<void> {
  const left = await database.value<number>(
    `SELECT count(*)::int FROM steps WHERE lane = 'standard' AND state = 'ready'`,
  );
  if (left === 0) throw new Error('the queue ran empty before the last laptop was lost');
}

const sentOf = (losses: readonly Loss[]): number[] => losses.map(({ sent }) => sent);
const confirmedOf = (losses: readonly Loss[]): number[] => losses.map(({ confirmed }) => confirmed);

function few(count: number): { short?: string } {
  return count >= ENOUGH ? {} : { short: `of ${count} losses only; a p99 wants ${ENOUGH}` };
}

function aloneRows(idle: readonly Loss[]): Row[] {
  const chain = Math.max(...idle.map((loss) => loss.chain));
  const common = { unit: 'ms', samples: idle.length, ...few(idle.length) };
  return [
    {
      ...common,
      name: `lost laptop, ${TOOLS} tools: last call sent after the commit, p99`,
      figure: percentile(sentOf(idle), 0.99),
      bound: { most: 1_000 },
      aim: { most: 250 },
      spread: spreadOf(sentOf(idle)),
      notes: ['the call is the one that ends access, which the connector sends after two looks of 100 ms each'],
    },
    {
      ...common,
      name: '… last session confirmed gone, p99',
      figure: percentile(confirmedOf(idle), 0.99),
      bound: { most: 5_000 },
      aim: { most: chain * LATENCY + 300 },
      spread: spreadOf(confirmedOf(idle)),
      notes: [`longest chain of round trips: ${chain} of ${LATENCY} ms`],
    },
  ];
}

function queuedRows(idle: readonly Loss[], queued: readonly Loss[], leavers: number): Row[] {
  const row = (what: string, of: (losses: readonly Loss[]) => number[]): Row => {
    const blocks = Math.min(4, Math.floor(Math.min(idle.length, queued.length) / 4));
    const ratios = Array.from({ length: blocks }, (_, block) => {
      const part = (all: number[]) => all.slice((block * all.length) / blocks, ((block + 1) * all.length) / blocks);
      return percentile(part(of(queued)), 0.99) / percentile(part(of(idle)), 0.99);
    });
    const [alone, behind] = [percentile(of(idle), 0.99), percentile(of(queued), 0.99)];
    return {
      name: `… ${what} with ${leavers.toLocaleString('en')} leavers (${(leavers * TOOLS).toLocaleString('en')} steps) queued ahead ÷ alone, p99`,
      figure: behind / alone,
      unit: '×',
      bound: { most: 2 },
      aim: { most: 1.1 },
      spread: spreadOf(ratios),
      samples: queued.length,
      notes: [`${behind.toFixed(0)} ms and ${alone.toFixed(0)} ms; the steps were seeded by SQL`],
      ...few(queued.length),
    };
  };
  return [row('last call sent', sentOf), row('last session confirmed gone', confirmedOf)];
}

function faultRow(what: string, losses: readonly Loss[], aim: number): Row {
  return {
    name: `… last session confirmed gone ${what}, p99`,
    figure: percentile(confirmedOf(losses), 0.99),
    unit: 'ms',
    bound: { most: 10_000 },
    aim: { most: aim },
    spread: spreadOf(confirmedOf(losses)),
    samples: losses.length,
    notes: [`of ${losses.length} losses, so this is the slowest of them`],
  };
}
