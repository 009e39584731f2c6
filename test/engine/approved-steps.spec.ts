import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Attempt } from '../../src/cases/attempt.entity.js';
import { claimDue } from '../../src/cases/engine/claim.js';
import { StepRunner } from '../../src/cases/engine/run-step.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { aBrakeLimit } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import { anHrEmployee, at, hasJoined, hasLeft, type HrEmployee } from '../factories/hr-events.js';
import { aUser } from '../factories/identities.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { FakeTool } from '../support/fake-tool.js';

type Caller = Awaited<ReturnType<ServiceApp['caller']>>;

let service: ServiceApp;
let tx: EntityManager;
let tool: FakeTool;
let grace: Caller;
let linus: Caller;
const workerId = newId();
beforeAll(async () => {
  tool = await FakeTool.start();
  service = await startServiceApp({ policy: anAccessPolicy({ rules: [{ name: 'all', tools: [{ tool: 'crm' }] }] }) });
  tx = service.db.manager;
  await tx.insert(WorkerProcess, { id: workerId, lanes: ['standard', 'emergency'], host: 'test', pid: 1 });
  grace = (await aUser(service.app, 'owner', { name: 'Grace' })).agent;
  linus = (await aUser(service.app, 'approver', { name: 'Linus' })).agent;
  await grace
    .post('/v1/tools')
    .send({
      key: 'crm',
      name: 'CRM',
      connector: 'scim',
      environment: 'test',
      settings: { baseUrl: tool.url, refusesSuspendedAtOnce: true, ownUserName: 'quartermaster' },
      secrets: { token: 'canary-tool-secret' },
      allowPrivateAddresses: true,
      owners: ['it@acme.example'],
      callsPerSecond: 1_000,
    })
    .expect(201);
  await aBrakeLimit(service.app, 'grants', 0);
});
afterAll(async () => {
  await service?.close();
  await tool?.stop();
});

/** What a worker does with whatever is due; answers how much that was. */
async function work(): Promise<number> {
  const claims = await claimDue(service.db, workerId, ['standard', 'emergency'], 50);
  const lease = { signal: new AbortController().signal, holds: () => true };
  for (const claim of claims) await service.app.get(StepRunner).run(claim, lease);
  return claims.length;
}

async function heldJoin(): Promise<{ employee: HrEmployee; create: Step }> {
  const employee = anHrEmployee();
  const { body } = await service.post(hasJoined(employee)).expect(202);
  expect(body.outcome).toBe('held');
  return { employee, create: await tx.findOneByOrFail(Step, { caseId: body.caseId, act: 'create_account' }) };
}

async function requested(kind: string): Promise<string> {
  const { body: brakes } = await grace.get('/v1/brakes?state=standing').expect(200);
  const { id } = brakes.items.find((brake: { kind: string }) => brake.kind === kind);
  const { body } = await grace.post(`/v1/brakes/${id}/release`).send({ reason: 'It is right.' }).expect(202);
  return body.id as string;
}

const approve = (id: string) => linus.post(`/v1/approvals/${id}/approve`).send({});

async function release(kind = 'grants'): Promise<string> {
  const id = await requested(kind);
  await approve(id).expect(200);
  return id;
}

const step = (id: string) => tx.findOneByOrFail(Step, { id });
const calls = (id: string) => tx.findBy(Attempt, { stepId: id, kind: 'act' });

it('runs what two people approved', async () => {
  const { create } = await heldJoin();
  expect(await work()).toBe(0);
  await release();
  expect(await work()).toBe(1);
  expect(await step(create.id)).toMatchObject({ state: 'done' });
});

it('gives what isn’t what was approved to a person, and calls no tool', async () => {
  const { create } = await heldJoin();
  await release();
  await tx.query(`UPDATE accounts SET username = 'mallory' WHERE id = $1`, [create.accountId]);
  await work();
  const after = await step(create.id);
  expect(after).toMatchObject({ state: 'needs_human', sentAt: null });
  expect(after.reason).toContain('What was approved isn’t what would run');
  expect(await calls(create.id)).toMatchObject([{ outcome: 'not_sent' }]);
  expect(await tx.countBy(Alert, { stepId: create.id, kind: 'needs_human' })).toBe(1);
});

it('refuses a held grant that was made ready in the database, past the people', async () => {
  const { create } = await heldJoin();
  await tx.query(`UPDATE steps SET state = 'ready' WHERE id = $1`, [create.id]);
  await work();
  const after = await step(create.id);
  expect(after).toMatchObject({ state: 'needs_human', sentAt: null });
  expect(after.reason).toContain('nobody has approved it');
});

