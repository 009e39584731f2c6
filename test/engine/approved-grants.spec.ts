import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Attempt } from '../../src/cases/attempt.entity.js';
import { claimDue } from '../../src/cases/engine/claim.js';
import { StepRunner } from '../../src/cases/engine/run-step.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { aBrakeLimit } from '../factories/brake-limits.js';
import { anHrEmployee, hasJoined, hasLeft, type HrEmployee } from '../factories/hr-events.js';
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
  await tx.insert(WorkerProcess, { id: workerId, lanes: ['standard'], host: 'test', pid: 1 });
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
  const claims = await claimDue(service.db, workerId, ['standard'], 50);
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

async function release(): Promise<void> {
  const { body: brakes } = await grace.get('/v1/brakes?state=standing').expect(200);
  const { body } = await grace.post(`/v1/brakes/${brakes.items[0].id}/release`).send({ reason: 'New team.' });
  await linus.post(`/v1/approvals/${body.id}/approve`).send({}).expect(200);
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

it('goes on with a revocation, whatever became of the approval behind it', async () => {
  await aBrakeLimit(service.app, 'grants', 10);
  await aBrakeLimit(service.app, 'leaves', 0);
  // Another source: the brake of the first one stands.
  const { create, employee } = await joinedBefore();
  const { body } = await service.post(hasLeft(employee)).expect(202);
  expect(body.outcome).toBe('held');
  const { body: brakes } = await grace.get('/v1/brakes?state=standing').expect(200);
  const leaves = brakes.items.find(({ kind }: { kind: string }) => kind === 'leaves');
  const { body: asked } = await grace.post(`/v1/brakes/${leaves.id}/release`).send({ reason: 'They left.' });
  await linus.post(`/v1/approvals/${asked.id}/approve`).send({}).expect(200);
  await tx.query(`UPDATE approvals SET plan_hash = repeat('0', 64), seal = 'edited' WHERE id = $1`, [asked.id]);
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
