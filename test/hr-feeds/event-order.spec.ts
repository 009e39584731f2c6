import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { InboxEvent } from '../../src/hr-feeds/inbox-event.entity.js';
import { Employment } from '../../src/people/employment.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { anHrEmployee, at, hasChanged, hasJoined, hasLeft, type HrEmployee } from '../factories/hr-events.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
beforeAll(async () => {
  service = await startServiceApp();
});
afterAll(() => service?.close());

async function outcomeOf(event: unknown, webhookId?: string): Promise<Record<string, unknown>> {
  const { body } = await service.post(event, webhookId === undefined ? {} : { webhookId }).expect(202);
  return body as Record<string, unknown>;
}

/** All that an event could have changed about somebody. */
async function world(employee: HrEmployee) {
  const { manager } = service.db;
  const person = await manager.findOneBy(Person, { corporateEmail: employee.workEmail });
  const personId = person?.id ?? randomUUID();
  return {
    person,
    employments: await manager.findBy(Employment, { sourceId: employee.id }),
    cases: await manager.find(Case, { where: { personId }, order: { id: 'ASC' } }),
    audited: await manager.countBy(AuditEntry, { subjectId: personId }),
  };
}

const openAlerts = (employee: HrEmployee) =>
  service.db.manager.findBy(Alert, { dedupKey: `hr_event_held:hr:${employee.id}` });

describe('a repeat', () => {
  it('by the same webhook id counts as one more delivery, has the answer of the first, and begins nothing', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    const first = await outcomeOf(hasJoined(employee), webhookId);
    const before = await world(employee);
    expect(before.cases).toHaveLength(1);
    expect(await outcomeOf(hasJoined(employee), webhookId)).toEqual(first);
    expect(await world(employee)).toEqual(before);
    const rows = await service.db.manager.findBy(InboxEvent, { eventId: webhookId });
    expect(rows).toMatchObject([{ deliveries: 2, outcome: 'applied' }]);
    expect(rows[0]?.lastDeliveryAt.getTime()).toBeGreaterThan(rows[0]?.receivedAt.getTime() ?? Infinity);
  });

  it('by the same webhook id in many deliveries at once begins one case', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => outcomeOf(hasJoined(employee), webhookId)));
    expect(new Set(answers.map(({ caseId }) => caseId)).size).toBe(1);
    expect((await world(employee)).cases).toHaveLength(1);
    expect(await service.db.manager.findBy(InboxEvent, { eventId: webhookId })).toMatchObject([{ deliveries: 6 }]);
  });

  it('by the same webhook id does not count for another source', async () => {
    const webhookId = `msg_${randomUUID()}`;
    await outcomeOf(hasJoined(anHrEmployee()), webhookId);
    await service.post(hasJoined(anHrEmployee()), { webhookId, source: 'nobody' }).expect(401);
    expect(await service.db.manager.findBy(InboxEvent, { eventId: webhookId })).toMatchObject([{ deliveries: 1 }]);
  });

  it('under another webhook id is kept as a duplicate and begins nothing', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    const before = await world(employee);
    expect(await outcomeOf(hasJoined(employee))).toMatchObject({ outcome: 'duplicate', caseId: null });
    expect(await world(employee)).toEqual(before);
    expect(await openAlerts(employee)).toEqual([]);
  });

  it('of one event under many ids at once begins one case', async () => {
    const employee = anHrEmployee();
    const answers = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(hasJoined(employee))));
    const count = (what: string) => answers.filter(({ outcome }) => outcome === what).length;
    expect([count('applied'), count('duplicate')]).toEqual([1, 4]);
    expect((await world(employee)).cases).toHaveLength(1);
  });

  it('of a leave changes nothing, and answers the case that is there', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    await outcomeOf(hasJoined(employee));
    const first = await outcomeOf(hasLeft(employee), webhookId);
    expect(first).toMatchObject({ outcome: 'applied' });
    const before = await world(employee);
    expect(await outcomeOf(hasLeft(employee), webhookId)).toEqual(first);
    expect(await outcomeOf(hasLeft(employee))).toMatchObject({ outcome: 'duplicate' });
    expect(await world(employee)).toEqual(before);
  });
});

describe('an event that is older than the newest one', () => {
  it('is kept as outdated and changes nothing, however fresh its delivery is', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee, at(0)));
    await outcomeOf(hasLeft(employee, at(2)));
    const before = await world(employee);
    expect(before.person?.status).toBe('left');
    const late = await outcomeOf(hasJoined({ ...employee, department: 'sales' }, at(1)));
    expect(late).toMatchObject({ outcome: 'outdated', caseId: null });
    expect(late['reason']).toContain(at(2));
    expect(await world(employee)).toEqual(before);
  });

  it('is told by its sequence when both happened in one instant', async () => {
    const employee = anHrEmployee();
    await outcomeOf({ ...hasJoined(employee), sequence: 5 });
    const sales = { ...employee, department: 'sales' };
    expect(await outcomeOf({ ...hasChanged(sales, at(0)), sequence: 4 })).toMatchObject({ outcome: 'outdated' });
    expect((await world(employee)).employments).toMatchObject([{ department: 'engineering' }]);
    expect(await outcomeOf({ ...hasChanged(sales, at(0)), sequence: 6 })).toMatchObject({ outcome: 'applied' });
    expect((await world(employee)).employments).toMatchObject([{ department: 'sales', lastEventSequence: 6 }]);
  });

  it('is told by the instant and not by its words: 09:30 in Berlin is before 08:00 in London', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee, '2026-06-01T08:00:00+01:00'));
    expect(await outcomeOf(hasChanged(employee, '2026-06-01T08:30:00+02:00'))).toMatchObject({ outcome: 'outdated' });
    expect(await outcomeOf(hasChanged(employee, '2026-06-01T08:30:00+01:00'))).toMatchObject({ outcome: 'applied' });
  });

  it('is told in any offset that there can be (RFC 3339, 5.6), and in any year of four digits', async () => {
    for (const occurredAt of ['2026-01-01T00:00:00+23:59', '2026-01-01T00:00:00-23:59', '0000-01-01T00:00:00Z']) {
      const employee = anHrEmployee();
      await outcomeOf(hasJoined(employee, occurredAt));
      expect(await service.db.manager.findOneByOrFail(InboxEvent, { employeeId: employee.id })).toMatchObject({
        outcome: 'applied',
        eventTime: new Date(occurredAt),
      });
    }
  });
});

