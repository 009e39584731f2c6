import { randomUUID } from 'node:crypto';
import { waitFor } from '../../support/wait-for.js';
import type { Fault, Scene } from '../fault.js';

type Event = Record<string, unknown>;

/** Each event five times, in any order, several at once. */
async function shuffledFiveTimes({ company, random }: Scene, events: readonly Event[]): Promise<void> {
  const named = events.map((event) => ({ event, webhookId: `msg_${randomUUID()}` }));
  const posts = random.shuffle(Array.from({ length: 5 }, () => named).flat());
  const deliver = async (): Promise<void> => {
    for (let post = posts.shift(); post; post = posts.shift()) {
      await company.deliver(post.event, { webhookId: post.webhookId });
    }
  };
  await Promise.all([deliver(), deliver(), deliver()]);
}

const outOfOrder: Fault = {
  name: 'join, move, leave and return, each five times and shuffled',
  async run(scene) {
    const { company, random } = scene;
    const endsEmployed = random.chance(0.5);
    const employee = company.newcomer();
    const { facts } = employee;
    const events = [
      company.eventOf(employee, 'employee.joined', facts),
      company.eventOf(employee, 'employee.changed', { ...facts, department: 'sales' }),
      company.eventOf(employee, 'employee.left', { id: facts.id, endDate: '2026-01-06' }),
      ...(endsEmployed ? [company.eventOf(employee, 'employee.joined', facts)] : []),
    ];
    employee.employed = endsEmployed;
    await shuffledFiveTimes(scene, events);
    await company.untilAsItShould(employee);
    scene.say(endsEmployed ? 'employed at the end' : 'gone at the end');
  },
};

const joinAfterLeave: Fault = {
  name: 'a join that arrives after its leave',
  async run(scene) {
    const { company, service } = scene;
    const employee = company.newcomer();
    const join = company.eventOf(employee, 'employee.joined', employee.facts);
    const leave = company.eventOf(employee, 'employee.left', { id: employee.facts.id, endDate: '2026-01-06' });
    const first = await company.deliver(leave);
    const second = await company.deliver(join);
    scene.say(`the leave is ${first.outcome}, the late join ${second.outcome}`);
    scene.promise(second.outcome === 'outdated', `a join that is older than its leave was ${second.outcome}`);
    const users = service.tools.flatMap((tool) => tool.usersNamed(employee.username));
    scene.promise(users.length === 0, 'somebody who had left already got an account');
  },
};

const cancelledLeave: Fault = {
  name: 'a leave that is cancelled before its day, told five times',
  async run(scene) {
    const { company } = scene;
    const employee = await company.joins();
    await company.untilAsItShould(employee);
    const nextYear = `${new Date().getUTCFullYear() + 1}-06-30`;
    const leave = {
      ...company.eventOf(employee, 'employee.left', { id: employee.facts.id, endDate: nextYear }),
      immediate: false,
    };
    const { outcome } = await company.deliver(leave);
    scene.promise(outcome === 'scheduled', `a leave of next year was ${outcome}`);
    await shuffledFiveTimes(scene, [company.eventOf(employee, 'employee.leave-cancelled', { id: employee.facts.id })]);
    await company.untilAsItShould(employee, 10_000);
    const [row] = await scene.service.rows<{ end: string | null }>(
      `SELECT end_date::text AS end FROM employments WHERE source_id = $1`,
      [employee.facts.id],
    );
    scene.promise(row?.end === null, `the cancelled leave still stands (${row?.end})`);
  },
};

const rehireWhileLeaving: Fault = {
  name: 'a rehire while the leave is still cutting',
  async run(scene) {
    const { company, service } = scene;
    const [tool] = service.tools;
    const employee = company.newcomer();
    // Until the service has seen each account: one whose create is in the air has nothing to suspend yet.
    await scene.untilClosed(await company.hire(employee));
    await company.untilAsItShould(employee);
    let holding = true;
    const over = tool.whenever((call) => holding && call.what === 'suspend' && call.userName === employee.username, {
      kind: 'hold',
    });
    let rehire: string | null;
    try {
      await company.leaves(employee);
      await waitFor('the cut is under way', () => tool.waiting > 0, { withinMs: 30_000 });
      rehire = await company.hire(employee);
    } finally {
      holding = false;
      over();
      tool.release();
    }
    // At first the account looks as it should, since it wasn't cut yet.
    await scene.untilClosed(rehire);
    await company.untilAsItShould(employee);
    for (const [number, each] of service.tools.entries()) {
      const acts = each
        .acts()
        .filter(({ userName }) => userName === employee.username)
        .map(({ what }) => what);
      if (number === 0) scene.say(`the tool saw: ${acts.join(', ')}`);
      scene.promise(
        acts.includes('suspend'),
        `tool ${number}: the leave’s revocation was superseded by the rehire (${acts.join(', ')})`,
      );
      const [reset, restore] = [acts.indexOf('reset'), acts.lastIndexOf('restore')];
      scene.promise(
        reset > acts.indexOf('suspend') && restore > reset,
        `tool ${number}: access came back with the old credentials (${acts.join(', ')})`,
      );
    }
  },
};

export const eventsOutOfOrder: readonly Fault[] = [outOfOrder, joinAfterLeave, cancelledLeave, rehireWhileLeaving];

const changeDuringCut: Fault = {
  name: 'an HR change while a loss is being cut',
  async run(scene) {
    const { company, service } = scene;
    const [tool] = service.tools;
    const [employee] = await company.hiresWithLaptops(1);
    if (!employee) throw new Error('nobody was hired');
    let holding = true;
    const over = tool.whenever((call) => holding && call.what === 'suspend' && call.userName === employee.username, {
      kind: 'hold',
    });
    let lossId: string;
    try {
      lossId = await company.losesLaptop(employee);
      await waitFor('the cut is under way', () => tool.waiting > 0, { withinMs: 30_000 });
      await company.moves(employee, 'sales');
    } finally {
      holding = false;
      over();
      tool.release();
    }
    await company.untilAsItShould(employee);
    const rows = await service.rows(`SELECT 1 FROM steps WHERE case_id = $1 AND state = 'superseded'`, [lossId]);
    scene.promise(rows.length === 0, `${rows.length} steps of the loss were superseded`);
    await company.isRestored(employee, lossId);
    await company.untilAsItShould(employee);
    scene.say('suspended throughout, and given back as the new department has it');
  },
};

const twoHolds: Fault = {
  name: 'two laptops lost, access given back for one of them',
  async run(scene) {
    const { company } = scene;
    const [employee] = await company.hiresWithLaptops(1);
    if (!employee) throw new Error('nobody was hired');
    const first = await company.losesLaptop(employee);
    await company.getsLaptop(employee);
    const second = await company.losesLaptop(employee);
    await company.untilAsItShould(employee);
    await company.isRestored(employee, first);
    const { service } = scene;
    await waitFor('that decision is carried out', async () => {
      const open = await service.rows(
        `SELECT 1 FROM cases WHERE person_id = $1 AND kind = 'restoration' AND state = 'open'`,
        [await company.personIdOf(employee)],
      );
      return open.length === 0;
    });
    scene.promise(company.isAsItShould(employee), 'access came back although another hold stands');
    await company.isRestored(employee, second);
    await company.untilAsItShould(employee);
  },
};

export const newsDuringCut: readonly Fault[] = [changeDuringCut, twoHolds];
