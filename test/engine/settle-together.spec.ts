import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Account } from '../../src/accounts/account.entity.js';
import { Attempt } from '../../src/cases/attempt.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { SettleTogether } from '../../src/cases/engine/settle-together.js';
import type { Claim } from '../../src/cases/engine/claim.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anObservedAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
let tx: EntityManager;
const workerId = newId();
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  await tx.insert(WorkerProcess, { id: workerId, lanes: ['standard'], host: 'test', pid: 1 });
});
afterAll(() => service?.close());

/** A suspension that a worker holds, with its attempt; in a case of its own unless one is given. */
async function aHeldStep(state: 'running' | 'confirming', caseId?: string): Promise<Claim> {
  const lease = { leaseOwner: workerId, leaseUntil: new Date(Date.now() + 60_000) };
  const step = await aStep(tx, { state, fence: 7, attempts: 1, ...lease, ...(caseId && { caseId }) });
  const { id: stepId, personId, toolId, accountId, grantId, act, effect, lane, generation, fence } = step;
  const attemptKind = state === 'running' ? 'act' : 'read_back';
  const attemptId = newId();
  await tx.insert(Attempt, {
    id: attemptId,
    stepId,
    personId,
    toolId,
    number: 1,
    kind: attemptKind,
    effect,
    fence,
    workerId,
    intent: {},
    callDeadline: new Date(),
  });
  const of = {
    stepId,
    caseId: step.caseId,
    personId,
    toolId,
    accountId,
    grantId,
    act,
    effect,
    lane,
    generation,
    fence,
  };
  const attempt = { attemptId, attemptKind, attemptNumber: 1 } as const;
  return { ...of, ...attempt, workerId, failures: 0, readBacks: 0, crashes: 0, input: {} };
}

const end = (claim: Claim, overtaken: Partial<Claim> = {}) =>
  service.app.get(SettleTogether).end({
    claim: { ...claim, ...overtaken },
    accountId: claim.accountId ?? '',
    result: { outcome: 'shown', sentAt: performance.now() - 5 },
    observed: anObservedAccount({ externalId: `seen-${claim.stepId}`, state: 'suspended', grants: [] }),
    loadedAt: new Date(),
    next: { state: 'done', residualUntil: null, unprovable: null },
  });

const stepOf = ({ stepId }: Claim) => tx.findOneByOrFail(Step, { id: stepId });
const attemptOf = ({ attemptId }: Claim) => tx.findOneByOrFail(Attempt, { id: attemptId });
const accountOf = ({ accountId }: Claim) => tx.findOneByOrFail(Account, { id: accountId ?? '' });

describe('steps that end together', () => {
  it('are done, each with what was seen of its account, its attempt and its audit entry, and their case is closed', async () => {
    const { id: caseId } = await aCase(tx);
    const claims = [await aHeldStep('confirming', caseId), await aHeldStep('confirming', caseId)];
    expect(await Promise.all(claims.map((claim) => end(claim)))).toEqual([true, true]);
    for (const claim of claims) {
      expect(await stepOf(claim)).toMatchObject({ state: 'done', leaseOwner: null, confirmedAt: expect.any(Date) });
      expect(await attemptOf(claim)).toMatchObject({ outcome: 'shown', finishedAt: expect.any(Date) });
      expect(await accountOf(claim)).toMatchObject({
        observedState: 'suspended',
        externalId: `seen-${claim.stepId}`,
        observedSource: 'read-back',
      });
      const entries = await tx.query<unknown[]>(
        `SELECT FROM audit_entries WHERE step_id = $1 AND action = 'step.done'`,
        [claim.stepId],
      );
      expect(entries).toHaveLength(1);
    }
    expect(await tx.findOneByOrFail(Case, { id: caseId })).toMatchObject({ state: 'closed' });
  });

  it.each([
    ['another worker', { workerId: newId() }],
    ['an older fence', { fence: 6 }],
  ])('leave out one that comes from %s: nothing is written for it, and the others go on (I5)', async (_who, stale) => {
    const [mine, taken] = [await aHeldStep('confirming'), await aHeldStep('confirming')];
    const before = { step: await stepOf(taken), attempt: await attemptOf(taken), account: await accountOf(taken) };
    expect(await Promise.all([end(mine), end(taken, stale)])).toEqual([true, false]);
    expect(await stepOf(mine)).toMatchObject({ state: 'done' });
    expect({ step: await stepOf(taken), attempt: await attemptOf(taken), account: await accountOf(taken) }).toEqual(
      before,
    );
  });

  it('do not let an older look overwrite a newer one', async () => {
    const claim = await aHeldStep('confirming');
    const newer = new Date(Date.now() + 60_000);
    await tx.update(Account, { id: claim.accountId ?? '' }, { observedAt: newer, observedSource: 'discover' });
    expect(await end(claim)).toBe(true);
    expect(await accountOf(claim)).toMatchObject({ observedState: 'active', observedSource: 'discover' });
  });
});

