import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids/new-id.js';
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

interface Ended {
  kind: 'lost_device' | 'leaver';
  /** After so many the last revocation was shown; null: the case is open. */
  seconds: number | null;
  department?: string;
  daysAgo?: number;
}

async function aCut({ kind, seconds, department = 'Sales', daysAgo = 1 }: Ended): Promise<void> {
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, department, startAppliedAt: new Date() });
  const openedAt = new Date(Date.now() - daysAgo * 86_400_000);
  const { id: caseId } = await aCase(tx, { id: idOf(openedAt), kind, personId: person.id, openedAt });
  if (seconds === null) return;
  const shown = (after: number) => new Date(openedAt.getTime() + after * 1000);
  const revoked = { caseId, personId: person.id, act: 'suspend_account', effect: 'revoke', state: 'done' } as const;
  await aStep(tx, { ...revoked, confirmedAt: shown(seconds / 2), endedAt: shown(seconds / 2) });
  await aStep(tx, { ...revoked, confirmedAt: shown(seconds), endedAt: shown(seconds) });
  await tx.query(`UPDATE cases SET state = 'closed', closed_at = now() WHERE id = $1`, [caseId]);
}

/** A new id, as it would have been made then. */
function idOf(at: Date): string {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newId().slice(13)}`;
}

it('tells how long it took until the last tool showed that access was gone, of what the caller reaches', async () => {
  const admin = await service.caller();
  const read = async (agent: typeof admin) => (await agent.get('/v1/case-figures').expect(200)).body;
  const none = { opened: 0, cases: 0, median: null, p95: null, last: null };
  expect(await read(admin)).toEqual({ days: 30, revocations: none, leavers: { days: 7, ...none } });

  await aCut({ kind: 'lost_device', seconds: 2 });
  await aCut({ kind: 'lost_device', seconds: 4 });
  await aCut({ kind: 'lost_device', seconds: 30, department: 'Engineering' });
  expect(await read(admin)).toMatchObject({ revocations: { opened: 3, cases: 3, median: 4 }, leavers: none });
  const ofSales = await aRoleHolder(service.app, 'viewer', { department: 'Sales' });
  expect(await read(ofSales.agent)).toMatchObject({ revocations: { cases: 2, median: 3 } });

  await aCut({ kind: 'leaver', seconds: 6 });
  await aCut({ kind: 'leaver', seconds: null });
  await aCut({ kind: 'leaver', seconds: 100, daysAgo: 8 });
  expect(await read(admin)).toMatchObject({ leavers: { opened: 2, cases: 1, median: 6, p95: 6, last: 6 } });
  expect(await read(ofSales.agent)).toMatchObject({ revocations: { opened: 5, cases: 4, median: 5 } });
});
