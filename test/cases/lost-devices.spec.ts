import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Account } from '../../src/accounts/account.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { StepNeed } from '../../src/cases/step-need.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { Tool } from '../../src/tools/tool.entity.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

let service: ServiceApp;
let tx: EntityManager;
let admin: Awaited<ReturnType<ServiceApp['caller']>>;
let chat: string;
beforeAll(async () => {
  service = await startServiceApp({
    policy: anAccessPolicy({ rules: [{ name: 'everyone', tools: [{ tool: 'chat' }] }] }),
  });
  await liftBrakeLimits(service.app);
  tx = service.db.manager;
  admin = await service.caller('Grace');
  chat = (await aTool(tx, { key: 'chat', connector: 'scim' })).id;
});
afterAll(() => service?.close());

interface Somebody {
  person: Person;
  account: Account;
  laptop: Device;
}

/** Employed, with an account that works and a laptop. */
async function somebody(): Promise<Somebody> {
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, startAppliedAt: new Date() });
  const account = await anAccount(tx, { personId: person.id, toolId: chat });
  return { person, account, laptop: await aDevice(tx, { holderId: person.id }) };
}

const report = (body: object) => admin.post('/v1/lost-devices').send(body);
const restore = (caseId: string, body: object = {}) => admin.post(`/v1/lost-devices/${caseId}/restore`).send(body);

async function lose({ laptop }: { laptop: Device }): Promise<string> {
  return (await report({ deviceId: laptop.id }).expect(202)).body.caseId as string;
}

const caseOf = (id: string) => tx.findOneByOrFail(Case, { id });
const stepsOf = (caseId: string) => tx.find(Step, { where: { caseId }, order: { position: 'ASC' } });
const desired = async ({ account }: Somebody) => (await tx.findOneByOrFail(Account, { id: account.id })).desiredState;
const holdsOn = async ({ person }: Somebody) =>
  (await tx.findBy(Hold, { personId: person.id }))
    .filter(({ releasedAt }) => releasedAt === null)
    .map(({ reason }) => reason);

/** All that a report or a restore could change about somebody. */
async function world(one: Somebody) {
  const personId = one.person.id;
  return {
    person: await tx.findOneByOrFail(Person, { id: personId }),
    account: await tx.findOneByOrFail(Account, { id: one.account.id }),
    laptop: await tx.findOneByOrFail(Device, { id: one.laptop.id }),
    cases: await tx.find(Case, { where: { personId }, order: { id: 'ASC' } }),
    steps: await tx.find(Step, { where: { personId }, order: { id: 'ASC' } }),
    holds: await tx.find(Hold, { where: { personId }, order: { id: 'ASC' } }),
  };
}

