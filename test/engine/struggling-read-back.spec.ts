import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import type { Claim } from '../../src/cases/engine/claim.js';
import { Settlement, StaleFence } from '../../src/cases/engine/settle.js';
import { Step } from '../../src/cases/step.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
let tx: EntityManager;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
});
afterAll(() => service?.close());

/** A worker's hold on a step that it is reading back. */
async function aReadBack(with_: Partial<Claim> = {}): Promise<Claim> {
  const workerId = newId();
  const lease = { leaseOwner: workerId, leaseUntil: new Date(Date.now() + 60_000) };
  const step = await aStep(tx, { state: 'confirming', fence: 7, ...lease });
  const { id: stepId, caseId, personId, toolId, accountId, grantId, act, effect, lane, generation, fence } = step;
  const of = { stepId, caseId, personId, toolId, accountId, grantId, act, effect, lane, generation, fence, workerId };
  const attempt = { attemptId: newId(), attemptKind: 'read_back' as const, attemptNumber: 2 };
  return { ...of, ...attempt, failures: 0, readBacks: 1, crashes: 0, input: {}, ...with_ };
}

const settleFailed = (claim: Claim) =>
  service.db.transaction((inner) =>
    service.app.get(Settlement).settle(
      inner,
      claim,
      { outcome: 'failed', errorKind: 'transient' },
      {
        state: 'confirming',
        dueIn: 500,
        reason: 'The tool answered 503.',
      },
    ),
  );
const alertsOn = ({ stepId }: Claim) => tx.findBy(Alert, { stepId });

describe('a read-back that fails', () => {
  it('is left to its next try, with the reason to be seen on the step', async () => {
    const claim = await aReadBack();
    await settleFailed(claim);
    const step = await tx.findOneByOrFail(Step, { id: claim.stepId });
    expect(step).toMatchObject({
      state: 'confirming',
      leaseOwner: null,
      reason: 'The tool answered 503.',
      failures: 0,
    });
    expect(step.dueAt.getTime()).toBeGreaterThan(step.requestedAt.getTime());
    expect(await alertsOn(claim)).toEqual([]);
  });

  it('again and again is told to the owner of the tool, once: nothing stays half-way in silence', async () => {
    const claim = await aReadBack({ readBacks: 5 });
    await settleFailed(claim);
    expect(await alertsOn(claim)).toMatchObject([
      { kind: 'step_struggling', owner: 'owner@acme.example', resolvedAt: null },
    ]);
    const lease = { leaseOwner: claim.workerId, leaseUntil: new Date(Date.now() + 60_000) };
    await tx.update(Step, { id: claim.stepId }, lease);
    await settleFailed({ ...claim, readBacks: 6 });
    expect(await alertsOn(claim)).toHaveLength(1);
  });

  it.each([
    ['another worker', { workerId: newId() }],
    ['an older fence', { fence: 6 }],
  ])('writes nothing when it comes from %s (I5)', async (_who, stale) => {
    const claim = await aReadBack({ readBacks: 5 });
    const before = await tx.findOneByOrFail(Step, { id: claim.stepId });
    await expect(settleFailed({ ...claim, ...stale })).rejects.toThrow(StaleFence);
    expect(await tx.findOneByOrFail(Step, { id: claim.stepId })).toEqual(before);
    expect(await alertsOn(claim)).toEqual([]);
  });
});
