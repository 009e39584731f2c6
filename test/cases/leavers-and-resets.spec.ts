import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Brake } from '../../src/brakes/brake.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import type { Reset } from '../../src/credential-resets/credential-resets.service.js';
import { Person } from '../../src/people/person.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccount } from '../factories/accounts.js';
import { aBrakeLimit } from '../factories/brake-limits.js';
import { aUser } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

let service: ServiceApp;
let tx: EntityManager;
let admin: Awaited<ReturnType<ServiceApp['caller']>>;
let toolId: string;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  admin = await service.caller('Grace');
  toolId = (await aTool(tx, { connector: 'scim' })).id;
});
afterAll(() => service?.close());

const casesOf = (personId: string) => tx.findBy(Case, { personId });
const actsOf = async (caseId: string) => (await tx.findBy(Step, { caseId })).map(({ act }) => act).toSorted();

describe('"leave now"', () => {
  const leave = (personId: string) => admin.post('/v1/leavers').send({ personId, reason: 'Dismissed.' });

  it('cuts somebody at once, whatever HR says, and keeps the reason', async () => {
    const { id: personId } = await aPerson(tx);
    await anAccount(tx, { personId, toolId });
    const { body } = await leave(personId).expect(202);
    expect(await casesOf(personId)).toMatchObject([
      { id: body.caseId, kind: 'leaver', facts: { reason: 'Dismissed.' } },
    ]);
    expect(await actsOf(body.caseId)).toEqual(['discover', 'final_look', 'suspend_account']);
    expect(await tx.findOneByOrFail(Person, { id: personId })).toMatchObject({ status: 'left' });
  });

  it('twice is one case with one hold', async () => {
    const { id: personId } = await aPerson(tx);
    const first = await leave(personId).expect(202);
    const again = await leave(personId).expect(202);
    expect(again.body).toEqual(first.body);
    expect(await casesOf(personId)).toHaveLength(1);
    expect(await tx.countBy(Hold, { personId })).toBe(1);
  });

  it('leaves accounts of services alone, though this person answers for them', async () => {
    const { id: personId } = await aPerson(tx);
    await anAccount(tx, { personId, toolId, kind: 'service', purpose: 'backup' });
    const { body } = await leave(personId).expect(202);
    expect(await actsOf(body.caseId)).toEqual(['discover', 'final_look']);
  });

  it('makes an account that nobody has seen yet a matter of looking for it', async () => {
    const { id: personId } = await aPerson(tx);
    const unseen = { externalId: null, observedState: 'unknown', observedAt: null } as const;
    await anAccount(tx, { personId, toolId, ...unseen });
    const { body } = await leave(personId).expect(202);
    expect(await actsOf(body.caseId)).toEqual(['discover', 'final_look']);
  });

  it('needs a reason and somebody to leave', async () => {
    const { id: personId } = await aPerson(tx);
    await admin.post('/v1/leavers').send({ personId }).expect(400);
    await admin.post('/v1/leavers').send({ personId, reason: ' ' }).expect(400);
    expect(await casesOf(personId)).toEqual([]);
    await leave(newId()).expect(404);
  });
});

describe('new credentials for a person', () => {
  const reset = (personId: string) => admin.post('/v1/credential-resets').send({ personId });

  it('are one urgent step for each account that is there, suspended or not, and lift no hold', async () => {
    const person = await aPerson(tx);
    const personId = person.id;
    await anAccount(tx, { personId, toolId });
    await anAccount(tx, { personId, toolId, purpose: 'admin', observedState: 'suspended' });
    await anAccount(tx, { personId, toolId, purpose: 'old', observedState: 'absent' });
    const { body } = await reset(personId).expect(202);
    const steps = await tx.findBy(Step, { caseId: body.caseId });
    expect(steps.map(({ act, state, lane }) => [act, state, lane])).toEqual([
      ['reset_credentials', 'ready', 'emergency'],
      ['reset_credentials', 'ready', 'emergency'],
    ]);
    // No new intention about what the person should have.
    expect(await tx.findOneByOrFail(Person, { id: personId })).toEqual(person);
  });

  it('are answered 409 when there is no account, and open no case', async () => {
    const { id: personId } = await aPerson(tx);
    const { body } = await reset(personId).expect(409);
    expect(body.type).toBe('/problems/conflict');
    expect(await casesOf(personId)).toEqual([]);
  });

  it('are answered 404 for somebody who is not there, and 403 without the scope', async () => {
    const { id: personId } = await aPerson(tx);
    await anAccount(tx, { personId, toolId });
    await reset(newId()).expect(404);
    const reader = await service.caller('Reader', 'people:read', 'cases:write');
    await reader.post('/v1/credential-resets').send({ personId }).expect(403);
    expect(await casesOf(personId)).toEqual([]);
  });

  it('are held beyond what one source may reset within an hour, until two people let them go; a leave isn’t held up by it', async () => {
    const ada = await aUser(service.app, 'owner', { name: 'Ada' });
    const linus = (await aUser(service.app, 'approver', { name: 'Linus' })).agent;
    await aBrakeLimit(service.app, 'resets', 1);
    const somebody = async () => {
      const { id: personId } = await aPerson(tx);
      await anAccount(tx, { personId, toolId });
      return personId;
    };
    const start = async (personId: string) =>
      (await ada.agent.post('/v1/credential-resets').send({ personId }).expect(202)).body as Reset;
    const statesOf = async ({ caseId }: Reset) => (await tx.findBy(Step, { caseId })).map(({ state }) => state);
    const first = await start(await somebody());
    expect(first.held).toBe(false);
    const [second, leaver] = [await somebody(), await somebody()];
    const [held, other] = [await start(second), await start(leaver)];
    expect([held.held, await statesOf(held)]).toEqual([true, ['held']]);
    expect(await start(second)).toEqual(held);

    // What the leave takes away it takes, and with it whatever was held of this person.
    await ada.agent.post('/v1/leavers').send({ personId: leaver, reason: 'Dismissed.' }).expect(202);
    expect(await tx.findBy(Step, { caseId: other.caseId })).toMatchObject([
      { state: 'ready', input: expect.not.objectContaining({ needsApproval: true }) },
    ]);

    const brake = await tx.findOneByOrFail(Brake, { kind: 'resets', source: ada.principal, state: 'standing' });
    const { body } = await ada.agent.post(`/v1/brakes/${brake.id}/release`).send({ reason: 'A leak.' }).expect(202);
    expect(body.plan.people).toMatchObject([{ personId: second, steps: [{ act: 'reset_credentials' }] }]);
    await linus.post(`/v1/approvals/${body.id}/approve`).send({}).expect(200);
    expect(await tx.findBy(Step, { caseId: held.caseId })).toMatchObject([
      { state: 'ready', input: { approval: { approvalId: body.id } } },
    ]);
  });
});
