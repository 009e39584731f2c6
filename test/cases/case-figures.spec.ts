import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { aCase, aStep } from '../factories/cases.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { aRoleHolder } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
let tx: EntityManager;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
});
afterAll(() => service?.close());

/** A loss whose last revocation was shown so many seconds after it was reported. */
async function aLoss(seconds: number, department: string): Promise<void> {
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, department, startAppliedAt: new Date() });
  const openedAt = new Date(Date.now() - 3_600_000);
  const shown = (after: number) => new Date(openedAt.getTime() + after * 1000);
  const { id: caseId } = await aCase(tx, { kind: 'lost_device', personId: person.id, openedAt });
  const revoked = { caseId, personId: person.id, act: 'suspend_account', effect: 'revoke', state: 'done' } as const;
  await aStep(tx, { ...revoked, confirmedAt: shown(seconds / 2), endedAt: shown(seconds / 2) });
  await aStep(tx, { ...revoked, confirmedAt: shown(seconds), endedAt: shown(seconds) });
  await tx.query(`UPDATE cases SET state = 'closed', closed_at = now() WHERE id = $1`, [caseId]);
}

it('tells how long it took until the last tool showed that access was gone, of what the caller reaches', async () => {
  const admin = await service.caller();
  const read = async (agent: typeof admin) => (await agent.get('/v1/case-figures').expect(200)).body.revocations;
  expect(await read(admin)).toEqual({ cases: 0, median: null, p95: null, last: null });

  await aLoss(2, 'Sales');
  await aLoss(4, 'Sales');
  await aLoss(30, 'Engineering');
  expect(await read(admin)).toMatchObject({ cases: 3, median: 4 });
  const ofSales = await aRoleHolder(service.app, 'viewer', { department: 'Sales' });
  expect(await read(ofSales.agent)).toMatchObject({ cases: 2, median: 3 });
});
