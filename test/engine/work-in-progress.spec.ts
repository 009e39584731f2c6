import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Attempt } from '../../src/cases/attempt.entity.js';
import { claimDue } from '../../src/cases/engine/claim.js';
import { StepRunner } from '../../src/cases/engine/run-step.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const webhook = new Webhook(secret);

/** A tool that takes a suspension and says that it is at it, until somebody calls it finished. */
const tool = { isSuspended: false, requests: [] as string[] };
let server: Server;
let service: ServiceApp;
let tx: EntityManager;
const workerId = newId();

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { type } = JSON.parse(Buffer.concat(chunks).toString()) as { type: string };
    tool.requests.push(type);
    const text = JSON.stringify({ version: 1, answer: answerTo(type) });
    const id = `${String(request.headers['webhook-id'])}:answer`;
    const now = new Date();
    response.writeHead(200, {
      'content-type': 'application/json',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, now, text),
    });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  service = await startServiceApp();
  tx = service.db.manager;
  await tx.insert(WorkerProcess, { id: workerId, lanes: ['standard'], host: 'test', pid: 1 });
});
afterAll(async () => {
  await service?.close();
  server?.closeAllConnections();
  server?.close();
});

function answerTo(type: string): unknown {
  if (type === 'check') return { principal: { id: 'own', username: 'own' }, version: null, implements: [] };
  if (type === 'account.suspend') return { outcome: 'in-progress', handle: 'job-1' };
  const nothing = { seen: true, live: 0 };
  const state = tool.isSuspended ? 'suspended' : 'active';
  const known = { id: 'a1', username: 'ada', mark: null, email: null, credentialVersion: null, grants: [] };
  return { account: { ...known, state, sessions: nothing, credentials: nothing } };
}

/** What a worker does with whatever is due; answers how much that was. */
async function work(): Promise<number> {
  const claims = await claimDue(service.db, workerId, ['standard'], 10);
  const lease = { signal: new AbortController().signal, holds: () => true };
  for (const claim of claims) await service.app.get(StepRunner).run(claim, lease);
  return claims.length;
}

it('is looked at again until the tool shows it, at once when the tool calls back, and never done by its word', async () => {
  const admin = await service.caller('Grace');
  const { body } = await admin.post('/v1/tools').send({
    key: 'crm',
    name: 'CRM',
    connector: 'webhook',
    environment: 'test',
    settings: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/quartermaster` },
    secrets: { secret },
    allowPrivateAddresses: true,
    owners: ['owner@acme.example'],
  });
  const person = await aPerson(tx);
  const account = await anAccount(tx, { personId: person.id, toolId: body.id, externalId: 'a1', username: 'ada' });
  const { id: caseId } = await aCase(tx, { personId: person.id });
  const { id } = await aStep(tx, { caseId, toolId: body.id, accountId: account.id });
  const step = () => tx.findOneByOrFail(Step, { id });
  const outcomes = async () =>
    (await tx.find(Attempt, { where: { stepId: id }, order: { number: 'ASC' } })).map(({ outcome }) => outcome);

  expect(await work()).toBe(1);
  expect(await step()).toMatchObject({ state: 'confirming', input: { inProgress: 'job-1' }, confirmedAt: null });
  expect(await outcomes()).toEqual(['in_progress']);
  // Nothing is due yet; a call-back before its time makes it due, and what is seen then is that it isn't over.
  expect(await work()).toBe(0);
  await callBack().expect(204);
  expect(await work()).toBe(1);
  expect(await step()).toMatchObject({ state: 'confirming', failures: 0 });
  expect(await outcomes()).toEqual(['in_progress', 'not_yet']);

  tool.isSuspended = true;
  await callBack().expect(204);
  expect(await work()).toBe(1);

  expect(await step()).toMatchObject({ state: 'done', confirmedAt: expect.any(Date) });
  expect(await outcomes()).toEqual(['in_progress', 'not_yet', 'shown']);
  // Asked once to suspend, and looked at for the rest.
  expect(tool.requests.filter((type) => type === 'account.suspend')).toHaveLength(1);
});

function callBack() {
  const text = JSON.stringify({ version: 1, type: 'operation.finished', handle: 'job-1' });
  const [id, now] = [`msg_${randomUUID()}`, new Date()];
  return service.stranger
    .post('/hooks/tools/crm')
    .set({
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, now, text),
    })
    .send(text);
}
