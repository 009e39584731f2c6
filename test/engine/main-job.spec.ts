import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joined, left, TestService, usernameOf } from '../support/service.js';

describe.each([{ redis: true }, { redis: false }])('the main job, with Redis: $redis', ({ redis }) => {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start({ redis, tools: 2 });
  });
  afterAll(() => service.stop());

  it('gives a joiner an account in every tool, cuts it when the laptop is lost, gives it back, and revokes it on leaving', async () => {
    const { employee, personId } = await service.join();
    for (const tool of service.tools) {
      expect(tool.users.size).toBe(1);
      expect([...tool.users.values()][0]).toMatchObject({ email: employee.workEmail, active: true });
    }

    const deviceId = await service.giveLaptop(personId);
    const passwords = service.tools.map((tool) => [...tool.users.values()][0]?.password);
    const loss = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
    const cut = await service.untilClosed(loss.caseId);
    for (const tool of service.tools) expect([...tool.users.values()][0]).toMatchObject({ active: false });
    const suspensions = cut.steps.filter(({ act }) => act === 'suspend_account');
    expect(suspensions).toHaveLength(2);
    for (const { requestedAt, sentAt, confirmedAt } of suspensions) {
      expect(Date.parse(requestedAt)).toBeLessThan(Date.parse(sentAt ?? ''));
      expect(Date.parse(sentAt ?? '')).toBeLessThan(Date.parse(confirmedAt ?? ''));
    }

    const restored = await service.call<{ caseId: string }>('POST', `/v1/lost-devices/${loss.caseId}/restore`, {});
    await service.untilClosed(restored.caseId);
    for (const [index, tool] of service.tools.entries()) {
      const [user] = tool.users.values();
      expect(user?.active).toBe(true);
      expect(user?.password).not.toBe(passwords[index]);
      expect(tool.acts().map(({ what }) => what)).toEqual(['create', 'suspend', 'reset', 'restore']);
    }

    const leave = await service.hr.post(left(employee));
    expect(leave.status).toBe(202);
    await service.untilClosed(String(leave.body['caseId']));
    for (const tool of service.tools) expect([...tool.users.values()][0]).toMatchObject({ active: false });

    const callsBefore = service.tools.map((tool) => tool.acts().length);
    const repeat = await service.hr.post(left(employee), { webhookId: leave.webhookId });
    expect(repeat.body).toMatchObject({ outcome: 'applied', caseId: leave.body['caseId'] });
    const late = await service.hr.post(joined(employee, new Date(Date.now() - 60_000)));
    expect(late.body).toMatchObject({ outcome: 'outdated' });
    expect(service.tools.map((tool) => tool.acts().length)).toEqual(callsBefore);
  });

  it('calls an account cut when the tool, asked again on a connection of its own, shows it', async () => {
    const [tool] = service.tools;
    const { employee } = await service.join();
    const callsBefore = tool.calls.length;
    const leave = await service.hr.post(left(employee));
    const { steps } = await service.untilClosed(String(leave.body['caseId']));

    const [suspension] = steps.filter(({ act, toolName }) => act === 'suspend_account' && toolName === 'Tool 0');
    const attempts = suspension?.attemptsMade ?? [];
    expect(attempts.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ['act', 'done'],
      ['read_back', 'shown'],
    ]);
    const [act, readBack] = attempts.map(({ id }) =>
      tool.calls.slice(callsBefore).filter(({ attemptId }) => attemptId === id),
    );
    expect(act?.some(({ what }) => what === 'suspend')).toBe(true);
    expect(readBack?.length).toBeGreaterThan(0);
    expect(readBack?.every(({ what }) => what === 'look')).toBe(true);
    const connectionsOfAct = act?.map(({ connection }) => connection);
    for (const { connection } of readBack ?? []) expect(connectionsOfAct).not.toContain(connection);
  });

  it('acts again when the tool says "done" and shows the account active (I1)', async () => {
    const [tool] = service.tools;
    const { employee } = await service.join();
    tool.next('suspend', { kind: 'pretend' });
    const leave = await service.hr.post(left(employee));
    const { steps } = await service.untilClosed(String(leave.body['caseId']));

    const [suspension] = steps.filter(({ act, toolName }) => act === 'suspend_account' && toolName === 'Tool 0');
    expect(suspension?.attemptsMade.map(({ outcome }) => outcome)).toEqual(['done', 'contradicted', 'done', 'shown']);
    expect(tool.usersNamed(usernameOf(employee)).map(({ active }) => active)).toEqual([false]);
  });
});