describe('a lost laptop', () => {
  it('cuts all of its holder’s access in the emergency lane, and is marked lost', async () => {
    const ada = await somebody();
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['active', []]);
    const { body } = await report({ deviceId: ada.laptop.id, note: 'Left in a taxi.' }).expect(202);
    expect(body).toEqual({ caseId: expect.any(String), again: false });
    expect(await caseOf(body.caseId)).toMatchObject({
      kind: 'lost_device',
      lane: 'emergency',
      scope: 'person',
      openedBy: 'Grace',
      personId: ada.person.id,
      deviceId: ada.laptop.id,
      facts: { assetTag: ada.laptop.assetTag, note: 'Left in a taxi.' },
    });
    const steps = await stepsOf(body.caseId);
    expect(steps.map(({ act, state, lane }) => [act, state, lane])).toEqual([
      ['suspend_account', 'ready', 'emergency'],
      ['discover', 'ready', 'emergency'],
      ['final_look', 'planned', 'emergency'],
    ]);
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['suspended', ['lost_device']]);
    expect(await tx.findOneByOrFail(Device, { id: ada.laptop.id })).toMatchObject({
      state: 'lost',
      holderId: ada.person.id,
    });
  });

  it('keeps what was known of its encryption at that moment, and how old that knowledge was', async () => {
    const ada = await somebody();
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    await admin
      .post(`/v1/devices/${ada.laptop.id}/observations`)
      .send({ kind: 'disk_encryption', value: 'encrypted', source: 'agent', observedAt: hourAgo })
      .expect(201);
    const caseId = await lose(ada);
    const known = (await caseOf(caseId)).facts as Record<string, Record<string, unknown>>;
    expect(known['diskEncryption']).toMatchObject({ value: 'encrypted', source: 'agent', observedAt: hourAgo });
    expect(known['diskEncryption']?.['ageSeconds']).toBeGreaterThanOrEqual(3_600);
    expect(known['lastOnline']).toEqual({ value: 'unknown', because: 'nobody ever looked' });
  });

  it('that is reported again has the same case, and nothing changes', async () => {
    const ada = await somebody();
    const caseId = await lose(ada);
    const before = await world(ada);
    const { body } = await report({ assetTag: ada.laptop.assetTag, note: 'Still gone.' }).expect(202);
    expect(body).toEqual({ caseId, again: true });
    expect(await world(ada)).toEqual(before);
  });

  it('that is reported by several people at once has one case', async () => {
    const ada = await somebody();
    const answers = await Promise.all(Array.from({ length: 5 }, () => report({ deviceId: ada.laptop.id }).expect(202)));
    expect(new Set(answers.map(({ body }) => body.caseId)).size).toBe(1);
    expect(answers.filter(({ body }) => body.again === false)).toHaveLength(1);
    expect((await world(ada)).cases).toHaveLength(1);
  });

  it('of which only the device is cut has one case, too, however many report it at once', async () => {
    const ada = await somebody();
    const body = { deviceId: ada.laptop.id, scope: 'device' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => report(body).expect(202)));
    expect(new Set(answers.map(({ body: { caseId } }) => caseId)).size).toBe(1);
  });

  it('that somebody else has by now is their loss, also while who lost it before is still without access', async () => {
    const [ada, bob] = [await somebody(), await somebody()];
    const before = await lose(ada);
    await admin.post(`/v1/devices/${ada.laptop.id}/return`).expect(200);
    await admin.post(`/v1/devices/${ada.laptop.id}/assign`).send({ personId: bob.person.id }).expect(200);
    const { body } = await report({ deviceId: ada.laptop.id }).expect(202);
    expect(body).toEqual({ caseId: expect.not.stringMatching(before), again: false });
    expect([await holdsOn(bob), await desired(bob)]).toEqual([['lost_device'], 'suspended']);
    expect(await tx.findOneByOrFail(Device, { id: ada.laptop.id })).toMatchObject({ state: 'lost' });
  });

  it('can be named by its asset tag or its serial number', async () => {
    for (const by of ['assetTag', 'serial'] as const) {
      const ada = await somebody();
      const { body } = await report({ [by]: ada.laptop[by] }).expect(202);
      expect(await caseOf(body.caseId)).toMatchObject({ deviceId: ada.laptop.id });
    }
  });

  it('that nobody knows is answered 404, and so is one whose names belong to two devices', async () => {
    const [ada, grace] = [await somebody(), await somebody()];
    await report({ assetTag: 'QM-nothing' }).expect(404);
    await report({ deviceId: newId() }).expect(404);
    const { body } = await report({ assetTag: ada.laptop.assetTag, serial: grace.laptop.serial }).expect(404);
    expect(body.type).toBe('/problems/not-found');
    expect([await holdsOn(ada), await holdsOn(grace)]).toEqual([[], []]);
  });

  it('that nobody has is answered 409: there is no access to cut', async () => {
    const spare = await aDevice(tx);
    const { body } = await report({ deviceId: spare.id }).expect(409);
    expect(body.detail).toContain('Nobody has this device');
    expect(await tx.findOneByOrFail(Device, { id: spare.id })).toMatchObject({ state: 'in_stock' });
  });

  it('has to be named', async () => {
    const { body } = await report({ note: 'My laptop!' }).expect(400);
    expect(JSON.stringify(body)).toContain('one of deviceId, assetTag and serial');
  });

  it('may be reported by whoever may do that, and nothing else', async () => {
    const ada = await somebody();
    const desk = await service.caller('Front desk', 'lost-devices:report');
    await service.stranger.post('/v1/lost-devices').send({ deviceId: ada.laptop.id }).expect(401);
    await (
      await service.caller('Reader', 'cases:read')
    )
      .post('/v1/lost-devices')
      .send({ deviceId: ada.laptop.id })
      .expect(403);
    expect(await holdsOn(ada)).toEqual([]);
    const { body } = await desk.post('/v1/lost-devices').send({ deviceId: ada.laptop.id }).expect(202);
    await desk.post(`/v1/lost-devices/${body.caseId}/restore`).send({}).expect(403);
    expect(await holdsOn(ada)).toEqual(['lost_device']);
  });

  it('is cut off everywhere else, too, when one tool is of a kind that this version does not know', async () => {
    const ada = await somebody();
    const relic = await aTool(tx, { connector: 'from-another-version' });
    try {
      const steps = await stepsOf(await lose(ada));
      expect(steps.filter(({ toolId }) => toolId === chat).map(({ act }) => act)).toContain('suspend_account');
      // Its look becomes a task: what can't be looked at isn't left out in silence.
      expect(steps.filter(({ toolId }) => toolId === relic.id).map(({ act }) => act)).toEqual([
        'discover',
        'final_look',
      ]);
      expect(await desired(ada)).toBe('suspended');
    } finally {
      await tx.update(Tool, { id: relic.id }, { state: 'retired' });
    }
  });

  it('supersedes what was to be given and not sent yet, and no revocation', async () => {
    const ada = await somebody();
    const { id: caseId } = await aCase(tx, { personId: ada.person.id, kind: 'mover' });
    const target = { caseId, toolId: chat, accountId: ada.account.id };
    const unsent = [];
    for (const state of ['planned', 'held', 'ready', 'needs_human'] as const) {
      unsent.push(await aStep(tx, { ...target, act: 'grant', state }));
    }
    const untouched = [
      await aStep(tx, { ...target, act: 'withdraw', state: 'ready' }),
      await aStep(tx, { ...target, act: 'suspend_account', state: 'needs_human' }),
      await aStep(tx, { ...target, act: 'reset_credentials', state: 'planned' }),
      await aStep(tx, { ...target, act: 'grant', state: 'running' }),
      await aStep(tx, { ...target, act: 'grant', state: 'confirming' }),
      await aStep(tx, { ...target, act: 'grant', state: 'done' }),
    ];
    const other = await aStep(tx, { act: 'grant', toolId: chat });
    await lose(ada);
    for (const { id } of unsent) {
      expect(await tx.findOneByOrFail(Step, { id })).toMatchObject({
        state: 'superseded',
        reason: 'The person lost a device.',
      });
    }
    for (const before of [...untouched, other]) {
      expect(await tx.findOneByOrFail(Step, { id: before.id })).toEqual(before);
    }
    expect(await caseOf(caseId)).toMatchObject({ state: 'open' });
  });

  it('closes the case of which nothing is left to do', async () => {
    const ada = await somebody();
    const { id: caseId } = await aCase(tx, { personId: ada.person.id, kind: 'joiner' });
    await aStep(tx, { caseId, toolId: chat, accountId: ada.account.id, act: 'create_account' });
    await lose(ada);
    expect(await caseOf(caseId)).toMatchObject({ state: 'closed' });
  });
});

