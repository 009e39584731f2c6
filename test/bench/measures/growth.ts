import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { AccessPolicyService } from '../../../src/access-policy/access-policy.service.js';
import { AppModule } from '../../../src/app.module.js';
import { claimThese, handOverDue } from '../../../src/cases/engine/claim.js';
import { openGround } from '../../../src/ground.js';
import { createHttpApp } from '../../../src/platform/http/http-door.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../seeds/seed.js';
import { seedTools } from '../seeds/seed-tools.js';
import { HrPoster, joined, newEmployee } from '../stage/hr-poster.js';
import type { BenchDatabase, Stage } from '../stage/stage.js';
import { growthExponent, median, spreadOf } from '../statistics.js';

const TOOLS = 10;
const LANES = ['standard', 'bulk'] as const;
/** As many as a worker hands over at a time (queued-lanes.ts). */
const WINDOW = 64;

interface Backlog {
  size: number;
  database: BenchDatabase;
  db: DataSource;
  hr: HrPoster;
  worker: string;
  close: () => Promise<void>;
}

type Kind = 'hand-over' | 'claim' | 'acknowledge';

/**
 * How claim and acknowledge latency grow with the backlog: databases with ten times as many steps waiting each, asked in
 * turn, so that whatever else the machine does meets them all.
 */
export const growth: Measure = {
  name: 'growth',
  async run({ stage, smoke, say }: BenchContext): Promise<Row[]> {
    const sizes = smoke ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000];
    const rounds = smoke ? 9 : 90;
    const backlogs: Backlog[] = [];
    try {
      for (const size of sizes) backlogs.push(await openBacklog(stage, size));
      say(`        backlogs of ${sizes.map((size) => size.toLocaleString('en')).join(', ')} steps stand`);
      const took = new Map(
        backlogs.map((backlog): [Backlog, Record<Kind, number[]>] => [
          backlog,
          { 'hand-over': [], claim: [], acknowledge: [] },
        ]),
      );
      for (let round = -3; round < rounds; round += 1) {
        for (const [backlog, figures] of took) {
          const once = await ask(backlog);
          // The first rounds warm caches and connections.
          if (round >= 0) for (const kind of Object.keys(once) as Kind[]) figures[kind].push(once[kind]);
        }
      }
      return (['hand-over', 'claim', 'acknowledge'] as const).map((kind) =>
        growthRow(
          kind,
          [...took].map(([{ size }, figures]) => ({ size, latencies: figures[kind] })),
        ),
      );
    } finally {
      for (const { close } of backlogs) await close();
    }
  },
};

async function openBacklog(stage: Stage, size: number): Promise<Backlog> {
  const database = await stage.database();
  const worker = randomUUID();
  await seeding(database.pool, async (db) => {
    const toolIds = await seedTools(db, TOOLS);
    await seedPeople(db, { label: 'waiting', count: size / TOOLS });
    await seedAccounts(db, 'waiting', toolIds);
    await seedLeavers(db, 'waiting');
    await db.query(`INSERT INTO workers (id, lanes, host, pid) VALUES ($1, '{standard,bulk}', 'bench', $2)`, [
      worker,
      process.pid,
    ]);
  });
  const env = { ...stage.env(database.url), PORT: '0' };
  const ground = await openGround(env, { applicationName: 'bench' });
  const app = await createHttpApp(AppModule.of(ground));
  await app.get(AccessPolicyService).loadFile();
  await app.listen(0, '127.0.0.1');
  const hr = new HrPoster(`${await app.getUrl()}/hooks/hr/hr`, stage.hrSecret);
  return {
    size,
    database,
    db: ground.db,
    hr,
    worker,
    close: async () => {
      hr.close();
      await app.close();
      if (ground.db.isInitialized) await ground.db.destroy();
      await database.drop();
    },
  };
}

/** One of each, timed; what was claimed is put back afterwards, so that the backlog stays. */
async function ask({ db, hr, worker, database }: Backlog): Promise<Record<Kind, number>> {
  const [handOver, due] = await timed(() => handOverDue(db, LANES, WINDOW));
  const [first] = due;
  if (!first || due.length < WINDOW) throw new Error(`${due.length} steps were due, not ${WINDOW}`);
  const [claim, [claimed]] = await timed(() => claimThese(db, worker, [first.id]));
  if (!claimed) throw new Error('a step that was handed over could not be claimed');
  await database.rows(
    `UPDATE steps SET state = 'done', lease_owner = NULL, lease_until = NULL, confirmed_at = now() WHERE id = $1`,
    [first.id],
  );
  await database.rows(`UPDATE steps SET dispatched_until = NULL WHERE id = ANY($1)`, [due.map(({ id }) => id)]);
  const [acknowledge, status] = await timed(() => hr.post(joined(newEmployee())));
  if (status !== 202) throw new Error(`an event was answered with ${status}`);
  return { 'hand-over': handOver, claim, acknowledge };
}

async function timed<T>(act: () => Promise<T>): Promise<[number, T]> {
  const startedAt = performance.now();
  const answer = await act();
  return [performance.now() - startedAt, answer];
}

function growthRow(kind: Kind, points: readonly { size: number; latencies: readonly number[] }[]): Row {
  const exponentOf = (part: (latencies: readonly number[]) => readonly number[]) =>
    growthExponent(points.map(({ size, latencies }) => ({ size, latency: median(part(latencies)) })));
  const third = (number: number) =>
    exponentOf((all) => all.slice((number * all.length) / 3, ((number + 1) * all.length) / 3));
  const sizes = points.map(({ size }) => size);
  const [smallest, largest] = [Math.min(...sizes), Math.max(...sizes)];
  return {
    name: `growth of ${kind} latency with the backlog, exponent, ${smallest.toLocaleString('en')} → ${largest.toLocaleString('en')}`,
    figure: exponentOf((all) => all),
    unit: '',
    bound: { most: 0.2 },
    aim: { most: 0.05 },
    spread: spreadOf([third(0), third(1), third(2)]),
    samples: points.reduce((sum, { latencies }) => sum + latencies.length, 0),
    notes: [
      points
        .map(({ size, latencies }) => `${size.toLocaleString('en')}: ${median(latencies).toFixed(2)} ms`)
        .join(', '),
    ],
    ...(largest < 1_000_000 && { short: `up to ${largest.toLocaleString('en')} steps only` }),
  };
}
