import supertest from 'supertest';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Approval } from '../../src/approvals/approval.entity.js';
import { Brake } from '../../src/brakes/brake.entity.js';
import type { BrakeKind } from '../../src/brakes/decide-brake.js';
import { RemindOfBrakes } from '../../src/brakes/remind-of-brakes.service.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { cliContext } from '../../src/cli/cli-context.js';
import type { CliContext } from '../../src/cli/command.js';
import { runCli } from '../../src/cli/run-cli.js';
import { DueEmployments } from '../../src/hr-feeds/due-employments.service.js';
import { HrSourcesService } from '../../src/hr-feeds/hr-sources.service.js';
import { Employment } from '../../src/people/employment.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { SCOPES, SYSTEM } from '../../src/platform/sign-in/actor.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { anAccount } from '../factories/accounts.js';
import { aBrakeLimit } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import {
  anHrEmployee,
  at,
  hasChanged,
  hasJoined,
  hasLeft,
  staysAfterAll,
  type HrEmployee,
} from '../factories/hr-events.js';
import { aUser } from '../factories/identities.js';
import { aPerson, anEmployment } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

type Caller = Awaited<ReturnType<ServiceApp['caller']>>;

let service: ServiceApp;
let tx: EntityManager;
let grace: Caller;
let graceId: string;
let linus: Caller;
let toolId: string;
beforeAll(async () => {
  service = await startServiceApp({
    policy: anAccessPolicy({
      rules: [
        { name: 'engineering', when: { department: 'engineering' }, tools: [{ tool: 'chat', groups: ['engineers'] }] },
        { name: 'sales', when: { department: 'sales' }, tools: [{ tool: 'chat', groups: ['sellers'] }] },
      ],
    }),
  });
  tx = service.db.manager;
  ({ agent: grace, principal: graceId } = await aUser(service.app, 'owner', { name: 'Grace' }));
  linus = (await aUser(service.app, 'approver', { name: 'Linus' })).agent;
  toolId = (await aTool(tx, { key: 'chat', connector: 'scim' })).id;
});
afterAll(() => service?.close());

/** Somebody employed, with an account; each test is a source of its own. */
async function employed(source: string, department = 'engineering'): Promise<HrEmployee & { personId: string }> {
  const employee = anHrEmployee();
  const { id: personId } = await aPerson(tx, { corporateEmail: employee.workEmail });
  await anEmployment(tx, { personId, source, sourceId: employee.id, department, startAppliedAt: new Date() });
  await anAccount(tx, { personId, toolId });
  return { ...employee, personId };
}

async function aSource(name: string): Promise<(event: unknown) => Promise<Record<string, string | null>>> {
  const secret = await service.app.get(HrSourcesService).addSecret(name, SYSTEM);
  return async (event) =>
    (await service.post(event, { source: name, secret }).expect(202)).body as Record<string, string | null>;
}

const allow = (kind: BrakeKind, atLeast: number) => aBrakeLimit(service.app, kind, atLeast);

const standing = (source: string) => tx.findOneByOrFail(Brake, { source, state: 'standing' });
const statesOf = async (caseId: string | null | undefined) =>
  [...new Set((await tx.findBy(Step, { caseId: caseId ?? '' })).map(({ state }) => state))].toSorted();
const statusOf = async (personId: string) => (await tx.findOneByOrFail(Person, { id: personId })).status;

async function requested(brakeId: string, act: 'release' | 'discard' = 'release', by = grace): Promise<string> {
  const { body } = await by.post(`/v1/brakes/${brakeId}/${act}`).send({ reason: 'HR confirmed it.' }).expect(202);
  return body.id as string;
}

/** `count` people told to leave at once by a source that may end `allowed` an hour. */
async function exceeded(source: string, count: number, allowed: number) {
  const post = await aSource(source);
  await allow('leaves', allowed);
  const people = await Promise.all(Array.from({ length: count }, () => employed(source)));
  const answers = [];
  for (const person of people) {
    const { outcome, caseId } = await post(hasLeft(person));
    answers.push({ person, outcome, caseId });
  }
  const held = answers.filter(({ outcome }) => outcome === 'held');
  return { post, people, answers, held, brake: await standing(`hr:${source}`) };
}