describe('access after a loss', () => {
  it('comes back with new credentials first, and only after all that is still being cut', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    const { generation } = (await world(ada)).person;
    const { body } = await restore(loss).expect(202);
    expect(body).toEqual({ caseId: expect.any(String), stillHeld: [], held: false });
    expect(await caseOf(body.caseId)).toMatchObject({ kind: 'restoration', parentCaseId: loss, state: 'open' });
    const [reset, back, ...rest] = await stepsOf(body.caseId);
    expect([reset?.act, back?.act, rest.length]).toEqual(['reset_credentials', 'restore_account', 0]);
    expect([reset?.state, back?.state]).toEqual(['planned', 'planned']);
    const cut = (await stepsOf(loss)).find(({ act }) => act === 'suspend_account');
    expect(await tx.findBy(StepNeed, { stepId: reset?.id ?? '' })).toMatchObject([{ needsStepId: cut?.id }]);
    expect(await tx.findBy(StepNeed, { stepId: back?.id ?? '' })).toMatchObject([{ needsStepId: reset?.id }]);
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['active', []]);
    expect((await world(ada)).person.generation).toBeGreaterThan(generation);
  });

  it('does not end what the loss had begun: its revocations go on', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    const before = await stepsOf(loss);
    await restore(loss).expect(202);
    expect(await stepsOf(loss)).toEqual(before);
    expect(await caseOf(loss)).toMatchObject({ state: 'open' });
  });

  it('is given back once: the second time is answered 409 and changes nothing', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    await restore(loss).expect(202);
    const before = await world(ada);
    const { body } = await restore(loss).expect(409);
    expect(body.detail).toContain('before');
    expect(await world(ada)).toEqual(before);
  });

  it('is given back once when two people do it at the same time', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    const answers = await Promise.all([restore(loss), restore(loss)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 409]);
    expect((await world(ada)).cases.map(({ kind }) => kind)).toEqual(['lost_device', 'restoration']);
  });

  it('stays away while the person has left, which the answer and the case say', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    await admin.post('/v1/leavers').send({ personId: ada.person.id, reason: 'Last day.' }).expect(202);
    const { body } = await restore(loss).expect(202);
    expect(body.stillHeld).toEqual(['leaver']);
    expect(await stepsOf(body.caseId)).toEqual([]);
    expect(await caseOf(body.caseId)).toMatchObject({ state: 'closed', facts: { stillHeld: ['leaver'] } });
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['suspended', ['leaver']]);
  });

  it('stays away while another laptop is lost, and comes back with the second one', async () => {
    const ada = await somebody();
    const second = await aDevice(tx, { holderId: ada.person.id });
    const losses = [await lose(ada), await lose({ laptop: second })];
    expect(losses[0]).not.toBe(losses[1]);
    expect(await holdsOn(ada)).toEqual(['lost_device', 'lost_device']);
    const first = await restore(losses[0] ?? '').expect(202);
    expect(first.body.stillHeld).toEqual(['lost_device']);
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['suspended', ['lost_device']]);
    const last = await restore(losses[1] ?? '').expect(202);
    expect(last.body.stillHeld).toEqual([]);
    expect((await stepsOf(last.body.caseId)).map(({ act }) => act)).toEqual(['reset_credentials', 'restore_account']);
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['active', []]);
  });

  it('comes with a replacement, given out in the same decision', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    const spare = await aDevice(tx);
    const { body } = await restore(loss, { replacementDeviceId: spare.id }).expect(202);
    expect(await tx.findOneByOrFail(Device, { id: spare.id })).toMatchObject({
      state: 'assigned',
      holderId: ada.person.id,
    });
    expect(await caseOf(body.caseId)).toMatchObject({ deviceId: spare.id });
  });

  it.each([
    ['is somebody else’s', 409, async () => (await somebody()).laptop.id],
    ['is not there', 404, async () => newId()],
  ])('does not come back when the replacement %s: the whole decision is refused', async (_what, status, deviceOf) => {
    const ada = await somebody();
    const loss = await lose(ada);
    const before = await world(ada);
    await restore(loss, { replacementDeviceId: await deviceOf() }).expect(status);
    expect(await world(ada)).toEqual(before);
  });

  it('is nothing that another kind of case can give back', async () => {
    const { id } = await aCase(tx, { kind: 'leaver' });
    await restore(id).expect(404);
    await restore(newId()).expect(404);
  });

  it('is cut anew when the same laptop is reported after that', async () => {
    const ada = await somebody();
    const loss = await lose(ada);
    await restore(loss).expect(202);
    expect(await desired(ada)).toBe('active');
    const { body } = await report({ deviceId: ada.laptop.id }).expect(202);
    expect(body.again).toBe(false);
    expect(body.caseId).not.toBe(loss);
    expect([await desired(ada), await holdsOn(ada)]).toEqual(['suspended', ['lost_device']]);
  });
});
