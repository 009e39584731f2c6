import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { waitFor } from '../../support/wait-for.js';
import { checkCalls } from '../checks/at-the-tools.js';
import { Company, type Employee } from '../company.js';
import type { Fault, Scene } from '../fault.js';
import { ServiceUnderTest } from '../stage/service-under-test.js';

const POSTERS = 8;
/** Who all leaves by webhooks, and is seen through to the last. */
const CROWD = 150;

/**
 * People who have been there for long: written straight to the database and to the tool, since it isn't their joining
 * that is tried. Each has an account at tool 0.
 */
async function settle(scene: Scene, count: number): Promise<Employee[]> {
  const { service, company } = scene;
  const [tool] = service.tools;
  const crowd = Array.from({ length: count }, () => company.newcomer('sales'));
  const rows = crowd.map((employee) => {
    const personId = randomUUID();
    const mark = `qm:${personId}:primary`;
    const id = randomUUID();
    const { facts, username } = employee;
    tool.users.set(id, {
      id,
      externalId: mark,
      userName: username,
      email: facts.workEmail,
      active: true,
      password: null,
      version: 1,
    });
    Object.assign(employee, { personId, employed: true });
    return {
      person: personId,
      account: randomUUID(),
      external: id,
      mark,
      username,
      email: facts.workEmail,
      family: facts.familyName,
      source: facts.id,
    };
  });
  for (let from = 0; from < rows.length; from += 1_000) {
    const some = JSON.stringify(rows.slice(from, from + 1_000));
    const shape = `jsonb_to_recordset($1::jsonb) AS r (person uuid, account uuid, external text, mark text, username text, email text, family text, source text)`;
    await service.rows(
      `INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status, generation)
       SELECT r.person, 'Ada', r.family, 'Ada ' || r.family, r.email, 'active', 1 FROM ${shape}`,
      [some],
    );
    await service.rows(
      `INSERT INTO employments (id, person_id, source, source_id, department, employment_type, zone, start_date, starts_at, start_applied_at, last_event_at)
       SELECT gen_random_uuid(), r.person, 'hr', r.source, 'sales', 'employee', 'Europe/Berlin', '2026-01-05', '2026-01-05', now(), '2026-01-05' FROM ${shape}`,
      [some],
    );
    await service.rows(
      `INSERT INTO accounts (id, tool_id, person_id, username, external_id, mark, desired_state, observed_state, observed_at, observed_source, generation)
       SELECT r.account, $2, r.person, r.username, r.external, r.mark, 'active', 'active', now(), 'settled', 1 FROM ${shape}`,
      [some, service.toolIds[0]],
    );
  }
  return crowd;
}

async function allLeave(scene: Scene, crowd: readonly Employee[]): Promise<void> {
  const waiting = [...crowd];
  const post = async (): Promise<void> => {
    for (let one = waiting.shift(); one; one = waiting.shift()) await scene.company.leaves(one);
  };
  await Promise.all(Array.from({ length: POSTERS }, post));
}

interface Beneath {
  name: string;
  /** Sets in when the laptop is lost, and is over when it is fulfilled. */
  strike: (scene: Scene) => Promise<void>;
  limitMs: number;
}

