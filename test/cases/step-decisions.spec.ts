import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WordsStayWithTheirSteps1764000024000 } from '../../migrations/1764000024000-words-stay-with-their-steps.js';
import { Account } from '../../src/accounts/account.entity.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Settlement } from '../../src/cases/engine/settle.js';
import { NOT_ATTESTED } from '../../src/cases/second-person.service.js';
import { StepNeed } from '../../src/cases/step-need.entity.js';
import { STEP_STATES } from '../../src/cases/step-states.js';
import { Step } from '../../src/cases/step.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

let service: ServiceApp;
let tx: EntityManager;
let grace: Awaited<ReturnType<ServiceApp['caller']>>;
let apiTool: string;
let manualTool: string;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  grace = await service.caller('Grace');
  apiTool = (await aTool(tx, { connector: 'scim' })).id;
  manualTool = (await aTool(tx, { connector: 'manual' })).id;
});
afterAll(() => service?.close());

/** A step that needs somebody, the way the engine hands it over. */
async function aTask(with_: Partial<Step> = {}): Promise<Step> {
  const { id } = await aStep(tx, { toolId: manualTool, ...with_ });
  await service.db.transaction((inner) => service.app.get(Settlement).giveToHuman(inner, id, 'It has no API.'));
  return stepOf(id);
}

const stepOf = (id: string) => tx.findOneByOrFail(Step, { id });
const caseOf = ({ caseId }: Step) => tx.findOneByOrFail(Case, { id: caseId });
const accountOf = ({ accountId }: Step) => tx.findOneByOrFail(Account, { id: accountId ?? '' });
const openAlerts = async ({ id }: Step) =>
  (await tx.findBy(Alert, { stepId: id })).filter(({ resolvedAt }) => resolvedAt === null);
const audited = ({ id }: Step, action: string) => tx.findBy(AuditEntry, { stepId: id, action });

const complete = (step: Step, note = 'Suspended on its page.') =>
  grace.post(`/v1/steps/${step.id}/complete`).send({ note });
const waive = (step: Step, reason = 'The tool is gone.') => grace.post(`/v1/steps/${step.id}/waive`).send({ reason });
const retry = (step: Step) => grace.post(`/v1/steps/${step.id}/retry`);

describe('a step that needs somebody', () => {
  it('has an owner, a deadline to come and one alert', async () => {
    const step = await aTask();
    expect(step).toMatchObject({ state: 'needs_human', owner: 'owner@acme.example', reason: 'It has no API.' });
    expect(step.deadline?.getTime()).toBeGreaterThan(Date.now());
    expect(await openAlerts(step)).toMatchObject([{ kind: 'needs_human', owner: 'owner@acme.example' }]);
    const toldOf = async (about: string) => {
      const { body } = await grace.get(`/v1/alerts?state=open&about=${about}&limit=200`).expect(200);
      return body.items.map(({ stepId }: { stepId: string | null }) => stepId);
    };
    expect(await toldOf('step')).toContain(step.id);
    expect(await toldOf('other')).not.toContain(step.id);
  });

  it('is never owned by the person whose access it is', async () => {
    const person = await aPerson(tx);
    const owners = [person.corporateEmail, 'deputy@acme.example'];
    const { id: toolId } = await aTool(tx, { connector: 'manual', owners });
    const step = await aTask({ caseId: (await aCase(tx, { personId: person.id })).id, toolId });
    expect(step.owner).toBe('deputy@acme.example');
    expect(await openAlerts(step)).toMatchObject([{ owner: 'deputy@acme.example' }]);
  });

  it('can be found by its owner', async () => {
    const step = await aTask();
    const { body } = await grace
      .get(`/v1/steps?state=needs_human&caseId=${step.caseId}&owner=owner@acme.example`)
      .expect(200);
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([step.id]);
    const other = await grace.get(`/v1/steps?caseId=${step.caseId}&owner=somebody@acme.example`).expect(200);
    expect(other.body.items).toEqual([]);
  });

  it('is listed by its deadline, whoever was asked first', async () => {
    const [late, early, alike] = [await aTask(), await aTask(), await aTask()];
    for (const [{ id }, year] of [
      [late, 2003],
      [early, 2001],
      [alike, 2001],
    ] as const) {
      await tx.update(Step, { id }, { deadline: () => `'${year}-01-01T00:00:00.123456Z'` });
    }
    const idsOf = (body: { items: { id: string }[] }) => body.items.map(({ id }) => id);
    const { body } = await grace.get('/v1/duties?limit=1').expect(200);
    expect(idsOf(body)).toEqual([early.id]);
    const next = await grace.get(`/v1/duties?limit=2&cursor=${body.next}`).expect(200);
    expect(idsOf(next.body)).toEqual([alike.id, late.id]);
    await waive(late).expect(200);
    const without = await grace.get(`/v1/duties?limit=2&cursor=${body.next}`).expect(200);
    expect(idsOf(without.body)).not.toContain(late.id);
    await grace.get('/v1/duties?cursor=WyJzb29uIiwiIl0').expect(400);
  });
});