describe('an HR feed that ends 200 people at once', () => {
  it('ends as many as the limit lets pass, holds the others and tells of it once, whatever comes at the same time', async () => {
    const post = await aSource('flood');
    const people = await Promise.all(Array.from({ length: 200 }, () => employed('flood')));
    const answers: Record<string, string | null>[] = [];
    while (answers.length < people.length) {
      const wave = people.slice(answers.length, answers.length + 20);
      answers.push(...(await Promise.all(wave.map((person) => post(hasLeft(person))))));
    }
    // 5 % of the active staff may be more than ten: the brake says how many it let pass.
    const brake = await standing('hr:flood');
    const passed = answers.filter(({ outcome }) => outcome === 'applied');
    const held = answers.filter(({ outcome }) => outcome === 'held');
    expect(passed).toHaveLength(brake.allowed);
    expect(brake.allowed).toBe(Math.max(10, Math.floor(brake.staff * 0.05)));
    expect(held).toHaveLength(200 - brake.allowed);
    expect(await statesOf(held[0]?.['caseId'])).toEqual(['held']);
    const alerts = await tx.findBy(Alert, { kind: 'brake_held' });
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.message).toContain(`${held.length} held`);
    expect(alerts[0]?.message).toContain(brake.id);
    const { body } = await grace.get(`/v1/brakes/${brake.id}`).expect(200);
    expect(body.people).toBe(held.length);
    expect(body.held[0].steps.map(({ act }: { act: string }) => act).toSorted()).toEqual([
      'discover',
      'final_look',
      'suspend_account',
    ]);
    // Nothing of it was begun: the schedule leaves them alone, too.
    expect(await service.app.get(DueEmployments).applyDue()).toBe(0);
    const leftNow = await tx.countBy(Person, { status: 'left' });
    expect(leftNow).toBe(passed.length);
  });

  it('is ended as it was told once two people release it, with the accounts that came since', async () => {
    const { held, brake } = await exceeded('release', 3, 1);
    const [first] = held;
    const later = await anAccount(tx, { personId: first?.person.personId ?? '', toolId, purpose: 'admin' });
    const approvalId = await requested(brake.id);
    const mayDecide = async (who: typeof grace) => {
      const { body } = await who.get(`/v1/approvals?targetId=${brake.id}`).expect(200);
      return body.items.map((one: { mayDecide: boolean }) => one.mayDecide);
    };
    expect([await mayDecide(grace), await mayDecide(linus)]).toEqual([[false], [true]]);
    await grace.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(403);
    expect(await statesOf(first?.caseId)).toEqual(['held']);
    await linus.post(`/v1/approvals/${approvalId}/approve`).send({ note: 'Seen.' }).expect(200);
    expect(await mayDecide(linus)).toEqual([false]);
    for (const { person, caseId } of held) {
      expect(await statusOf(person.personId)).toBe('left');
      expect(await statesOf(caseId)).toEqual(['planned', 'ready']);
      expect(await tx.countBy(Hold, { personId: person.personId, reason: 'leaver' })).toBe(1);
    }
    const suspended = await tx.findBy(Step, { caseId: first?.caseId ?? '', act: 'suspend_account' });
    expect(suspended.map(({ accountId }) => accountId)).toContain(later.id);
    expect(await tx.findOneByOrFail(Brake, { id: brake.id })).toMatchObject({ state: 'released', approvalId });
    const alert = await tx.findOneByOrFail(Alert, { dedupKey: `brake_held:${brake.id}` });
    expect(alert.resolvedAt).not.toBeNull();
    const employment = await tx.findOneByOrFail(Employment, { sourceId: first?.person.id ?? '' });
    expect(employment).toMatchObject({ endHeldAt: null, endAppliedAt: expect.any(Date) });
  });

  it('ends nobody once two people discard it, and a case says who answers for that', async () => {
    const { held, brake } = await exceeded('discard', 2, 1);
    const approvalId = await requested(brake.id, 'discard');
    await linus.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(200);
    const [one] = held;
    expect(await statusOf(one?.person.personId ?? '')).toBe('active');
    expect(await statesOf(one?.caseId)).toEqual(['superseded', 'waived']);
    expect(await tx.findOneByOrFail(Case, { id: one?.caseId ?? '' })).toMatchObject({ state: 'closed' });
    expect(await service.app.get(DueEmployments).applyDue()).toBe(0);
  });

  it('goes on without whom HR keeps after all, and the brake ends when it holds nobody more', async () => {
    const { post, held, brake } = await exceeded('cancelled', 2, 1);
    const [one] = held;
    if (!one) throw new Error('one is held');
    expect(await post(staysAfterAll(one.person))).toMatchObject({ outcome: 'applied' });
    expect(await statesOf(one.caseId)).toEqual(['superseded', 'waived']);
    expect(await statusOf(one.person.personId)).toBe('active');
    expect(await tx.findOneByOrFail(Brake, { id: brake.id })).toMatchObject({ state: 'emptied' });
  });

  it('stays held when the same feed tells a change of somebody, whose access stays as it is', async () => {
    const { post, held } = await exceeded('changed', 2, 1);
    const [one] = held;
    if (!one) throw new Error('one is held');
    const { personId, ...employee } = one.person;
    await post(hasChanged({ ...employee, department: 'sales' }, at(5)));
    expect(await statesOf(one.caseId)).toEqual(['held']);
    const suspensions = await tx.findBy(Step, { personId, act: 'suspend_account' });
    expect(suspensions.map(({ state }) => state)).toEqual(['held']);
  });
});