function crowdLeaves({ name, strike, limitMs }: Beneath): Fault {
  return {
    name: `a crowd leaves at once, then a laptop is lost: ${name}`,
    async run(scene) {
      const { service, company } = scene;
      const crowd = await settle(scene, CROWD);
      // Sales people have no account at tool 2, which is free to fail.
      const victim = await company.joins('sales');
      await company.getsLaptop(victim);
      await company.untilAsItShould(victim);
      const began = performance.now();
      await allLeave(scene, crowd);
      const waiting = await waitingSteps(scene);
      scene.say(
        `${CROWD} leaves accepted in ${((performance.now() - began) / 1000).toFixed(1)} s, ${waiting} steps waiting`,
      );
      await Promise.all([strike(scene), loses(scene, victim, limitMs)]);
      await service.untilWell();
      await waitFor('the whole crowd is gone', () => crowd.every((one) => company.isAsItShould(one)), {
        withinMs: 120_000,
        everyMs: 500,
      });
      scene.say(`all cut after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    },
  };
}

async function loses(scene: Scene, victim: Employee, limitMs: number): Promise<void> {
  const { company, service } = scene;
  const lossId = await company.losesLaptop(victim);
  const began = performance.now();
  const queued = await waitingSteps(scene).catch(() => null);
  await company.untilAsItShould(victim, 60_000);
  scene.measure(
    `lost laptop cut before ${queued ?? 'unknown'} waiting steps, within`,
    performance.now() - began,
    limitMs,
  );
  await service.untilWell();
  await company.isRestored(victim, lossId);
}

async function waitingSteps({ service }: Scene): Promise<number> {
  const [row] = await service.rows<{ count: number }>(
    `SELECT count(*)::int AS count FROM steps WHERE lane <> 'emergency' AND state IN ('ready', 'planned', 'running', 'confirming')`,
  );
  return row?.count ?? 0;
}

const byWebhook: readonly Fault[] = [
  crowdLeaves({
    name: 'while Redis is dead',
    limitMs: 5_000,
    async strike({ service }) {
      if (!service.redis) return;
      await service.redis.kill();
      await pause(5_000);
      await service.redis.comeBack();
    },
  }),
  crowdLeaves({
    name: 'while all back ends of PostgreSQL are terminated',
    limitMs: 10_000,
    async strike({ service }) {
      await service.installation.postgres.terminateBackends(service.database);
    },
  }),
  crowdLeaves({
    name: 'while the emergency worker is killed',
    limitMs: 10_000,
    strike: ({ service }) => Promise.resolve(service.emergency.send('SIGKILL')),
  }),
];

/** What strikes while ten thousand leave, and how long a lost laptop may take beside it. */
const STRIKES: readonly { what: string; limitMs: number; strike: (scene: Scene) => Promise<(() => void) | void> }[] = [
  { what: 'nothing else', limitMs: 5_000, strike: () => Promise.resolve() },
  {
    what: 'another tool answers 500',
    limitMs: 5_000,
    strike: ({ service }) =>
      Promise.resolve(service.tools[2].whenever(({ what }) => what !== 'suspend', { kind: 'fail', status: 500 })),
  },
  {
    what: 'a worker is killed',
    limitMs: 5_000,
    strike: ({ service }) => Promise.resolve(service.workers[1].send('SIGKILL')),
  },
  {
    what: 'the emergency worker is killed',
    limitMs: 10_000,
    strike: ({ service }) => Promise.resolve(service.emergency.send('SIGKILL')),
  },
  {
    what: 'all back ends of PostgreSQL are terminated',
    limitMs: 10_000,
    async strike({ service }) {
      await service.installation.postgres.terminateBackends(service.database);
    },
  },
  { what: 'Redis is dead', limitMs: 5_000, strike: async ({ service }) => service.redis?.kill() },
];

/**
 * Ten thousand contracts end at one instant. The service is one of its own and isn't asked to see all of them through,
 * which takes it an hour on two cores: what is tried is who goes first (I8) while they wait.
 */
const tenThousand: Fault = {
  name: 'thousands of contracts end at one instant, then laptops are lost beside one fault after the other',
  async run(outer) {
    const service = await ServiceUnderTest.start(outer.service.installation);
    try {
      const company = new Company(service, 'mass');
      const scene = outer.elsewhere(service, company);
      const victims = await Promise.all(STRIKES.map(() => company.joins('sales')));
      for (const victim of victims) await company.getsLaptop(victim);
      await Promise.all(victims.map((victim) => company.untilAsItShould(victim)));
      const crowd = await settle(scene, outer.crowd);
      await service.rows(`UPDATE employments SET end_date = current_date, ends_at = now() WHERE person_id = ANY($1)`, [
        crowd.map(({ personId }) => personId),
      ]);
      await waitFor('the first of the crowd leave', async () => (await waitingSteps(scene)) > 100, {
        withinMs: 30_000,
      });
      for (const [index, { what, limitMs, strike }] of STRIKES.entries()) {
        const victim = victims[index];
        if (!victim) continue;
        const heal = await strike(scene);
        await company.losesLaptop(victim);
        const began = performance.now();
        const ahead = await peopleAhead(scene).catch(() => null);
        await company.untilAsItShould(victim, 60_000).catch(() => undefined);
        outer.measure(`lost laptop cut (${what}) within`, performance.now() - began, limitMs);
        outer.promise(ahead === null || ahead > outer.crowd / 2, `only ${ahead} of the crowd were waiting: no load`);
        if (ahead !== null && index === 0) outer.say(`${ahead} people waited`);
        heal?.();
        await service.untilWell();
      }
      outer.say(`${outer.crowd - (await peopleAhead(scene))} of ${outer.crowd} had been cut by then`);
      outer.broken.push(...(await checkCalls(service, company)));
    } finally {
      await service.stop();
    }
  },
};

/** People of the crowd whose account isn't cut yet, whether their leave was begun or not. */
async function peopleAhead({ service }: Scene): Promise<number> {
  const [row] = await service.rows<{ count: number }>(
    `SELECT count(*)::int AS count FROM accounts a JOIN employments e ON e.person_id = a.person_id
     WHERE a.tool_id = $1 AND a.observed_state = 'active' AND e.ends_at <= now()`,
    [service.toolIds[0]],
  );
  return row?.count ?? 0;
}

export const crowdsLeave: readonly Fault[] = [tenThousand, ...byWebhook];
