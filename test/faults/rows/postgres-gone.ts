import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Employee } from '../company.js';
import type { Fault, Scene } from '../fault.js';

const ANOTHER_EVERY_MS = 500;

/**
 * Events that come while PostgreSQL can't take them, three at once and then one after the other, since the first may be
 * there before the fault is: all get through in the end. Answers the answers meanwhile.
 */
export async function eventsMeanwhile(scene: Scene, during: () => Promise<void>): Promise<number[]> {
  const { company } = scene;
  const first = company.deliveries.length;
  const newcomers: Employee[] = [];
  const accepted: Promise<unknown>[] = [];
  const another = (): void => {
    const one = company.newcomer();
    const through = company.hire(one);
    // A failure is told below; without this it would count as one that nobody looks at.
    through.catch(() => undefined);
    newcomers.push(one);
    accepted.push(through);
  };
  another();
  another();
  another();
  const coming = setInterval(another, ANOTHER_EVERY_MS);
  await during().finally(() => clearInterval(coming));
  const backAt = Date.now();
  await Promise.all(accepted);
  scene.measure('events accepted after the return', Date.now() - backAt, 20_000);
  await Promise.all(newcomers.map((one) => company.untilAsItShould(one, 90_000)));
  scene.measure('all carried out after', Date.now() - backAt, 40_000);
  const early = company.deliveries
    .slice(first)
    .flatMap(({ answers }) => answers)
    .filter(({ at }) => at < backAt);
  const counts = new Map<number, number>();
  for (const { status } of early) counts.set(status, (counts.get(status) ?? 0) + 1);
  const told = [...counts].map(([status, count]) => `${count} × ${status === 0 ? 'no answer' : status}`);
  scene.say(`webhooks meanwhile: ${told.join(', ') || 'waiting'}`);
  return early.map(({ status }) => status);
}

/** While PostgreSQL is away, nobody is told that anything was accepted. */
function never2xx(scene: Scene, sinceDelivery: number, from: number, until: number): void {
  const early = scene.company.deliveries.slice(sinceDelivery).flatMap(({ answers }) => answers);
  const lies = early.filter(({ status, at }) => status >= 200 && status < 300 && at > from && at < until);
  scene.promise(lies.length === 0, `${lies.length} webhooks were answered 2xx while PostgreSQL was away (I3)`);
}

/** Whoever is refused because PostgreSQL is away is told so, and not that something went wrong on our side. */
function only503(scene: Scene, statuses: readonly number[]): void {
  const others = statuses.filter((status) => status >= 300 && status !== 503);
  scene.promise(others.length === 0, `webhooks were answered ${[...new Set(others)].join(' and ')}, not 503`);
}

function away(
  name: string,
  down: (scene: Scene) => Promise<void> | void,
  up: (scene: Scene) => Promise<void> | void,
  forMs: number,
): Fault {
  return {
    name,
    async run(scene) {
      const first = scene.company.deliveries.length;
      const before = new Map(scene.service.processes.map((one) => [one.name, one.endings.length]));
      const answers = await eventsMeanwhile(scene, async () => {
        await down(scene);
        try {
          // Answers that were on their way.
          await pause(300);
          const from = Date.now();
          await pause(forMs);
          never2xx(scene, first, from, Date.now());
        } finally {
          await up(scene);
        }
      });
      only503(scene, answers);
      scene.promise(answers.includes(503), 'no webhook was told that PostgreSQL is away');
      await scene.service.untilWell();
      const ended = scene.service.processes.filter((one) => one.endings.length > (before.get(one.name) ?? 0));
      scene.say(`restarted meanwhile: ${ended.map(({ name: one }) => one).join(', ') || 'nobody'}`);
    },
  };
}

const terminated: Fault = {
  name: 'all back ends of PostgreSQL terminated, five times',
  async run(scene) {
    const { installation, database } = scene.service;
    const answers = await eventsMeanwhile(scene, async () => {
      let count = 0;
      for (let round = 0; round < 5; round += 1) {
        count += await installation.postgres.terminateBackends(database);
        await pause(600);
      }
      scene.say(`${count} back ends terminated`);
    });
    only503(scene, answers);
    await scene.service.untilWell();
    await scene.loseALaptop();
  },
};

export const postgresGone: readonly Fault[] = [
  away(
    'PostgreSQL frozen for 12 s',
    ({ service }) => service.installation.postgres.freeze(),
    ({ service }) => service.installation.postgres.thaw(),
    12_000,
  ),
  terminated,
  away(
    'PostgreSQL crashed, back after 3 s',
    ({ service }) => service.installation.postgres.goAway('crash'),
    ({ service }) => service.installation.postgres.comeBack(),
    3_000,
  ),
  away(
    'PostgreSQL shut down, back after 3 s',
    ({ service }) => service.installation.postgres.goAway('fast'),
    ({ service }) => service.installation.postgres.comeBack(),
    3_000,
  ),
];

export function diskFull(forMs: number): Fault {
  return {
    name: `the disk of PostgreSQL full for ${forMs / 1_000} s`,
    needs: ['root'],
    async run(scene) {
      const { postgres } = scene.service.installation;
      const first = scene.company.deliveries.length;
      await eventsMeanwhile(scene, async () => {
        await postgres.fillDisk();
        await pause(forMs).finally(() => postgres.freeDisk());
      });
      await scene.service.untilWell();
      const refused = scene.company.deliveries
        .slice(first)
        .flatMap(({ answers }) => answers.filter(({ status }) => status >= 500));
      scene.say(`${refused.length} webhooks were refused`);
      scene.promise(refused.length > 0, 'PostgreSQL took everything: the fault was none');
      await waitFor('PostgreSQL answers', () => scene.service.rows('SELECT 1'));
    },
  };
}

export const disk: readonly Fault[] = [diskFull(8_000)];