describe('a brake that nobody decides about', () => {
  const remind = () => service.app.get(RemindOfBrakes).remind();

  it('is told of again every four hours, until somebody does', async () => {
    const { brake } = await exceeded('forgotten', 2, 1);
    const reminders = () => tx.findBy(Alert, { dedupKey: `brake_overdue:${brake.id}` });
    await remind();
    expect(await reminders()).toEqual([]);
    for (const times of [1, 2]) {
      await tx.query(`UPDATE brakes SET told_at = told_at - interval '4 hours' WHERE id = $1`, [brake.id]);
      await remind();
      expect(await reminders()).toHaveLength(times);
    }
    await linus
      .post(`/v1/approvals/${await requested(brake.id)}/approve`)
      .send({})
      .expect(200);
    expect((await reminders()).filter(({ resolvedAt }) => resolvedAt === null)).toEqual([]);
  });

  it('ends by itself when something else closed what it held', async () => {
    const post = await aSource('overtaken');
    await allow('grants', 0);
    const employee = anHrEmployee();
    const { caseId } = await post(hasJoined(employee));
    const { id: personId } = await tx.findOneByOrFail(Person, { corporateEmail: employee.workEmail });
    const device = await aDevice(tx, { holderId: personId, state: 'assigned' });
    await grace.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    expect(await statesOf(caseId)).toEqual(['superseded']);
    expect(await standing('hr:overtaken')).toBeTruthy();
    await remind();
    expect(await tx.findOneByOrFail(Brake, { source: 'hr:overtaken' })).toMatchObject({ state: 'emptied' });
  });
});

describe('what a brake never holds', () => {
  it('a lost laptop of somebody whose leave is held', async () => {
    const { held } = await exceeded('laptop', 2, 1);
    const personId = held[0]?.person.personId ?? '';
    const device = await aDevice(tx, { holderId: personId, state: 'assigned' });
    const { body } = await grace.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    expect(await statesOf(body.caseId)).toEqual(['planned', 'ready']);
  });

  it('an administrator’s “leave now” about one of the held people, which carries the held case out', async () => {
    const { held } = await exceeded('leave-now', 3, 1);
    const [one, other] = held;
    const { body } = await grace
      .post('/v1/leavers')
      .send({ personId: one?.person.personId, reason: 'Dismissed.' })
      .expect(202);
    expect(body).toEqual({ caseId: one?.caseId, held: false });
    expect(await statesOf(one?.caseId)).toEqual(['planned', 'ready']);
    expect(await statusOf(one?.person.personId ?? '')).toBe('left');
    expect(await statesOf(other?.caseId)).toEqual(['held']);
  });

  it('somebody whom an administrator ends now, until they end more than the limit lets pass', async () => {
    await allow('leaves', 2);
    const margaret = await service.caller('Margaret Hamilton');
    const people = await Promise.all([0, 1, 2].map(() => employed('hr')));
    const answers = [];
    for (const { personId } of people) {
      const { body } = await margaret.post('/v1/leavers').send({ personId, reason: 'Site closes.' }).expect(202);
      answers.push(body.held);
    }
    expect(answers).toEqual([false, false, true]);
    expect(await standing('service:margaret hamilton')).toMatchObject({ kind: 'leaves', held: 1 });
  });

  it('the first one whom somebody ends now, whatever the limit: it counts for its hour and leaves no room', async () => {
    await allow('leaves', 0);
    const katherine = await service.caller('Katherine Johnson');
    const leave = async () => {
      const { personId } = await employed('hr');
      return (await katherine.post('/v1/leavers').send({ personId, reason: 'Dismissed.' }).expect(202)).body.held;
    };
    expect([await leave(), await leave()]).toEqual([false, true]);
    await tx.query(`UPDATE brake_slots SET used_at = used_at - interval '1 hour' WHERE source = $1`, [
      'service:katherine johnson',
    ]);
    expect([await leave(), await leave()]).toEqual([false, true]);
  });

  it('another source, which has a limit of its own', async () => {
    await exceeded('one-source', 2, 1);
    const post = await aSource('another-source');
    expect(await post(hasLeft(await employed('another-source')))).toMatchObject({ outcome: 'applied' });
  });
});

