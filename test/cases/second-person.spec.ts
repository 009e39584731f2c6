import supertest from 'supertest';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Account } from '../../src/accounts/account.entity.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Settlement } from '../../src/cases/engine/settle.js';
import { Step } from '../../src/cases/step.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { aCase, aStep } from '../factories/cases.js';
import { aUser, type User } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

type Caller = User['agent'];

let service: ServiceApp;
let tx: EntityManager;
let toolId: string;
let ada: Caller;
let grace: Caller;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  const owners = ['ada@acme.example', 'grace@acme.example'];
  toolId = (await aTool(tx, { connector: 'manual', requiresSecondPerson: true, owners })).id;
  ada = await user('ada@acme.example');
  grace = await user('grace@acme.example');
});
afterAll(() => service?.close());

const user = async (name: string, more: { personId?: string } = {}) =>
  (await aUser(service.app, 'owner', { name, ...more })).agent;

async function tokenOf(maker: Caller, ownerPersonId: string): Promise<Caller> {
  const wish = { name: 'a token', scopes: ['steps:decide', 'steps:confirm'], ownerPersonId };
  const { body } = await maker.post('/v1/tokens').send(wish).expect(201);
  return supertest.agent(service.app.getHttpServer()).set('Authorization', `Bearer ${body.token}`);
}

async function aTask(with_: Partial<Step> = {}): Promise<Step> {
  const { id } = await aStep(tx, { toolId, ...with_ });
  await service.db.transaction((inner) => service.app.get(Settlement).giveToHuman(inner, id, 'It has no API.'));
  return stepOf(id);
}

const stepOf = (id: string) => tx.findOneByOrFail(Step, { id });
const openAlerts = async ({ id }: Step) =>
  (await tx.findBy(Alert, { stepId: id })).filter(({ resolvedAt }) => resolvedAt === null);
const accountOf = ({ accountId }: Step) => tx.findOneByOrFail(Account, { id: accountId ?? '' });
const complete = (who: Caller, { id }: Step) =>
  who.post(`/v1/steps/${id}/complete`).send({ note: 'Suspended on its page.' });
const confirm = (who: Caller, { id }: Step) => who.post(`/v1/steps/${id}/confirm`).send({ note: 'Saw the page.' });

it('isn’t done by one person’s word: the other owner is asked, with a deadline and an alert', async () => {
  const step = await aTask();
  expect(step.owner).toBe('ada@acme.example');

  const { body } = await complete(ada, step).expect(200);

  expect(body).toMatchObject({ state: 'needs_human', attestedBy: 'ada@acme.example', confirmedAt: null });
  const after = await stepOf(step.id);
  expect(after).toMatchObject({
    owner: 'grace@acme.example',
    reason: 'ada@acme.example did it: Suspended on its page.',
  });
  expect(after.deadline?.getTime()).toBeGreaterThan(Date.now());
  expect(await openAlerts(step)).toMatchObject([
    { owner: 'grace@acme.example', message: expect.stringContaining('another person has to see it and confirm') },
  ]);
  expect(await accountOf(step)).toMatchObject({ observedState: 'active' });
  expect(await tx.findBy(AuditEntry, { stepId: step.id, action: 'step.attested' })).toHaveLength(1);
});

it('is done when another person confirms, under both names', async () => {
  const step = await aTask();
  await complete(ada, step).expect(200);
  const mayConfirm = async (who: Caller) => {
    const { body } = await who.get(`/v1/cases/${step.caseId}`).expect(200);
    return body.steps.map((one: { mayConfirm: boolean }) => one.mayConfirm);
  };
  expect([await mayConfirm(ada), await mayConfirm(grace)]).toEqual([[false], [true]]);
  const { body } = await confirm(grace, step).expect(200);
  expect(body).toMatchObject({
    state: 'done',
    attestedBy: 'ada@acme.example',
    reason: expect.stringMatching(/ada@acme\.example did it: .*\nConfirmed by grace@acme\.example: Saw the page\./),
  });
  expect(await accountOf(step)).toMatchObject({
    observedState: 'suspended',
    observedSource: 'attested by ada@acme.example and grace@acme.example',
  });
  expect(await tx.findBy(AuditEntry, { stepId: step.id, action: 'step.done' })).toMatchObject([
    { facts: { attestedBy: 'ada@acme.example', confirmedBy: 'grace@acme.example' } },
  ]);
  expect(await openAlerts(step)).toEqual([]);
  expect(await tx.findOneByOrFail(Case, { id: step.caseId })).toMatchObject({ state: 'closed' });
});

