import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { percentile, spreadOf } from '../statistics.js';
import { until } from '../wait.js';

/** Long enough for the worker to be killed in the middle of its calls. */
const SLOW_TOOL = 4_000;

/** A worker is killed with SIGKILL while it holds steps: how long until another one's intent stands for each of them. */
export const takenUp: Measure = {
  name: 'taken-up',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const kills = smoke ? 1 : 6;
    const database = await stage.database();
    const service = await BenchService.start(stage, { database, tools: 4, latency: SLOW_TOOL });
    try {
      const perKill: number[][] = [];
      for (let kill = 1; kill <= kills; kill += 1) {
        await service.untilSteady();
        perKill.push(await killOnce(service, `kill-${kill}`));
      }
      const all = perKill.flat();
      return [
        {
          name: "killed worker's step taken up again, p99",
          figure: percentile(all, 0.99),
          unit: 'ms',
          bound: { most: 5_000 },
          aim: { most: 3_000 },
          spread: spreadOf(perKill.map((one) => Math.max(...one))),
          samples: all.length,
          notes: [
            `${kills} kills of the only worker of its lanes, so its restart is in it; spread: of the slowest step of each kill`,
          ],
        },
      ];
    } finally {
      await service.stop();
      await database.drop();
    }
  },
};

async function killOnce(service: BenchService, label: string): Promise<number[]> {
  const { database } = service;
  service.tools.latency = SLOW_TOOL;
  await seeding(database.pool, async (db) => {
    await seedPeople(db, { label, count: 6 });
    await seedAccounts(db, label, service.toolIds);
    await seedLeavers(db, label);
  });
  await until('the worker holds some steps', async () => {
    const held = await database.value<number>(`SELECT count(*)::int FROM steps WHERE state = 'running'`);
    return held >= 16 ? true : undefined;
  });
  const dead = service.pidOf('worker');
  const killedAt = Date.now();
  process.kill(dead, 'SIGKILL');
  const held = await database.rows<{ id: string; worker: string }>(
    `SELECT s.id, s.lease_owner AS worker FROM steps s JOIN workers w ON w.id = s.lease_owner WHERE w.pid = $1 AND s.state = 'running'`,
    [dead],
  );
  if (held.length === 0) throw new Error('the worker held nothing when it was killed');
  service.tools.latency = 0;
  const again = await until('each step is taken up again', async () => {
    const rows = await database.rows<{ at: number }>(
      `SELECT EXTRACT(EPOCH FROM min(intended_at))::float8 * 1000 AS at FROM attempts
       WHERE step_id = ANY($1) AND worker_id <> $2 GROUP BY step_id`,
      [held.map(({ id }) => id), held[0]?.worker],
    );
    return rows.length === held.length ? rows : undefined;
  });
  await until('all steps are done', async () => {
    const open = await database.value<number>(`SELECT count(*)::int FROM steps WHERE state <> 'done'`);
    return open === 0 ? true : undefined;
  });
  return again.map(({ at }) => at - killedAt);
}