describe('two events that claim the same time and sequence', () => {
  it('are left to a person: the second is held, with one alert, and changes nothing', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    const before = await world(employee);
    expect(await openAlerts(employee)).toEqual([]);
    const rival = { ...employee, department: 'sales' };
    expect(await outcomeOf(hasChanged(rival, at(0)))).toMatchObject({ outcome: 'held', caseId: null });
    expect(await world(employee)).toEqual(before);
    expect(await openAlerts(employee)).toMatchObject([{ kind: 'hr_event_held', owner: 'it-admins', resolvedAt: null }]);
    // The held one under another id is the same event; another rival is held, too.
    expect(await outcomeOf(hasChanged(rival, at(0)))).toMatchObject({ outcome: 'duplicate' });
    expect(await outcomeOf(hasLeft(employee, at(0)))).toMatchObject({ outcome: 'held' });
    expect(await world(employee)).toEqual(before);
    expect(await openAlerts(employee)).toHaveLength(1);
  });

  it('do not stop a newer one', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    expect(await outcomeOf(hasLeft(employee, at(0)))).toMatchObject({ outcome: 'held' });
    expect(await outcomeOf(hasLeft(employee, at(1)))).toMatchObject({ outcome: 'applied' });
    expect((await world(employee)).person?.status).toBe('left');
  });
});

describe('an event about somebody unknown', () => {
  it('is held when it is a leave, with an alert, and makes nobody', async () => {
    const employee = anHrEmployee();
    expect(await outcomeOf(hasLeft(employee, at(2)))).toMatchObject({ outcome: 'held', caseId: null });
    expect(await world(employee)).toMatchObject({ person: null, employments: [] });
    expect(await openAlerts(employee)).toHaveLength(1);
  });

  it('makes the join that comes after it, and is older, outdated: nobody who left is let in', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasLeft(employee, at(2)));
    expect(await outcomeOf(hasJoined(employee, at(1)))).toMatchObject({ outcome: 'outdated', caseId: null });
    expect(await world(employee)).toMatchObject({ person: null, employments: [], cases: [] });
  });

  it('does not stand in the way of a join that is newer', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasLeft(employee, at(2)));
    expect(await outcomeOf(hasJoined(employee, at(3)))).toMatchObject({ outcome: 'applied' });
    expect((await world(employee)).person?.status).toBe('active');
  });

  it('of one source says nothing about an employee of the same id at another', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasLeft(employee, at(2)));
    await service.db.query(`UPDATE inbox_events SET source = 'elsewhere' WHERE employee_id = $1`, [employee.id]);
    expect(await outcomeOf(hasJoined(employee, at(1)))).toMatchObject({ outcome: 'applied' });
  });
});

describe('an address', () => {
  it('that belongs to somebody with another name is not taken over: the event is held', async () => {
    const ada = anHrEmployee();
    await outcomeOf(hasJoined(ada));
    const before = await world(ada);
    const stranger = anHrEmployee({ workEmail: ada.workEmail, familyName: 'Hopper' });
    expect(await outcomeOf(hasJoined(stranger))).toMatchObject({ outcome: 'held' });
    expect(await openAlerts(stranger)).toHaveLength(1);
    expect(await world(ada)).toEqual(before);
  });

  it('that belongs to a relative is not taken over by a change either', async () => {
    const [ada, byron] = [anHrEmployee({ familyName: 'Byron' }), anHrEmployee({ familyName: 'Byron' })];
    await outcomeOf(hasJoined(ada));
    await outcomeOf(hasJoined(byron));
    const before = [await world(ada), await world(byron)];
    expect(await outcomeOf(hasChanged({ ...byron, workEmail: ada.workEmail }))).toMatchObject({ outcome: 'held' });
    expect(await openAlerts(byron)).toHaveLength(1);
    expect([await world(ada), await world(byron)]).toEqual(before);
  });

  it('may change with the name of the person who has it', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    const before = await world(employee);
    const married = { ...employee, familyName: 'King', workEmail: `king.${employee.workEmail}` };
    expect(await outcomeOf(hasChanged(married))).toMatchObject({ outcome: 'applied' });
    expect((await world(married)).person).toMatchObject({ id: before.person?.id, familyName: 'King' });
    expect((await world(employee)).person).toBeNull();
  });
});
