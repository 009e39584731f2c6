import { describe, expect, it } from 'vitest';
import { hasRedis } from '../support/redis.js';
import { joined, left, newEmployee, usernameOf } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';
import { faultyWorker, serviceWith } from './faulty-worker.js';

/** The promises about a killed worker; a file for each way that wake-ups travel, so that they run side by side. */
export function describeKilledWorkers(redis: boolean): void {
  describe.skipIf(redis && !hasRedis())(`a worker that is killed, ${redis ? 'with' : 'without'} Redis`, () => {
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
  });
}
