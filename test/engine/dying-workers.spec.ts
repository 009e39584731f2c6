import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestProcess } from '../support/processes.js';
import { hasRedis } from '../support/redis.js';
import { joined, left, newEmployee, TestService, usernameOf } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

const FAULTS = 'test/support/fault-at.mjs';

/** One service for all tests of a block; each brings the worker that meets its fault. */
function serviceWith(redis: boolean): () => TestService {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start({ redis, workers: ['emergency'] });
  });
  afterEach(() => service.killWorkers('standard,bulk'));
  afterAll(() => service.stop());
  return () => service;
}

async function faultyWorker(service: TestService, fault: string): Promise<TestProcess> {
  return service.startWorker('standard,bulk', { preload: FAULTS, env: { QM_FAULT: fault } });
}

describe.each([{ redis: true }, { redis: false }].filter(({ redis }) => !redis || hasRedis()))(
  'a worker that dies, with Redis: $redis',
  ({ redis }) => {
    const serviceOf = serviceWith(redis);

    it.each(['claimed', 'sending', 'answered'])(
      'leaves exactly one account behind when it is killed while a create is %s (I2)',
      async (phase) => {
        const service = serviceOf();
        const employee = newEmployee();
        const accounts = () => service.tools[0].usersNamed(usernameOf(employee));
        const worker = await faultyWorker(service, `${phase} create_account SIGKILL`);
        const { body } = await service.hr.post(joined(employee));
        expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' });
        expect(accounts()).toHaveLength(phase === 'answered' ? 1 : 0);

        await service.startWorker('standard,bulk');
        const done = await service.untilClosed(String(body['caseId']));

        expect(accounts()).toHaveLength(1);
        const [create] = done.steps.filter(({ act }) => act === 'create_account');
        expect(create?.state).toBe('done');
        expect(create?.attemptsMade[0]).toMatchObject({ kind: 'act', outcome: null });
        expect(create?.attemptsMade[0]?.abandonedAt).not.toBeNull();
        // Nobody knows what the lost call did, so it is looked at before anything is sent again.
        expect(create?.attemptsMade[1]).toMatchObject({ kind: 'read_back' });
      },
    );

    it('finds the account of a create that the tool carried out after its worker was killed (I2)', async () => {
      const service = serviceOf();
      const [tool] = service.tools;
      const employee = newEmployee();
      const worker = await service.startWorker('standard,bulk');
      tool.next('create', { kind: 'hold' });
      const { body } = await service.hr.post(joined(employee));
      await waitFor('the create is at the tool', () => tool.waiting === 1);
      await worker.kill('SIGKILL');
      tool.release();
      await waitFor('the tool carried it out', () => tool.usersNamed(usernameOf(employee)).length === 1);

      await service.startWorker('standard,bulk');
      await service.untilClosed(String(body['caseId']));

      expect(tool.usersNamed(usernameOf(employee))).toHaveLength(1);
      expect(tool.acts('create').filter(({ userName }) => userName === usernameOf(employee))).toHaveLength(1);
    });

    it('finds the account of a create whose answer was lost (I2)', async () => {
      const service = serviceOf();
      const [tool] = service.tools;
      const employee = newEmployee();
      await service.startWorker('standard,bulk');
      tool.next('create', { kind: 'swallow-answer' });
      const { body } = await service.hr.post(joined(employee));
      await service.untilClosed(String(body['caseId']));
      expect(tool.usersNamed(usernameOf(employee))).toHaveLength(1);
      expect(tool.acts('create').filter(({ userName }) => userName === usernameOf(employee))).toHaveLength(1);
    });

    it.each(['claimed', 'sending', 'answered'])(
      'revokes the account all the same when it is killed while a suspension is %s (I1)',
      async (phase) => {
        const service = serviceOf();
        const worker = await faultyWorker(service, `${phase} suspend_account SIGKILL`);
        const { employee } = await service.join();
        const states = () => service.tools[0].usersNamed(usernameOf(employee)).map(({ active }) => active);
        expect(states()).toEqual([true]);
        const { body } = await service.hr.post(left(employee));
        expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' });

        await service.startWorker('standard,bulk');
        const done = await service.untilClosed(String(body['caseId']));

        expect(states()).toEqual([false]);
        expect(done.steps.every(({ state }) => state === 'done')).toBe(true);
      },
    );

    it('sends nothing that was not written down as an intent before (I6)', async () => {
      const service = serviceOf();
      const [tool] = service.tools;
      const worker = await faultyWorker(service, 'answered create_account SIGKILL');
      const { body } = await service.hr.post(joined(newEmployee()));
      await worker.ended;
      await service.startWorker('standard,bulk');
      await service.untilClosed(String(body['caseId']));

      const intents = await service.rows<{ id: string }>('SELECT id FROM attempts');
      const known = new Set(intents.map(({ id }) => id));
      expect(tool.calls.length).toBeGreaterThan(0);
      for (const { attemptId } of tool.calls) expect(known).toContain(attemptId);
    });
  },
);