/** Somebody lost their laptop, was cut off, and is to get everything back with another one: more than one person may give. */
async function heldRestoration() {
  const { create, employee } = await joinedBefore();
  const { id: deviceId } = await aDevice(tx, { holderId: create.personId });
  const { body: loss } = await grace.post('/v1/lost-devices').send({ deviceId }).expect(202);
  while ((await work()) > 0);
  const replacement = await aDevice(tx);
  const { body } = await grace
    .post(`/v1/lost-devices/${loss.caseId}/restore`)
    .send({ replacementDeviceId: replacement.id })
    .expect(202);
  expect(body.held).toBe(true);
  const stepOf = (act: Step['act']) => tx.findOneByOrFail(Step, { caseId: body.caseId, act });
  const user = [...tool.users.values()].find(({ email }) => email === employee.workEmail);
  if (!user) throw new Error('the tool has no such user');
  return {
    caseId: body.caseId as string,
    accountId: create.accountId ?? '',
    replacement,
    user,
    reset: () => stepOf('reset_credentials'),
    restore: () => stepOf('restore_account'),
  };
}

describe('access that is given back after a loss, beyond what one person may give', () => {
  beforeAll(() => aBrakeLimit(service.app, 'restorations', 0));

  it('comes back as two people approved it, with new credentials first', async () => {
    const held = await heldRestoration();
    expect(held.user).toMatchObject({ active: false });
    const approvalId = await release('restorations');
    for (const one of [await held.reset(), await held.restore()]) {
      expect(one.input).toMatchObject({ approval: { approvalId, place: { externalId: held.user.id } } });
    }
    while ((await work()) > 0);
    expect([(await held.reset()).state, (await held.restore()).state]).toEqual(['done', 'done']);
    expect(held.user).toMatchObject({ active: true });
  });

  it('doesn’t come back at another account than the one that was approved: neither its credentials nor itself', async () => {
    for (const drifts of ['reset', 'restore'] as const) {
      const held = await heldRestoration();
      await release('restorations');
      if (drifts === 'restore') expect(await work()).toBe(1);
      const elsewhere = `mallory-${held.user.id}`;
      await tx.query(`UPDATE accounts SET external_id = $2 WHERE id = $1`, [held.accountId, elsewhere]);
      const before = tool.calls.length;
      await work();
      const refused = await held[drifts]();
      expect(refused).toMatchObject({ state: 'needs_human', sentAt: null });
      expect(refused.reason).toContain('What was approved isn’t what would run');
      expect(tool.calls.slice(before).filter(({ path }) => path.includes(elsewhere))).toEqual([]);
      expect(tool.acts('restore').filter(({ userName }) => userName === held.user.userName)).toEqual([]);
      expect(await tx.countBy(Alert, { stepId: refused.id, kind: 'needs_human' })).toBe(1);
    }
  });

  it('is new credentials that were made ready in the database, past the people: refused', async () => {
    const held = await heldRestoration();
    await tx.query(`UPDATE steps SET state = 'ready' WHERE id = $1`, [(await held.reset()).id]);
    await work();
    expect((await held.reset()).reason).toContain('nobody has approved it');
    await release('restorations');
  });

  it('takes in the device that is given out: with another one it is approved anew', async () => {
    const held = await heldRestoration();
    const approvalId = await requested('restorations');
    const other = await aDevice(tx);
    await tx.query(`UPDATE cases SET device_id = $2 WHERE id = $1`, [held.caseId, other.id]);
    const { body } = await approve(approvalId).expect(409);
    expect(body.detail).toContain('isn’t what was requested');
    await tx.query(`UPDATE cases SET device_id = $2 WHERE id = $1`, [held.caseId, held.replacement.id]);
    await approve(approvalId).expect(200);
    expect(await tx.findOneByOrFail(Device, { id: held.replacement.id })).toMatchObject({ state: 'assigned' });
  });
});

it('goes on with a revocation, whatever became of the approval behind it', async () => {
  await aBrakeLimit(service.app, 'leaves', 0);
  const { create, employee } = await joinedBefore();
  const { body } = await service.post(hasLeft(employee, at(2), '2026-02-28')).expect(202);
  expect(body.outcome).toBe('held');
  const approvalId = await release('leaves');
  await tx.query(`UPDATE approvals SET plan_hash = repeat('0', 64), seal = 'edited' WHERE id = $1`, [approvalId]);
  await work();
  const suspension = await tx.findOneByOrFail(Step, { accountId: create.accountId ?? '', act: 'suspend_account' });
  expect(suspension).toMatchObject({ state: 'done' });
});

async function joinedBefore(): Promise<{ employee: HrEmployee; create: Step }> {
  const joined = await heldJoin();
  await release();
  await work();
  expect(await step(joined.create.id)).toMatchObject({ state: 'done' });
  return joined;
}