describe('an approval', () => {
  it('counts once, whoever approves at the same time', async () => {
    const { brake } = await exceeded('once', 2, 1);
    const approvalId = await requested(brake.id);
    const margaret = (await aUser(service.app, 'approver', { name: 'Margaret' })).agent;
    const answers = await Promise.all(
      [linus, margaret].map((one) => one.post(`/v1/approvals/${approvalId}/approve`).send({})),
    );
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
  });

  it('is of another person, by whichever sign-in or token either of them comes, and not of whom it is about', async () => {
    const { held, brake } = await exceeded('same-person', 2, 1);
    const [ada, other] = [await aPerson(tx), await aPerson(tx)];
    const user = async (personId: string, name = 'Somebody') =>
      (await aUser(service.app, 'owner', { name, personId })).agent;
    const adas = await user(ada.id, 'Ada');
    const tokenOf = async (maker: Caller, whose: object) => {
      const wish = { name: 'Else', scopes: ['approvals:decide', 'approvals:request'], ...whose };
      const { body } = await maker.post('/v1/tokens').send(wish).expect(201);
      return supertest.agent(service.app.getHttpServer()).set('Authorization', `Bearer ${body.token}`);
    };
    const approvalId = await requested(brake.id, 'release', adas);
    const refused = async (who: Caller) =>
      (await who.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(403)).body.detail as string;
    expect(await refused(await user(ada.id, 'Ada’s other sign-in'))).toContain('Another person');
    expect(await refused(await tokenOf(adas, { ownerPersonId: other.id }))).toContain('Another person');
    expect(await refused(await tokenOf(grace, { ownerPersonId: ada.id }))).toContain('Another person');
    expect(await refused((await aUser(service.app, 'owner', { name: ' ada' })).agent)).toContain('Another person');
    expect(await refused(await user(held[0]?.person.personId ?? ''))).toContain('themselves');
    // A program is nobody: whoever made it could be both of the two people.
    const whose = { name: `deploy ${brake.id}`, ownerPersonId: other.id };
    const { body: deploy } = await grace.post('/v1/service-principals').send(whose).expect(201);
    const program = await tokenOf(grace, { servicePrincipalId: deploy.id });
    expect(await refused(program)).toContain('nobody’s');
    await program.post(`/v1/brakes/${brake.id}/release`).send({ reason: 'Why not.' }).expect(403);
    // Linked to another person, the same name is somebody else's.
    const namesake = await user(other.id, 'Ada');
    await namesake.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(200);
  });

  it('is of exactly the people that were shown', async () => {
    const { post, brake } = await exceeded('grew', 2, 1);
    const approvalId = await requested(brake.id);
    await post(hasLeft(await employed('grew')));
    const { body } = await linus.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(409);
    expect(body.detail).toContain('isn’t what was requested');
    expect(await standing('hr:grew')).toMatchObject({ id: brake.id });
    await linus
      .post(`/v1/approvals/${await requested(brake.id)}/approve`)
      .send({})
      .expect(200);
  });

  it('counts no more after 30 minutes, nor when its row was edited', async () => {
    const { brake } = await exceeded('expired', 2, 1);
    const old = await requested(brake.id);
    await tx.query(`UPDATE approvals SET expires_at = now() WHERE id = $1`, [old]);
    // The row isn't what was sealed any more: who moves the end is found out, in both directions.
    await linus.post(`/v1/approvals/${old}/approve`).send({}).expect(409);
    expect(await tx.findOneByOrFail(Approval, { id: old })).toMatchObject({ state: 'waiting' });
    expect(await standing('hr:expired')).toMatchObject({ id: brake.id });
  });

  it('that is refused changes nothing, and may be asked for anew', async () => {
    const { held, brake } = await exceeded('refused', 2, 1);
    const approvalId = await requested(brake.id);
    await linus.post(`/v1/approvals/${approvalId}/refuse`).send({ note: 'Not them.' }).expect(200);
    await linus.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(409);
    expect(await statesOf(held[0]?.caseId)).toEqual(['held']);
    const { body } = await grace.get(`/v1/approvals?targetId=${brake.id}`).expect(200);
    expect(body.items).toMatchObject([{ id: approvalId, state: 'refused', decidedBy: 'Linus' }]);
  });
});

