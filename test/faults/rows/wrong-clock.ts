import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Fault, Scene } from '../fault.js';
import type { KeptProcess } from '../stage/kept-process.js';

/** Debian's `faketime`, on each of its architectures. */
const LIBRARIES = ['x86_64', 'aarch64'].map((one) => `/usr/lib/${one}-linux-gnu/faketime/libfaketimeMT.so.1`);
export const FAKETIME = LIBRARIES.find((library) => existsSync(library)) ?? null;

/** Replaces these processes by ones whose wall clock is off; the monotonic clock is right, as it is on a real machine. */
async function withClock(
  processes: readonly KeptProcess[],
  offset: string,
  during: () => Promise<void>,
): Promise<void> {
  const variables = { LD_PRELOAD: FAKETIME ?? '', FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  for (const one of processes) Object.assign(one.extraEnv, variables);
  try {
    await Promise.all(processes.map((one) => one.replace()));
    await during();
  } finally {
    for (const one of processes) for (const name of Object.keys(variables)) delete one.extraEnv[name];
    await Promise.all(processes.map((one) => one.replace()));
  }
}

function wrongWorkers(offset: string): Fault {
  return {
    name: `a worker’s clock is off by ${offset} minutes`,
    needs: ['faketime'],
    async run(scene) {
      const { service, company } = scene;
      const [worker, other] = service.workers;
      // Alone in its lanes, so that it does all of the work and all of the sweeping but the emergency worker's.
      await other.stop();
      try {
        await withClock([worker], `${offset}m`, async () => {
          const employee = await company.joins();
          await company.untilAsItShould(employee);
          await leavesInFiveMinutes(scene);
          await company.leaves(employee);
          await company.untilAsItShould(employee);
          await longCall(scene);
        });
      } finally {
        other.start();
        await other.untilReady();
      }
    },
  };
}

/** A leave that is due in five minutes isn't carried out now, and one that is due is. */
async function leavesInFiveMinutes(scene: Scene): Promise<void> {
  const { service, company } = scene;
  const employee = await company.joins();
  await company.untilAsItShould(employee);
  const endsAt = (when: string) =>
    service.rows(
      `UPDATE employments SET end_date = current_date, ends_at = now() + $2::interval WHERE source_id = $1`,
      [employee.facts.id, when],
    );
  await endsAt('5 minutes');
  await pause(1_500);
  scene.promise(company.isAsItShould(employee), 'a leave was carried out five minutes early');
  employee.employed = false;
  await endsAt('-1 second');
  await company.untilAsItShould(employee);
}

/** A call of six seconds outlives the lease it began with: a renewed one isn't taken away from its worker. */
async function longCall(scene: Scene): Promise<void> {
  const { service, company } = scene;
  const [tool] = service.tools;
  const employee = company.newcomer();
  let holding = true;
  const over = tool.whenever((call) => holding && call.what === 'create' && call.userName === employee.username, {
    kind: 'hold',
  });
  try {
    await company.hire(employee);
    await waitFor('the create is at the tool', () => tool.waiting > 0, { withinMs: 30_000 });
    await pause(6_000);
  } finally {
    holding = false;
    over();
    tool.release();
  }
  await company.untilAsItShould(employee);
  const creates = tool.acts('create').filter(({ userName }) => userName === employee.username).length;
  scene.say(`a call of 6 s was made ${creates === 1 ? 'once' : `${creates} times`}`);
  scene.promise(creates === 1, 'the lease of a call under way was taken for lapsed');
}

const wrongApi: Fault = {
  name: 'the API server’s clock is off by 10 minutes',
  needs: ['faketime'],
  async run(scene) {
    const { service, company } = scene;
    await withClock([service.api], '+10m', async () => {
      const employee = await company.joins();
      await company.untilAsItShould(employee);
      const late = await service.hr.post(company.eventOf(employee, 'employee.changed', employee.facts), {
        sentAt: new Date(Date.now() - 6 * 60_000),
      });
      scene.promise(late.status === 401, `a webhook that was signed six minutes ago was answered ${late.status}`);
      const fresh = await service.hr.post(company.eventOf(employee, 'employee.changed', employee.facts), {
        sentAt: new Date(Date.now() - 4 * 60_000),
      });
      scene.promise(fresh.status === 202, `a webhook that was signed four minutes ago was answered ${fresh.status}`);
      await scene.loseALaptop();
    });
  },
};

export const wrongClock: readonly Fault[] = [wrongWorkers('+10'), wrongApi, wrongWorkers('-10')];
