import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '../../support/wait-for.js';
import type { Behaviour, FakeTool } from '../../support/fake-tool.js';
import type { Fault, Scene } from '../fault.js';

const CALL_MS = 10_000;
const MOST_READ = 6 * 1024 * 1024;

interface Strange {
  name: string;
  behaviour: Behaviour;
  /** What the service asks of the tool when the answer comes: a change, or a look. */
  what: 'create' | 'look';
  after?: (scene: Scene, tool: FakeTool) => void;
}

function strange({ name, behaviour, what, after }: Strange): Fault {
  return {
    name,
    async run(scene) {
      const { service, company } = scene;
      const tool = scene.random.pick(service.tools);
      const employee = company.newcomer();
      let times = 2;
      const met: (string | null)[] = [];
      const over = tool.whenever((call) => {
        const isIt =
          what === 'create' ? call.what === 'create' && call.userName === employee.username : call.path === '/Users';
        if (!isIt || (times -= 1) < 0) return false;
        met.push(call.attemptId);
        return true;
      }, behaviour);
      try {
        await company.hire(employee);
        await waitFor('the answer was met', () => met.length > 0, { withinMs: 30_000 });
        const attempts = await waitFor(
          'the calls that met it are over',
          async () => {
            const rows = await service.rows<{ error: string | null; took: number }>(
              `SELECT error_kind AS error, EXTRACT(EPOCH FROM finished_at - intended_at)::float8 * 1000 AS took
               FROM attempts WHERE id = ANY($1) AND finished_at IS NOT NULL ORDER BY number`,
              [met],
            );
            return rows.length === new Set(met).size && rows;
          },
          { withinMs: 40_000, everyMs: 50 },
        );
        over();
        scene.say(`it counted as ${[...new Set(attempts.map(({ error }) => error ?? 'a success'))].join(' and ')}`);
        scene.measure('the call was over after', Math.max(...attempts.map(({ took }) => took)), CALL_MS + 2_000);
        after?.(scene, tool);
      } finally {
        over();
      }
      await retryWhatNeedsAPerson(scene);
      await company.untilAsItShould(employee, 90_000);
    },
  };
}

/** What an answer that makes no sense left to a person is tried again, now that the tool is well. */
export async function retryWhatNeedsAPerson(scene: Scene): Promise<void> {
  const { service } = scene;
  const steps = await service.rows<{ id: string; reason: string; owned: boolean }>(
    `SELECT s.id, s.reason, s.owner <> '' AND EXISTS (
       SELECT 1 FROM alerts a WHERE a.step_id = s.id AND a.kind = 'needs_human' AND a.resolved_at IS NULL) AS owned
     FROM steps s WHERE s.state = 'needs_human'`,
  );
  for (const { id, reason, owned } of steps) {
    scene.say(`left to a person: ${reason}`);
    scene.promise(owned, `a step needs a person and has no owner or no alert: ${reason}`);
    await service.call('POST', `/v1/steps/${id}/retry`, {});
  }
}

const redirect: Fault = {
  name: 'a tool redirects elsewhere',
  async run(scene) {
    let visitors = 0;
    const elsewhere = createServer((_request, response) => {
      visitors += 1;
      response.end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const to = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/Users`;
    try {
      await strange({ name: '', behaviour: { kind: 'redirect', to }, what: 'create' }).run(scene);
      scene.promise(visitors === 0, 'a redirect was followed, with the tool’s secret');
    } finally {
      elsewhere.close();
    }
  },
};

const capped = (scene: Scene, tool: FakeTool): void => {
  scene.say(`${(tool.longestFlood / 1024 / 1024).toFixed(1)} MiB were read at most`);
  scene.promise(tool.longestFlood < 2 * MOST_READ, 'an endless answer was read on and on');
};

export const strangeAnswers: readonly Fault[] = [
  strange({ name: 'a look is answered without end', behaviour: { kind: 'flood' }, what: 'look', after: capped }),
  redirect,
  strange({ name: 'a create’s answer trickles in for ever', behaviour: { kind: 'drip' }, what: 'create' }),
  strange({ name: 'a create is answered with broken JSON', behaviour: { kind: 'broken-json' }, what: 'create' }),
  strange({ name: 'a create is answered without end', behaviour: { kind: 'flood' }, what: 'create', after: capped }),
];