describe('a role that is narrowed to a department', () => {
  it('sees and decides what is about its people alone; what is about others as well isn’t there', async () => {
    const [post, mixed] = [await aSource('all-sales'), await aSource('some-sales')];
    await allow('leaves', 0);
    // Their last day is over: it isn't urgent any more.
    const ended = async (source: string, department: string) =>
      hasLeft(await employed(source, department), at(2), '2026-02-28');
    await post(await ended('all-sales', 'sales'));
    for (const department of ['sales', 'legal']) await mixed(await ended('some-sales', department));
    const [inside, outside] = [await standing('hr:all-sales'), await standing('hr:some-sales')];
    const wish = { name: 'Sales lead', department: 'Sales' };
    const { agent: lead } = await aUser(service.app, 'security', wish);
    const { agent: deputy } = await aUser(service.app, 'approver', { ...wish, name: 'Deputy' });
    const { body } = await lead.get('/v1/brakes?state=standing').expect(200);
    const listed = (body.items as { id: string }[]).map(({ id }) => id);
    expect(listed).toContain(inside.id);
    expect(listed).not.toContain(outside.id);
    await lead.get(`/v1/brakes/${outside.id}`).expect(404);
    await lead.post(`/v1/brakes/${outside.id}/release`).send({ reason: 'Not mine.' }).expect(404);
    const [mine, others] = [await requested(inside.id, 'release', lead), await requested(outside.id)];
    const seen = (await deputy.get('/v1/approvals?state=waiting').expect(200)).body.items as { id: string }[];
    expect(seen.map(({ id }) => id)).toContain(mine);
    expect(seen.map(({ id }) => id)).not.toContain(others);
    await deputy.get(`/v1/approvals/${others}`).expect(404);
    await deputy.post(`/v1/approvals/${others}/approve`).send({}).expect(404);
    await deputy.post(`/v1/approvals/${mine}/approve`).send({}).expect(200);
    await linus.post(`/v1/approvals/${others}/refuse`).send({}).expect(200);
    // What is the whole company's is closed to them.
    await lead.get('/v1/brake-limits').expect(403);
  });
});