describe('"I did it"', () => {
  it('is not believed where the tool can be asked: the step is read back, and is not done by that', async () => {
    const step = await aTask({ toolId: apiTool });
    const { body } = await complete(step).expect(200);
    expect(body).toMatchObject({ id: step.id, state: 'confirming', confirmedAt: null, endedAt: null });
    const after = await stepOf(step.id);
    expect(after.dueAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(await accountOf(step)).toMatchObject({ observedState: 'active' });
    expect(await caseOf(step)).toMatchObject({ state: 'open' });
    expect(await openAlerts(step)).toEqual([]);
  });

  it('is believed of a tool without an API, on this person’s word and with their name', async () => {
    const step = await aTask();
    expect(await accountOf(step)).toMatchObject({ observedState: 'active', observedSource: 'factory' });
    const { body } = await complete(step, 'Suspended; see ticket 4711.').expect(200);
    expect(body).toMatchObject({ state: 'done', reason: 'Suspended; see ticket 4711.', attestedBy: 'Grace' });
    expect([body.confirmedAt, body.attestedAt]).not.toContain(null);
    expect(await accountOf(step)).toMatchObject({ observedState: 'suspended', observedSource: 'attested by Grace' });
    expect(await audited(step, 'step.done')).toMatchObject([
      { actorKind: 'service', facts: { attestedBy: 'Grace', note: 'Suspended; see ticket 4711.' } },
    ]);
    expect(await openAlerts(step)).toEqual([]);
    expect(await caseOf(step)).toMatchObject({ state: 'closed' });
  });

  it('that an older version wrote down in its audit entry alone is told of the step after the upgrade', async () => {
    const step = await aTask();
    await complete(step).expect(200);
    await tx.update(Step, { id: step.id }, NOT_ATTESTED);
    const runner = service.db.createQueryRunner();
    await new WordsStayWithTheirSteps1764000024000().up(runner).finally(() => runner.release());
    const { attestedBy, attestedAt, confirmedAt } = await stepOf(step.id);
    expect({ attestedBy, attestedAt }).toEqual({ attestedBy: 'Grace', attestedAt: confirmedAt });
  });

  it('about a group that was taken away says nothing of an account that nobody made', async () => {
    const step = await aTask({ act: 'withdraw', ...(await anUnseenAccount()) });
    await complete(step, 'There is no such account.').expect(200);
    expect(await stepOf(step.id)).toMatchObject({ state: 'done' });
    expect(await accountOf(step)).toMatchObject({ observedState: 'unknown', externalId: null });
  });

  it('about a new account makes it known, and the steps that waited for it go on', async () => {
    const step = await aTask({ act: 'create_account', ...(await anUnseenAccount()) });
    const grant = await aStep(tx, {
      caseId: step.caseId,
      toolId: manualTool,
      accountId: step.accountId,
      act: 'grant',
      state: 'planned',
    });
    await tx.insert(StepNeed, { stepId: grant.id, needsStepId: step.id });
    expect(await accountOf(step)).toMatchObject({ observedState: 'unknown', externalId: null });
    await complete(step, 'Invited.').expect(200);
    const { username } = await accountOf(step);
    expect(await accountOf(step)).toMatchObject({ observedState: 'active', externalId: username });
    expect(await stepOf(grant.id)).toMatchObject({ state: 'ready' });
    expect(await caseOf(step)).toMatchObject({ state: 'open' });
  });

  it('about new credentials of a suspended account does not make it an active one', async () => {
    const person = await aPerson(tx);
    const account = await anAccount(tx, { personId: person.id, toolId: manualTool, observedState: 'suspended' });
    const { id: caseId } = await aCase(tx, { personId: person.id });
    const step = await aTask({ caseId, act: 'reset_credentials', accountId: account.id });
    await complete(step, 'Reset mail sent.').expect(200);
    expect(await accountOf(step)).toMatchObject({ observedState: 'suspended', observedSource: 'attested by Grace' });
  });

  it.each([{}, { note: '' }, { note: '  ' }, { note: 'done', state: 'done' }])(
    'needs a note and takes nothing else: %j',
    async (body) => {
      const step = await aTask();
      await grace.post(`/v1/steps/${step.id}/complete`).send(body).expect(400);
      expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
    },
  );

  async function anUnseenAccount(): Promise<{ caseId: string; accountId: string }> {
    const { id: personId } = await aPerson(tx);
    const unseen = { externalId: null, observedState: 'unknown', observedAt: null } as const;
    const { id: accountId } = await anAccount(tx, { personId, toolId: manualTool, ...unseen });
    return { caseId: (await aCase(tx, { personId, kind: 'joiner' })).id, accountId };
  }
});

describe('a waiver', () => {
  it('ends a step with the name of who answers for it and their reason, and claims nothing about the tool', async () => {
    const step = await aTask();
    const { body } = await waive(step, 'The vendor closed down.').expect(200);
    expect(body).toMatchObject({
      state: 'waived',
      owner: 'Grace',
      reason: 'The vendor closed down.',
      confirmedAt: null,
    });
    expect(await accountOf(step)).toMatchObject({ observedState: 'active', observedSource: 'factory' });
    expect(await audited(step, 'step.waived')).toMatchObject([{ facts: { reason: 'The vendor closed down.' } }]);
    expect(await openAlerts(step)).toEqual([]);
    expect(await caseOf(step)).toMatchObject({ state: 'closed' });
  });

  it.each([{}, { reason: '' }, { reason: ' ? ' }])('needs a reason in a few words: %j', async (body) => {
    const step = await aTask();
    await grace.post(`/v1/steps/${step.id}/waive`).send(body).expect(400);
    expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
  });

  it('lets a look go ahead that waited for the step, and hands a grant that waited for it to somebody', async () => {
    const step = await aTask();
    const waiting = { caseId: step.caseId, toolId: manualTool, accountId: step.accountId, state: 'planned' } as const;
    const look = await aStep(tx, { ...waiting, act: 'final_look' });
    const grant = await aStep(tx, { ...waiting, act: 'grant' });
    for (const { id } of [look, grant]) await tx.insert(StepNeed, { stepId: id, needsStepId: step.id });
    await waive(step).expect(200);
    expect(await stepOf(look.id)).toMatchObject({ state: 'ready' });
    expect(await stepOf(grant.id)).toMatchObject({ state: 'needs_human' });
    expect(await openAlerts(grant)).toHaveLength(1);
    expect(await caseOf(step)).toMatchObject({ state: 'open' });
  });
});

describe('another try', () => {
  it('starts a step over, with nothing counted against it any more', async () => {
    const counted = { failures: 7, readBacks: 60, crashes: 4, loneCrashes: 3 };
    const step = await aTask({ toolId: apiTool, ...counted });
    expect(step).toMatchObject(counted);
    const { body } = await retry(step).expect(200);
    expect(body).toMatchObject({ state: 'ready', failures: 0, owner: null, deadline: null, reason: null });
    expect(await stepOf(step.id)).toMatchObject({ failures: 0, readBacks: 0, crashes: 0, loneCrashes: 0 });
    expect(await openAlerts(step)).toEqual([]);
  });
});

describe('a decision', () => {
  const decisions = [
    ['complete', { note: 'Suspended.' }],
    ['waive', { reason: 'The tool is gone.' }],
    ['retry', undefined],
  ] as const;

  it.each(decisions)('(%s) is not for the one whose access it is about', async (what, body) => {
    const step = await aTask();
    const [subject] = await service.db.query<{ email: string }[]>(
      `SELECT corporate_email AS email FROM people WHERE id = $1`,
      [step.personId],
    );
    const themselves = await service.caller(subject?.email.toUpperCase());
    const answer = await themselves.post(`/v1/steps/${step.id}/${what}`).send(body).expect(403);
    expect(answer.body.type).toBe('/problems/forbidden');
    expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human', owner: step.owner });
    expect(await openAlerts(step)).toHaveLength(1);
    await grace.post(`/v1/steps/${step.id}/${what}`).send(body).expect(200);
  });

  it.each(decisions)('(%s) is refused for a step that needs nobody, in whatever state it is', async (what, body) => {
    for (const state of STEP_STATES.filter((one) => one !== 'needs_human')) {
      const step = await aStep(tx, { toolId: manualTool, act: 'grant', state });
      const answer = await grace.post(`/v1/steps/${step.id}/${what}`).send(body).expect(409);
      expect(answer.body.detail).toContain(state);
      expect(await stepOf(step.id)).toEqual(step);
    }
  });

  it.each(decisions)('(%s) about a step that is not there is answered 404', async (what, body) => {
    await grace.post(`/v1/steps/${newId()}/${what}`).send(body).expect(404);
  });

  it.each(decisions)('(%s) needs its scope', async (what, body) => {
    const step = await aTask();
    const reader = await service.caller('Grace', 'cases:read');
    await reader.post(`/v1/steps/${step.id}/${what}`).send(body).expect(403);
    await service.stranger.post(`/v1/steps/${step.id}/${what}`).send(body).expect(401);
    expect(await stepOf(step.id)).toMatchObject({ state: 'needs_human' });
  });

  it('is taken once when two people decide at the same time', async () => {
    const step = await aTask();
    const answers = await Promise.all([complete(step), waive(step), complete(step)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
    expect([...(await audited(step, 'step.done')), ...(await audited(step, 'step.waived'))]).toHaveLength(1);
  });
});
