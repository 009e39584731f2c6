import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { claimThese } from '../../src/cases/engine/claim.js';
import { StepRunner } from '../../src/cases/engine/run-step.js';
import { StepDecisions } from '../../src/cases/step-decisions.service.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { SYSTEM, type Actor } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { Tool } from '../../src/tools/tool.entity.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { anIdentity } from '../factories/identities.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { AN_ADMIN } from '../factories/role-holders.js';
import { aTokenOwner } from '../factories/token-owners.js';
import { EngineHarness } from '../model/engine-harness.js';

describe('a worker that is about to give access', () => {
  let harness: EngineHarness;
  let sent: string[];
  const workerId = newId();
  beforeAll(async () => {
    harness = await EngineHarness.start();
  });
  beforeEach(async () => {
    await harness.forget();
    await harness.db.manager.insert(WorkerProcess, { id: workerId, lanes: ['standard'], host: 'test', pid: 1 });
    sent = [];
    harness.tool('tool-0').onSent = ({ act }) => void sent.push(act);
  });
  afterAll(() => harness?.stop());

  const user = async (fields: { personId?: string } = {}): Promise<Actor> => {
    return { kind: 'admin', id: await anIdentity(harness.db.manager, fields), name: 'Grace', scopes: [] };
  };
  const assign = (principal: string, role: Role, department: string | null = null) =>
    harness.db.transaction((tx) =>
      harness.app
        .get(RoleAssignments)
        .assign(tx, AN_ADMIN, { principal, role, department, location: null, toolId: null }),
    );
  const end = (id: string) => harness.db.transaction((tx) => harness.app.get(RoleAssignments).end(tx, AN_ADMIN, id));

  /** A step of a restoration that this actor asked for. */
  async function aStepAskedBy(asked: Partial<Actor>, act: 'restore_account' | 'suspend_account' = 'restore_account') {
    const tx = harness.db.manager;
    const person = await aPerson(tx, { generation: 1 });
    await anEmployment(tx, { personId: person.id, department: 'Sales' });
    const tool = await tx.findOneByOrFail(Tool, { key: 'tool-0' });
    const account = await anAccount(tx, { personId: person.id, toolId: tool.id });
    const by = { requestedBy: asked.id ?? null, requestedByKind: asked.kind ?? null };
    const itsCase = await aCase(tx, { kind: 'restoration', personId: person.id, ...by });
    return aStep(tx, { caseId: itsCase.id, accountId: account.id, toolId: tool.id, act });
  }

  async function run({ id }: Step): Promise<Step> {
    const [claim] = await claimThese(harness.db, workerId, [id]);
    if (!claim) throw new Error('the step is not due');
    await harness.app.get(StepRunner).run(claim, { signal: new AbortController().signal, holds: () => true });
    return harness.db.manager.findOneByOrFail(Step, { id });
  }

  it('gives it on the word of somebody whose role still stands', async () => {
    const grace = await user();
    await assign(grace.id, 'it-operator');
    await run(await aStepAskedBy(grace));
    expect(sent).toEqual(['restore_account']);
  });

  it('asks a person, with an alert, when the role of who asked has ended', async () => {
    const grace = await user();
    const { id } = await assign(grace.id, 'it-operator');
    const step = await aStepAskedBy(grace);
    await end(id);
    expect(await run(step)).toMatchObject({
      state: 'needs_human',
      owner: 'owner@acme.example',
      reason: expect.stringContaining('may not any more (access:restore)'),
    });
    expect(sent).toEqual([]);
    expect(await harness.db.manager.findOneBy(Alert, { stepId: step.id })).toMatchObject({ kind: 'needs_human' });
  });

  it('asks a person while who asked is to be without access, as after the loss of their own laptop', async () => {
    const tx = harness.db.manager;
    const { id: personId } = await aPerson(tx);
    const grace = await user({ personId });
    await assign(grace.id, 'it-operator');
    const lost = await aCase(tx, { kind: 'lost_device', personId });
    await tx.insert(Hold, { id: newId(), subject: 'person', personId, reason: 'lost_device', caseId: lost.id });
    expect(await run(await aStepAskedBy(grace))).toMatchObject({ state: 'needs_human' });
    expect(sent).toEqual([]);
  });

  it('asks a person when the role was narrowed to where this person isn’t', async () => {
    const grace = await user();
    await assign(grace.id, 'it-operator', 'Legal');
    expect(await run(await aStepAskedBy(grace))).toMatchObject({ state: 'needs_human' });
    expect(sent).toEqual([]);
    await assign(grace.id, 'it-operator', 'Sales');
    await run(await aStepAskedBy(grace));
    expect(sent).toEqual(['restore_account']);
  });

  it('asks a person when the API token that asked was revoked', async () => {
    const tokens = harness.app.get(ApiTokens);
    const wish = { name: 'runbook', scopes: ['access:restore'] as const };
    const { id } = await harness.db.transaction(async (tx) =>
      tokens.create(tx, AN_ADMIN, { ...wish, ...(await aTokenOwner(tx)) }),
    );
    await run(await aStepAskedBy({ kind: 'service', id }));
    expect(sent).toEqual(['restore_account']);
    const step = await aStepAskedBy({ kind: 'service', id });
    await harness.db.transaction((tx) => tokens.revoke(tx, AN_ADMIN, id));
    expect(await run(step)).toMatchObject({ state: 'needs_human' });
    expect(sent).toHaveLength(1);
  });

  it('gives it when somebody who may has it tried again, and not when that one may not either', async () => {
    const [grace, ada, security] = [await user(), await user(), await user()];
    await assign(ada.id, 'it-operator');
    await assign(security.id, 'security');
    const step = await aStepAskedBy(grace);
    expect(await run(step)).toMatchObject({ state: 'needs_human' });
    await harness.app.get(StepDecisions).retry(step.id, security);
    expect(await run(step)).toMatchObject({ state: 'needs_human' });
    expect(sent).toEqual([]);
    await harness.app.get(StepDecisions).retry(step.id, ada);
    await run(step);
    expect(sent).toEqual(['restore_account']);
  });

  it.each([
    ['HR', { kind: 'hr', id: 'hr' }],
    ['the service itself', SYSTEM],
    ['nobody known, in a case from before', {}],
  ] as const)('always gives it on the word of %s', async (_who, asked) => {
    await run(await aStepAskedBy(asked));
    expect(sent).toEqual(['restore_account']);
  });

  it('takes access away whatever happened to who asked', async () => {
    await run(await aStepAskedBy(await user(), 'suspend_account'));
    expect(sent).toEqual(['suspend_account']);
  });
});