describe('limits for what is given and what a change takes away', () => {
  it('hold joins beyond the limit, and a leave takes a held join out', async () => {
    const post = await aSource('hires');
    await allow('grants', 1);
    await allow('leaves', 10);
    const [first, second] = [anHrEmployee(), anHrEmployee()];
    expect(await post(hasJoined(first))).toMatchObject({ outcome: 'applied' });
    const held = await post(hasJoined(second));
    expect(held).toMatchObject({ outcome: 'held' });
    expect(await statesOf(held['caseId'])).toEqual(['held']);
    await post(hasLeft(second));
    expect(await statesOf(held['caseId'])).toEqual(['superseded']);
    expect(await tx.findOneByOrFail(Brake, { source: 'hr:hires' })).toMatchObject({ state: 'emptied' });
  });

  it('hold changes that take something away, and let the whole change go together', async () => {
    const post = await aSource('moves');
    await allow('grants', 10);
    await allow('removals', 0);
    const employee = anHrEmployee();
    const { caseId: joined } = await post(hasJoined(employee));
    await tx.query(
      `UPDATE grants SET observed = 'present' WHERE account_id IN (SELECT account_id FROM steps WHERE case_id = $1)`,
      [joined],
    );
    const held = await post(hasChanged({ ...employee, department: 'sales' }));
    expect(held).toMatchObject({ outcome: 'held' });
    const acts = (await tx.findBy(Step, { caseId: held['caseId'] ?? '' })).map(({ act }) => act).toSorted();
    expect(acts).toEqual(['create_account', 'grant', 'withdraw']);
    const approvalId = await requested((await standing('hr:moves')).id);
    await linus.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(200);
    expect(await statesOf(held['caseId'])).toEqual(['planned', 'ready']);
  });

  it('let go what a held change would take away of somebody who leaves', async () => {
    const post = await aSource('moves-and-leaves');
    await allow('grants', 10);
    await allow('removals', 0);
    await allow('leaves', 10);
    const employee = anHrEmployee();
    await post(hasJoined(employee));
    const held = await post(hasChanged({ ...employee, department: 'sales' }));
    expect(await statesOf(held['caseId'])).toEqual(['held']);
    await post(hasLeft(employee));
    const after = await tx.findBy(Step, { caseId: held['caseId'] ?? '' });
    expect(after.map(({ act, state }) => `${act} ${state}`).toSorted()).toEqual([
      'create_account superseded',
      'grant superseded',
      'withdraw ready',
    ]);
    expect(await tx.findOneByOrFail(Brake, { source: 'hr:moves-and-leaves' })).toMatchObject({ state: 'emptied' });
  });

  it('are lowered by one person, and raised by two: exactly as it was asked, once, and not past another change', async () => {
    await allow('leaves', 10);
    const put = (atLeast: number, more: object = {}) =>
      grace.put('/v1/brake-limits/leaves').send({ atLeast, sharePercent: 0, ...more });
    const lowered = await put(7).expect(200);
    expect(lowered.body.approval).toBeNull();
    const seven = { kind: 'leaves', atLeast: 7, sharePercent: 0, changedBy: 'Grace' };
    expect(lowered.body.items).toContainEqual(seven);

    const unexplained = await put(8).expect(400);
    expect(unexplained.body.errors).toMatchObject([{ pointer: '/reason' }]);
    const asked = await put(7, { sharePercent: 3, reason: 'The season ends.' }).expect(200);
    expect(asked.body.items).toContainEqual(seven);
    const { id, plan } = asked.body.approval;
    expect(plan).toMatchObject({
      before: [{ kind: 'leaves', atLeast: 7, sharePercent: 0 }],
      after: { atLeast: 7, sharePercent: 3 },
    });
    await grace.post(`/v1/approvals/${id}/approve`).send({}).expect(403);
    // Somebody lowers it meanwhile: what would happen isn't what was asked for.
    await put(6).expect(200);
    await linus.post(`/v1/approvals/${id}/approve`).send({}).expect(409);
    const again = await put(6, { sharePercent: 3, reason: 'The season ends.' }).expect(200);
    await linus.post(`/v1/approvals/${again.body.approval.id}/approve`).send({}).expect(200);
    const { body } = await grace.get('/v1/brake-limits').expect(200);
    expect(body.items).toContainEqual({ kind: 'leaves', atLeast: 6, sharePercent: 3, changedBy: 'Linus' });
  });

  it('are raised no more on the word of somebody who may not change them since', async () => {
    const margaret = await aUser(service.app, 'owner', { name: 'Margaret' });
    const wish = { atLeast: 900, sharePercent: 0, reason: 'A large move.' };
    const { body } = await margaret.agent.put('/v1/brake-limits/removals').send(wish).expect(200);
    await tx.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE principal = $1`, [
      margaret.principal,
    ]);
    await linus.post(`/v1/approvals/${body.approval.id}/approve`).send({}).expect(403);
  });

  it('are refused when they make no sense, and to whoever may only look', async () => {
    await grace.put('/v1/brake-limits/leaves').send({ atLeast: -1, sharePercent: 3 }).expect(400);
    const nobody = await grace.put('/v1/brake-limits/leaves').send({ atLeast: 0, sharePercent: 3 }).expect(400);
    expect(nobody.body.errors).toMatchObject([{ pointer: '/atLeast' }]);
    await grace.put('/v1/brake-limits/wipes').send({ atLeast: 1, sharePercent: 3 }).expect(400);
    const reader = await service.caller('Reader', 'brakes:read');
    await reader.put('/v1/brake-limits/leaves').send({ atLeast: 0, sharePercent: 0 }).expect(403);
  });
});

describe('at the command line', () => {
  it('brakes are shown and released by two people, and limits are changed', async () => {
    const { held, brake } = await exceeded('by-hand', 2, 1);
    const env = {
      DATABASE_URL: service.database.url,
      QUARTERMASTER_KEY_FILE: 'none',
      QUARTERMASTER_ENVIRONMENT: 'test',
    };
    /** As this person at the terminal, in the service that runs already. */
    const run = async (name: string, ...args: string[]) => {
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const context: CliContext = {
        ...cliContext(env, say, () => undefined),
        actor: { kind: 'admin', id: `terminal:${name}`, name, scopes: SCOPES },
        withServices: (work) => work(service.app),
      };
      return { code: await runCli(args, context), out: lines.join('\n') };
    };
    expect((await run('ada', 'brakes', 'list')).out).toContain(`${brake.id}  standing  1 leaves by hr:by-hand held`);
    const shown = await run('ada', 'brakes', 'show', brake.id);
    expect(shown.out).toContain(held[0]?.person.workEmail);
    expect(shown.out).toContain('suspend account');
    const asked = await run('ada', 'brakes', 'release', brake.id, 'They did leave.');
    expect((await run('bob', 'approvals', 'list')).out).toContain(asked.out);
    expect((await run('bob', 'approvals', 'show', asked.out)).out).toContain(held[0]?.caseId);
    expect((await run('Ada', 'approvals', 'approve', asked.out)).code).toBe(1);
    expect((await run('bob', 'approvals', 'approve', asked.out)).out).toContain(
      'approved: does 1 leaves by hr:by-hand',
    );
    expect(await statusOf(held[0]?.person.personId ?? '')).toBe('left');
    expect((await run('ada', 'brakes', 'list', '--all')).out).toContain(`${brake.id}  released`);

    const limit = (kinds: string, atLeast: string, ...more: string[]) =>
      run('ada', 'brakes', 'limit', kinds, '--at-least', atLeast, '--share', '0', ...more);
    await allow('leaves', 5);
    await allow('removals', 5);
    expect(await limit('leaves,removals', '4')).toMatchObject({ code: 0, out: expect.stringContaining('4, or 0 %') });
    expect((await run('ada', 'brakes', 'limits')).out).toMatch(/^leaves +4, or 0 % .*set by ada/);
    expect(await limit('wipes', '4')).toMatchObject({ code: 2 });
    // Whoever sits at the server asks another one as well, as soon as somebody is there to be asked.
    const raise = await limit('leaves,removals', '6', '--reason', 'Plant B closes.');
    expect((await run('ada', 'brakes', 'limits')).out).toMatch(/^leaves +4, /);
    expect((await run('bob', 'approvals', 'approve', raise.out)).code).toBe(0);
    expect((await run('ada', 'brakes', 'limits')).out).toMatch(/^leaves +6, .*set by bob/);
    await tx.query(`UPDATE sign_in_identities SET withdrawn_at = now()`);
    try {
      expect(await limit('leaves', '9')).toMatchObject({ code: 0, out: expect.stringContaining('9, or 0 %') });
    } finally {
      await tx.query(`UPDATE sign_in_identities SET withdrawn_at = NULL`);
    }
    expect(await tx.findBy(Alert, { kind: 'brake_limit_raised' })).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('ada let 9 or 0 % of leaves pass') },
    ]);
    expect(await run('ada', 'brakes', 'release', 'x', 'Why not.')).toMatchObject({ code: 2 });
  });
});

describe('access given back after losses', () => {
  it('is held beyond the limit of whoever asks for it, and so is the loss’s own hold', async () => {
    await allow('restorations', 0);
    await allow('grants', 100);
    const post = await aSource('losses');
    const employee = anHrEmployee();
    await post(hasJoined(employee));
    const { id: personId } = await tx.findOneByOrFail(Person, { corporateEmail: employee.workEmail });
    const device = await aDevice(tx, { holderId: personId, state: 'assigned' });
    const { body: loss } = await grace.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    const { body } = await grace.post(`/v1/lost-devices/${loss.caseId}/restore`).send({}).expect(202);
    expect(body).toMatchObject({ held: true, stillHeld: ['lost_device'] });
    expect(await tx.countBy(Hold, { personId, releasedCaseId: body.caseId })).toBe(0);
    await grace.post(`/v1/lost-devices/${loss.caseId}/restore`).send({}).expect(409);
    const approvalId = await requested((await standing(graceId)).id);
    await linus.post(`/v1/approvals/${approvalId}/approve`).send({}).expect(200);
    expect(await tx.countBy(Hold, { personId, releasedCaseId: body.caseId })).toBe(1);
    expect(await statesOf(body.caseId)).not.toContain('held');
  });
});