describe('a worker that is frozen', () => {
  const serviceOf = serviceWith(false);

  it('lands a create after the leave: it is found and revoked before the leave closes (I4)', async () => {
    const service = serviceOf();
    const employee = newEmployee();
    const accounts = () => service.tools[0].usersNamed(usernameOf(employee));
    const worker = await faultyWorker(service, 'sending create_account SIGSTOP');
    await service.hr.post(joined(employee));
    await worker.waitForLine(/fault: SIGSTOP/);
    await service.startWorker('standard,bulk');
    const { body } = await service.hr.post(left(employee));
    const leave = String(body['caseId']);
    // The last look must not believe that nothing is there while a call may still land.
    await service.untilCase(leave, 'waits for the call in the air', ({ steps }) =>
      steps.some(({ act, reason }) => act === 'final_look' && (reason ?? '').includes('may still land')),
    );
    expect(accounts()).toEqual([]);

    worker.send('SIGCONT');
    await waitFor('the late create landed', () => accounts().length === 1, { withinMs: 15_000 });
    await service.untilClosed(leave);

    expect(accounts().map(({ active }) => active)).toEqual([false]);
  });

  it('changes nothing in the database when it wakes up after another took its step over (I5)', async () => {
    const service = serviceOf();
    const worker = await faultyWorker(service, 'sending suspend_account SIGSTOP');
    const { employee } = await service.join();
    const { body } = await service.hr.post(left(employee));
    await worker.waitForLine(/fault: SIGSTOP/);
    await service.startWorker('standard,bulk');
    const done = await service.untilClosed(String(body['caseId']));
    const steps = 'SELECT id, state, fence, attempts FROM steps ORDER BY id';
    const before = await service.rows(steps);

    worker.send('SIGCONT');
    const [suspension] = done.steps.filter(({ act }) => act === 'suspend_account');
    await waitFor('the late outcome is kept with its attempt', async () => {
      const rows = await service.rows<{ late: string | null }>(
        `SELECT detail ->> 'late' AS late FROM attempts WHERE step_id = $1 AND number = 1`,
        [suspension?.id],
      );
      return rows[0]?.late === 'true';
    });
    expect(await service.rows(steps)).toEqual(before);
  });
});

describe('a worker whose event loop is stuck', () => {
  const serviceOf = serviceWith(false);

  it('is ended by its watchdog, and its step goes on elsewhere (I9)', async () => {
    const service = serviceOf();
    const employee = newEmployee();
    const worker = await faultyWorker(service, 'claimed create_account loop');
    const { body } = await service.hr.post(joined(employee));
    await worker.waitForLine(/fault: loop/);
    await service.startWorker('standard,bulk');
    expect(await worker.ended).toMatchObject({ signal: 'SIGKILL' });
    await service.untilClosed(String(body['caseId']));
    expect(service.tools[0].usersNamed(usernameOf(employee))).toHaveLength(1);
  });
});
