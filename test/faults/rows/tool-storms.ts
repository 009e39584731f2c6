import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Behaviour, SeenCall } from '../../support/fake-tool.js';
import type { Fault, Scene } from '../fault.js';

const STORM_MS = 12_000;
const PEOPLE = 5;

interface Storm {
  name: string;
  behaviour: Behaviour;
  forMs: number;
  /** How often its owner hears of it: broken credentials need them, a rate limit passes by itself. */
  alerts: { least: number; most: number };
  pauses: boolean;
  /** The tool said for how long it wants to be left alone. */
  retryAfterMs?: number;
  /** The owner has mended it and says so. */
  resumedByHand?: boolean;
}

function storm({ name, behaviour, forMs, alerts, pauses, retryAfterMs, resumedByHand }: Storm): Fault {
  return {
    name,
    async run(scene) {
      const { service, company } = scene;
      const number = scene.random.below(service.tools.length);
      const tool = service.tools[number as 0 | 1 | 2];
      const toolId = service.toolIds[number];
      const others = [0, 1, 2].filter((one) => one !== number);
      const calls: SeenCall[] = [];
      const since = new Date();
      const over = tool.whenever((call) => calls.push(call) > 0, behaviour);
      const newcomers = Array.from({ length: PEOPLE }, () => company.newcomer());
      try {
        const end = pause(forMs);
        await Promise.all(newcomers.map((one) => company.hire(one)));
        await waitFor(
          'the other tools go on',
          () => newcomers.every((one) => others.every((other) => isIn(scene, other, one.username))),
          { withinMs: 30_000 },
        );
        await end;
      } finally {
        over();
      }
      scene.say(`${calls.length} calls went into the storm`);
      if (retryAfterMs !== undefined) {
        const early = tooEarly(calls, retryAfterMs);
        scene.promise(early === 0, `${early} calls came while the tool had asked to be left alone`);
      }
      const [row] = await service.rows<{ states: string; told: number; paused: string }>(
        `SELECT (SELECT state FROM tools WHERE id = $1) AS states,
           (SELECT count(*)::int FROM alerts WHERE tool_id = $1 AND raised_at >= $2) AS told,
           (SELECT count(*)::int FROM tools WHERE state = 'paused' AND id <> $1) AS paused`,
        [toolId, since],
      );
      scene.say(`its owner was told ${row?.told ?? 0} times`);
      scene.promise(Number(row?.paused) === 0, 'another tool was paused');
      if (pauses) scene.promise(row?.states === 'paused', `the tool is ${row?.states}, not paused`);
      scene.promise((row?.told ?? 0) >= alerts.least, 'its owner was not told');
      scene.promise((row?.told ?? 0) <= alerts.most, `its owner was told ${row?.told} times`);
      if (resumedByHand) await service.call('POST', `/v1/tools/${toolId}/resume`, {});
      await Promise.all(newcomers.map((one) => company.untilAsItShould(one, 90_000)));
    },
  };
}

/** How many calls came after a refusal was surely known, and before the time was over that it named. */
function tooEarly(calls: readonly SeenCall[], retryAfterMs: number): number {
  const [known, over] = [1_000, retryAfterMs - 100];
  let first = -Infinity;
  return calls.filter(({ at }) => {
    const since = at - first;
    // The first call after such a time opens the next one.
    if (since >= over) first = at;
    return since > known && since < over;
  }).length;
}

function isIn({ service }: Scene, number: number, username: string): boolean {
  return service.tools[number as 0 | 1 | 2].usersNamed(username).some(({ active }) => active);
}

export const toolStorms: readonly Fault[] = [
  storm({
    name: 'a tool answers 401 to everything',
    behaviour: { kind: 'fail', status: 401 },
    forMs: 4_000,
    alerts: { least: 1, most: 1 },
    pauses: true,
    resumedByHand: true,
  }),
  storm({
    name: 'a tool answers 500 to everything for 12 s',
    behaviour: { kind: 'fail', status: 500 },
    forMs: STORM_MS,
    alerts: { least: 0, most: 1 },
    pauses: false,
  }),
  storm({
    name: 'a tool answers 429 with Retry-After to everything for 6 s',
    behaviour: { kind: 'fail', status: 429, headers: { 'retry-after': '3' } },
    retryAfterMs: 3_000,
    forMs: 6_000,
    alerts: { least: 0, most: 1 },
    pauses: true,
  }),
  storm({
    name: 'a tool answers 429 without Retry-After to everything for 6 s',
    behaviour: { kind: 'fail', status: 429 },
    forMs: 6_000,
    alerts: { least: 0, most: 1 },
    pauses: false,
  }),
];
