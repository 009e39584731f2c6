import { describe, expect, it } from 'vitest';
import { joined, left, newEmployee, usernameOf } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';
import { faultyWorker, serviceWith } from './faulty-worker.js';

const serviceOf = serviceWith(false);

describe('a worker that is frozen', () => {
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