it('is never confirmed by who did it, by another sign-in or token of theirs, nor under another spelling of their name', async () => {
  const { id: personId } = await aPerson(tx);
  const mary = await user('Mary', { personId });
  const step = await aTask();
  await complete(mary, step).expect(200);
  for (const same of [
    mary,
    await user('Mary on her phone', { personId }),
    await tokenOf(mary, personId),
    await user('mary '),
  ]) {
    await confirm(same, step).expect(403);
  }
  // A program could be anybody's, also of who did it; a token that is another person's is that person.
  const program = await service.caller('some program');
  expect((await confirm(program, step).expect(403)).body.detail).toContain('nobody’s');
  expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
  const { id: ownerPersonId } = await aPerson(tx);
  await confirm(await tokenOf(grace, ownerPersonId), step).expect(200);
});

it('is done by a person and by no program: its maker would be two people', async () => {
  const step = await aTask();
  const { body } = await complete(await service.caller('some program'), step).expect(403);
  expect(body.detail).toContain('nobody’s');
  expect(await stepOf(step.id)).toMatchObject({ attestedBy: null });
});

it('is never confirmed, nor anything else decided, by the person whose access it is, whatever they are called', async () => {
  const person = await aPerson(tx);
  const step = await aTask({ caseId: (await aCase(tx, { personId: person.id })).id });
  await complete(ada, step).expect(200);
  const linus = await user('Linus', { personId: person.id });
  for (const subject of [linus, await tokenOf(linus, person.id), await user(person.corporateEmail)]) {
    await confirm(subject, step).expect(403);
    await subject.post(`/v1/steps/${step.id}/waive`).send({ reason: 'Nobody needs it.' }).expect(403);
  }
  expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
  // Somebody else who is linked to another person isn't taken for them because of a name.
  const namesake = await user(person.corporateEmail, { personId: (await aPerson(tx)).id });
  await confirm(namesake, step).expect(200);
});

it('is confirmed by nobody before somebody did it, and completed by nobody twice', async () => {
  const step = await aTask();
  await confirm(grace, step).expect(409);
  await complete(ada, step).expect(200);
  await complete(grace, step).expect(409);
  expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human', attestedBy: 'ada@acme.example' });
});

it('is confirmed once when two people do so at the same time', async () => {
  const step = await aTask();
  await complete(ada, step).expect(200);
  const answers = await Promise.all([confirm(grace, step), confirm(await user('Margaret'), step)]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});

it('begins again when the second person has it retried: the first word counts no more', async () => {
  const step = await aTask();
  await complete(ada, step).expect(200);
  await grace.post(`/v1/steps/${step.id}/retry`).expect(200);
  expect(await stepOf(step.id)).toMatchObject({ state: 'ready', attestedBy: null, attestedById: null });
});

it('is asked for where the tool says so, which can be changed', async () => {
  const { id } = await aTool(tx, {
    connector: 'manual',
    settings: { usernameFrom: 'local-part', connector: { toolName: 'Safe' } },
  });
  const { body } = await grace.get(`/v1/tools/${id}`).expect(200);
  expect(body).toMatchObject({ requiresSecondPerson: false });
  const changed = await grace.patch(`/v1/tools/${id}`).set('If-Match', '"1"').send({ requiresSecondPerson: true });
  expect(changed.body).toMatchObject({ requiresSecondPerson: true });
  const step = await aTask({ toolId: id });
  await complete(ada, step).expect(200);
  expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
});
