import { randomBytes, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Step } from '../../src/cases/step.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
let tx: EntityManager;
let crm: { id: string; key: string; secret: string };
let erp: typeof crm;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  [crm, erp] = [await ownTool('crm'), await ownTool('erp')];
});
afterAll(() => service?.close());

async function ownTool(key: string): Promise<typeof crm> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const admin = await service.caller('Grace');
  const { body } = await admin
    .post('/v1/tools')
    .send({
      key,
      name: key.toUpperCase(),
      connector: 'webhook',
      environment: 'test',
      settings: { url: `https://${key}.acme.example/quartermaster` },
      secrets: { secret },
      owners: ['owner@acme.example'],
    })
    .expect(201);
  return { id: body.id, key, secret };
}

/** A step whose tool is still working at it, to be looked at in an hour. */
async function waiting(handle: string, with_: Partial<Step> = {}): Promise<Step> {
  const dueAt = new Date(Date.now() + 3_600_000);
  return aStep(tx, { toolId: crm.id, state: 'confirming', input: { inProgress: handle }, dueAt, ...with_ });
}

const isDue = async ({ id }: Step) => (await tx.findOneByOrFail(Step, { id })).dueAt.getTime() <= Date.now();

interface Differing {
  key?: string;
  secret?: string;
  at?: Date;
  body?: object;
}

function callBack(handle: string, { key = crm.key, secret = crm.secret, at = new Date(), body }: Differing = {}) {
  const text = JSON.stringify(body ?? { version: 1, type: 'operation.finished', handle });
  const id = `msg_${randomUUID()}`;
  return service.stranger
    .post(`/hooks/tools/${key}`)
    .set({
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, at, text),
    })
    .send(text);
}

it('makes the step that waits for it due at once, and decides nothing about it', async () => {
  const step = await waiting('job-1');
  const another = await waiting('job-2');
  expect(await isDue(step)).toBe(false);

  await callBack('job-1').expect(204);

  expect(await isDue(step)).toBe(true);
  expect(await tx.findOneByOrFail(Step, { id: step.id })).toMatchObject({ state: 'confirming', confirmedAt: null });
  expect(await isDue(another)).toBe(false);
});

it('leaves alone the steps of another tool, and one that is being looked at just now', async () => {
  const others = await waiting('job-3', { toolId: erp.id });
  const lease = { leaseOwner: newId(), leaseUntil: new Date(Date.now() + 60_000) };
  const looking = await waiting('job-3', lease);
  await callBack('job-3').expect(204);
  expect([await isDue(others), await isDue(looking)]).toEqual([false, false]);
});

it('takes one that nobody waits for, early or late, without a word', async () => {
  await callBack('no-such-job').expect(204);
});

it.each<[string, () => Differing]>([
  ['another tool’s secret', () => ({ secret: erp.secret })],
  ['a time ten minutes ago', () => ({ at: new Date(Date.now() - 600_000) })],
  ['the key of no tool', () => ({ key: 'no-such-tool' })],
])('refuses %s with the same 401', async (_what, differing) => {
  const step = await waiting('job-4');
  const { body } = await callBack('job-4', differing()).expect(401);
  expect(body).toMatchObject({ detail: 'No tool that calls back has this key and signs like this.' });
  expect(await isDue(step)).toBe(false);
});

it('answers a signed one that it can’t read with 400 and what it should be', async () => {
  const { body } = await callBack('', { body: { version: 2, done: true } }).expect(400);
  expect(body.detail).toContain('operation.finished');
});