describe('steps that go on to their read-backs together', () => {
  it('get a new attempt each under the same fence; one that was taken over gets none', async () => {
    const [mine, taken] = [await aHeldStep('running'), await aHeldStep('running')];
    const goOn = (claim: Claim) =>
      service.app
        .get(SettleTogether)
        .goOnToReadBack(claim, { outcome: 'done', sentAt: performance.now() - 5 }, { seen: true });
    const [readBack, none] = await Promise.all([goOn(mine), goOn({ ...taken, fence: 6 })]);
    expect(none).toBeUndefined();
    expect(await attemptOf(taken)).toMatchObject({ outcome: null });
    expect(await stepOf(taken)).toMatchObject({ state: 'running', attempts: 1 });
    expect(readBack).toMatchObject({
      attemptKind: 'read_back',
      attemptNumber: 2,
      fence: 7,
      readBacks: 1,
      input: { seen: true },
    });
    expect(await attemptOf(mine)).toMatchObject({ outcome: 'done' });
    expect(await stepOf(mine)).toMatchObject({ state: 'confirming', leaseOwner: workerId, attempts: 2 });
  });
});

describe('a row that somebody else holds', () => {
  /** Until `release`, as in somebody's transaction. */
  async function hold(table: string, id: string): Promise<{ release: () => Promise<void> }> {
    const other = service.db.createQueryRunner();
    await other.startTransaction();
    await other.query(`SELECT 1 FROM ${table} WHERE id = $1 FOR UPDATE`, [id]);
    return {
      release: async () => {
        await other.rollbackTransaction();
        await other.release();
      },
    };
  }

  it('keeps no step from its end but the one that needs it, whether they were asked for together or later', async () => {
    const [stuck, beside, later] = [
      await aHeldStep('confirming'),
      await aHeldStep('confirming'),
      await aHeldStep('confirming'),
    ];
    const held = await hold('accounts', stuck.accountId ?? '');
    const stuckEnd = end(stuck);
    expect(await end(beside)).toBe(true);
    expect(await end(later)).toBe(true);
    expect(await stepOf(stuck)).toMatchObject({ state: 'confirming' });
    await held.release();
    expect(await stuckEnd).toBe(true);
    expect(await stepOf(stuck)).toMatchObject({ state: 'done' });
  });

  it('keeps no step from its read-back but the one that needs it', async () => {
    const [stuck, beside, later] = [await aHeldStep('running'), await aHeldStep('running'), await aHeldStep('running')];
    const goOn = (claim: Claim) => service.app.get(SettleTogether).goOnToReadBack(claim, { outcome: 'done' }, {});
    const held = await hold('steps', stuck.stepId);
    const stuckReadBack = goOn(stuck);
    expect(await goOn(beside)).toMatchObject({ attemptKind: 'read_back' });
    expect(await goOn(later)).toMatchObject({ attemptKind: 'read_back' });
    expect(await stepOf(stuck)).toMatchObject({ state: 'running' });
    await held.release();
    expect(await stuckReadBack).toMatchObject({ attemptKind: 'read_back' });
  });
});
