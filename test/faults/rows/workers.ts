import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.js';
import type { Fault, Scene } from '../fault.js';
import type { Order, Ticket } from '../stage/orders.js';

type Act = 'create_account' | 'suspend_account';

/** Makes work of this kind: somebody joins, or joins and leaves again. */
async function makeWork({ company }: Scene, act: Act): Promise<void> {
  const employee = await company.joins();
  if (act === 'create_account') return;
  await company.untilAsItShould(employee);
  await company.leaves(employee);
}

async function orderAndWork(
  scene: Scene,
  act: Act,
  order: Omit<Order, 'act' | 'attemptKind' | 'once' | 'lane'>,
): Promise<Ticket> {
  const given = await scene.service.orders.give({ ...order, act, attemptKind: 'act', lane: 'standard', once: true });
  try {
    const [ticket] = await Promise.all([given.taken(60_000), makeWork(scene, act)]);
    return ticket;
  } finally {
    await given.cancel();
  }
}

function killedAt(phase: Order['phase'], act: Act): Fault {
  return {
    name: `worker killed while a step (${act}) is "${phase}"`,
    async run(scene) {
      const ticket = await orderAndWork(scene, act, { phase, fault: 'SIGKILL' });
      const next = await scene.untilNextAttempt(ticket.stepId, ticket.attemptNumber, ticket.at);
      scene.measure('taken up again after', next.after, 5_000);
      if (act === 'create_account')
        scene.promise(next.kind === 'read_back', 'a lost create is looked at before it is sent again (I2)');
    },
  };
}

const killedDuring: Fault = {
  name: 'worker killed while the tool works on its call',
  async run(scene) {
    const { service } = scene;
    const tool = scene.random.pick(service.tools);
    const before = tool.calls.length;
    tool.next('create', { kind: 'hold' });
    await scene.company.joins();
    await waitFor('the create is at the tool', () => tool.waiting > 0, { withinMs: 30_000 });
    const call = tool.calls.slice(before).find(({ what }) => what === 'create');
    const [attempt] = await service.rows<{ stepId: string; number: number; pid: number }>(
      `SELECT a.step_id AS "stepId", a.number, w.pid FROM attempts a JOIN workers w ON w.id = a.worker_id WHERE a.id = $1`,
      [call?.attemptId],
    );
    if (!attempt) throw new Error('the tool saw a create that nobody intended');
    const killedAtInstant = Date.now();
    service.processOf(attempt.pid)?.send('SIGKILL');
    await pause(300);
    tool.release();
    const next = await scene.untilNextAttempt(attempt.stepId, attempt.number, killedAtInstant);
    scene.measure('taken up again after', next.after, 5_000);
    scene.promise(next.kind === 'read_back', 'a lost create is looked at before it is sent again (I2)');
  },
};

export const workerKilled: readonly Fault[] = [
  killedAt('sending', 'suspend_account'),
  killedAt('answered', 'create_account'),
  killedDuring,
  killedAt('claimed', 'create_account'),
  killedAt('answered', 'suspend_account'),
];

const FREEZE_MS = 20_000;

function frozenAt(phase: Order['phase'], act: Act): Fault {
  return {
    name: `worker frozen for 20 s while a step (${act}) is "${phase}", then woken`,
    async run(scene) {
      const { service, company } = scene;
      const count = company.people.length;
      // Only our own newcomer is created or suspended meanwhile.
      const ticket = await scene.background.standStill(() => orderAndWork(scene, act, { phase, fault: 'SIGSTOP' }));
      const frozen = service.processOf(ticket.pid);
      if (!frozen) throw new Error('the frozen worker is not one of ours');
      // Whoever was to get an account leaves meanwhile: the call that lands after that must not stand (I4).
      const newcomer = company.people[count];
      if (act === 'create_account' && newcomer) await company.leaves(newcomer);
      await pause(FREEZE_MS - (Date.now() - ticket.at));
      const before = await stepRow(scene, ticket.stepId);
      frozen.send('SIGCONT');
      scene.say(`the step was ${before?.state ?? 'gone'} when the worker woke up`);
      await pause(1_500);
      const after = await stepRow(scene, ticket.stepId);
      if (before?.ended) {
        const isSame = JSON.stringify(after) === JSON.stringify(before);
        scene.promise(isSame, 'a stale worker changed a step that had ended (I5)');
      }
      if (act === 'suspend_account') {
        scene.promise(before?.ended === true, 'a frozen worker held a revocation up for 20 s (I1)');
      }
    },
  };
}

async function stepRow({ service }: Scene, stepId: string) {
  const [row] = await service.rows<{ state: string; fence: string; attempts: number; ended: boolean }>(
    `SELECT state, fence::text, attempts, ended_at IS NOT NULL AS ended FROM steps WHERE id = $1`,
    [stepId],
  );
  return row;
}

export const workerFrozen: readonly Fault[] = [
  frozenAt('sending', 'create_account'),
  frozenAt('claimed', 'suspend_account'),
  frozenAt('sending', 'suspend_account'),
  frozenAt('answered', 'create_account'),
];
