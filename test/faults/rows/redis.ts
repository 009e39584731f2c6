import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Fault, Scene } from '../fault.js';
import type { RedisUnderTest } from '../stage/redis-under-test.js';

/** Milliseconds from `since` (by the machine's clock) until each of these cases was begun with. */
async function untilBegun({ service }: Scene, caseIds: readonly (string | null)[], since: number): Promise<number> {
  return waitFor(
    'the work that waited is begun with',
    async () => {
      const rows = await service.rows<{ id: string; begun: Date | null }>(
        `SELECT s.case_id AS id, min(a.intended_at) AS begun FROM steps s LEFT JOIN attempts a ON a.step_id = s.id
         WHERE s.case_id = ANY($1) GROUP BY s.case_id`,
        [caseIds],
      );
      if (rows.length < caseIds.length || rows.some(({ begun }) => begun === null)) return null;
      return Math.max(1, ...rows.map(({ begun }) => (begun?.getTime() ?? 0) - since));
    },
    { withinMs: 60_000, everyMs: 100 },
  );
}

function redisOf({ service }: Scene): RedisUnderTest {
  if (!service.redis) throw new Error('this service has no Redis');
  return service.redis;
}

function away(
  name: string,
  down: (redis: RedisUnderTest) => Promise<void>,
  up: (redis: RedisUnderTest) => Promise<void>,
  forMs: number,
): Fault {
  return {
    name,
    needs: ['Redis'],
    async run(scene) {
      const redis = redisOf(scene);
      const { company } = scene;
      const downAt = performance.now();
      await down(redis);
      const cases: (string | null)[] = [];
      try {
        for (let index = 0; index < 3; index += 1) {
          const asked = performance.now();
          cases.push(await company.hire(company.newcomer()));
          scene.promise(performance.now() - asked < 5_000, 'a webhook waited for Redis');
        }
        await scene.loseALaptop();
        await pause(Math.max(0, forMs - (performance.now() - downAt)));
      } finally {
        await up(redis);
      }
      const back = Date.now();
      scene.measure('refilled after', await untilBegun(scene, cases, back), 5_000);
    },
  };
}

const emptied: Fault = {
  name: 'Redis emptied again and again while work waits in it',
  needs: ['Redis'],
  async run(scene) {
    const redis = redisOf(scene);
    const cases: (string | null)[] = [];
    let over = false;
    const emptying = redis.keepEmptying(() => over);
    try {
      for (let index = 0; index < 8; index += 1) cases.push(await scene.company.hire(scene.company.newcomer()));
      await scene.loseALaptop();
    } finally {
      over = true;
    }
    const lost = await emptying;
    const emptiedAt = Date.now();
    scene.say(`${lost} wake-ups were lost with it`);
    scene.promise(lost > 0, 'nothing was in Redis when it was emptied: the fault was none');
    scene.measure('refilled after', await untilBegun(scene, cases, emptiedAt), 5_000);
  },
};

export const redisGone: readonly Fault[] = [
  away(
    'Redis killed, back after 3 s',
    (redis) => redis.kill(),
    (redis) => redis.comeBack(),
    3_000,
  ),
  emptied,
  away(
    'Redis full for 6 s',
    (redis) => redis.fill(),
    (redis) => redis.unfill(),
    6_000,
  ),
  away(
    'Redis away for 30 s',
    (redis) => redis.kill(),
    (redis) => redis.comeBack(),
    30_000,
  ),
];
