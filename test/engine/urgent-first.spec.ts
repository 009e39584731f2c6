import { afterEach, describe, expect, it } from 'vitest';
import type { FakeTool } from '../support/fake-tool.js';
import { hasRedis } from '../support/redis.js';
import { joined, newEmployee, TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

let service: TestService;
afterEach(() => service.stop());

async function routineReady(): Promise<number> {
  const [row] = await service.rows<{ count: number }>(
    `SELECT count(*)::int AS count FROM steps WHERE lane = 'standard' AND state = 'ready'`,
  );
  return row?.count ?? 0;
}

describe.each([{ redis: true }, { redis: false }].filter(({ redis }) => !redis || hasRedis()))(
  'a lost laptop, with Redis: $redis',
  ({ redis }) => {
    it('is cut before the routine work that is queued ahead of it (I8)', async () => {
      service = await TestService.start({ redis });
      const [tool] = service.tools;
      const { personId } = await service.join();
      const deviceId = await service.giveLaptop(personId);
      tool.latency = 100;
      // The queue is long before anybody works on it, and no brake holds it.
      await service.cli('brakes', 'limit', 'grants', '--at-least', '100', '--share', '0');
      await service.killWorkers('standard,bulk');
      for (let index = 0; index < 60; index += 1) await service.hr.post(joined(newEmployee()));
      expect(await routineReady()).toBe(60);
      await service.startWorker('standard,bulk');
      await waitFor('the routine work has begun', () => tool.acts('create').length > 1);

      const callsBefore = tool.calls.length;
      const { caseId } = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
      await service.untilCase(caseId, 'its account is cut', ({ steps }) =>
        steps.some(({ act, state }) => act === 'suspend_account' && state === 'done'),
      );

      expect(await routineReady()).toBeGreaterThan(0);
      const after = tool.calls.slice(callsBefore);
      const suspension = after.findIndex(({ what }) => what === 'suspend');
      expect(suspension).toBeGreaterThanOrEqual(0);
      // Creates that were let in before the urgent one are at most what the tool bears at once, each once.
      const routineAhead = after.slice(0, suspension).filter(({ what }) => what === 'create');
      expect(routineAhead.length).toBeLessThanOrEqual(16);
    });

    it('is cut while the tool that everybody waits for is stalled (I8)', async () => {
      service = await TestService.start({ redis, tools: 2 });
      const [stalled, well = stalled] = service.tools;
      const { personId } = await service.join();
      const deviceId = await service.giveLaptop(personId);
      stalled.next('create', { kind: 'hold' }, 1_000);
      for (let index = 0; index < 20; index += 1) await service.hr.post(joined(newEmployee()));
      await waitFor('the tool is stalled', () => stalled.waiting > 0);

      const { caseId } = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
      await service.untilClosed(caseId);

      const suspended = (tool: FakeTool) => [...tool.users.values()].filter(({ active }) => !active).length;
      expect(well).not.toBe(stalled);
      expect(suspended(well)).toBe(1);
      expect(suspended(stalled)).toBe(1);
      // The stalled tool holds up nobody else's joiners either.
      await waitFor('all joiners have their account at the other tool', () => well.users.size === 21, {
        withinMs: 20_000,
      });
    });
  },
);

describe('the emergency worker', () => {
  it('has all its connections before an emergency comes', async () => {
    service = await TestService.start({ redis: false, workers: ['emergency'] });
    const connections = () =>
      service.rows<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'quartermaster-worker-emergency'`,
      );
    expect(await connections()).toEqual([{ count: 16 }]);
  });
});

describe.runIf(hasRedis())('Redis', () => {
  it('may be emptied while work waits: nothing is lost (I1, I3)', async () => {
    service = await TestService.start({ redis: true });
    const [tool] = service.tools;
    tool.latency = 20;
    const cases: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      const { body } = await service.hr.post(joined(newEmployee()));
      cases.push(String(body['caseId']));
      if (index % 10 === 5) await service.redis?.empty();
    }
    for (const id of cases) await service.untilClosed(id);
    expect(tool.users.size).toBe(30);
  });

  it('may be dead: a lost laptop is cut all the same (I8)', async () => {
    service = await TestService.start({ redis: true });
    const [tool] = service.tools;
    const { personId } = await service.join();
    const deviceId = await service.giveLaptop(personId);
    await service.redis?.stop();

    const { caseId } = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
    await service.untilClosed(caseId);

    expect([...tool.users.values()].map(({ active }) => active)).toEqual([false]);
  });
});
