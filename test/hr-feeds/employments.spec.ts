import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Account } from '../../src/accounts/account.entity.js';
import { Grant } from '../../src/accounts/grant.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { DueEmployments } from '../../src/hr-feeds/due-employments.service.js';
import { InboxEvent } from '../../src/hr-feeds/inbox-event.entity.js';
import { Employment } from '../../src/people/employment.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { endOfLocalDay, localDate, startOfLocalDay } from '../../src/people/start-instant.js';
import { Tool } from '../../src/tools/tool.entity.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
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
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

const BERLIN = 'Europe/Berlin';
const FAR_OFF = '2031-07-01';

let service: ServiceApp;
beforeAll(async () => {
  service = await startServiceApp({
    policy: anAccessPolicy({
      rules: [
        { name: 'everyone', tools: [{ tool: 'chat', groups: ['everyone'] }] },
        {
          name: 'engineering',
          when: { department: 'engineering' },
          tools: [{ tool: 'chat', groups: ['engineers'] }, { tool: 'code' }],
        },
        {
          name: 'sales',
          when: { department: 'sales' },
          tools: [{ tool: 'chat', groups: ['sellers'] }, { tool: 'crm' }],
        },
      ],
    }),
  });
  await liftBrakeLimits(service.app);
  for (const key of ['chat', 'code', 'crm']) await aTool(service.db.manager, { key, name: key, connector: 'scim' });
});
afterAll(() => service?.close());

const manager = () => service.db.manager;

async function outcomeOf(event: unknown): Promise<Record<string, string | null>> {
  return (await service.post(event).expect(202)).body as Record<string, string | null>;
}

async function personOf({ workEmail }: HrEmployee): Promise<Person> {
  return manager().findOneByOrFail(Person, { corporateEmail: workEmail });
}

const employmentOf = ({ id }: HrEmployee) => manager().findOneByOrFail(Employment, { sourceId: id });

/** The person's cases by their kinds, oldest first. */
async function casesOf(employee: HrEmployee): Promise<string[]> {
  const { id: personId } = await personOf(employee);
  const cases = await manager().find(Case, { where: { personId }, order: { id: 'ASC' } });
  return cases.map(({ kind }) => kind);
}

/** What a case's plan says, as `act tool [grant]`, in any order. */
async function planOf(caseId: string | null | undefined): Promise<string[]> {
  const rows = await service.db.query<{ line: string }[]>(
    `SELECT concat_ws(' ', s.act, t.key, s.input #>> '{grant,name}') AS line FROM steps s JOIN tools t ON t.id = s.tool_id
     WHERE s.case_id = $1 ORDER BY line`,
    [caseId ?? null],
  );
  return rows.map(({ line }) => line);
}

const standingHolds = async (employee: HrEmployee): Promise<string[]> => {
  const { id: personId } = await personOf(employee);
  const holds = await manager().findBy(Hold, { personId });
  return holds.filter(({ releasedAt }) => releasedAt === null).map(({ reason }) => reason);
};

/** As if workers had done all that is planned for the person, and the tools had shown it. */
async function carryOut(employee: HrEmployee): Promise<void> {
  const { id } = await personOf(employee);
  await service.db.query(
    `UPDATE steps SET state = CASE state WHEN 'planned' THEN 'ready' ELSE state END WHERE person_id = $1`,
    [id],
  );
  await service.db.query(
    `UPDATE steps SET state = 'running', lease_owner = id, lease_until = now() WHERE person_id = $1 AND state = 'ready'`,
    [id],
  );
  await service.db.query(
    `UPDATE steps SET state = 'done', lease_owner = NULL, lease_until = NULL, confirmed_at = now() WHERE person_id = $1 AND state = 'running'`,
    [id],
  );
  await service.db.query(
    `UPDATE accounts SET external_id = 'ext-' || id, observed_state = desired_state, observed_at = now() WHERE person_id = $1`,
    [id],
  );
  await service.db.query(
    `UPDATE grants SET observed = desired, observed_at = now() WHERE account_id IN (SELECT id FROM accounts WHERE person_id = $1)`,
    [id],
  );
}

/** What the person's accounts should be, by tool. */
async function desiredOf(employee: HrEmployee): Promise<Record<string, string>> {
  const { id } = await personOf(employee);
  const rows = await service.db.query<{ key: string; desired: string }[]>(
    `SELECT t.key, a.desired_state AS desired FROM accounts a JOIN tools t ON t.id = a.tool_id WHERE a.person_id = $1`,
    [id],
  );
  return Object.fromEntries(rows.map(({ key, desired }) => [key, desired]));
}

async function accountAt(key: string, personId: string): Promise<string> {
  const tool = await manager().findOneByOrFail(Tool, { key });
  return (await manager().findOneByOrFail(Account, { personId, toolId: tool.id })).id;
}

/** The employment's instant has come, as far as anybody can tell. */
async function letItCome(employee: HrEmployee, instant: 'starts_at' | 'ends_at'): Promise<void> {
  await service.db.query(`UPDATE employments SET ${instant} = now() - interval '1 second' WHERE source_id = $1`, [
    employee.id,
  ]);
}

const openAlertsOf = async (employee: HrEmployee) =>
  manager().query<unknown[]>(
    `SELECT kind, severity FROM alerts WHERE resolved_at IS NULL AND dedup_key = 'employment_stuck:' || $1`,
    [(await employmentOf(employee)).id],
  );
const applyDue = () => service.app.get(DueEmployments).applyDue();

describe('a join', () => {
  it('whose day has come begins at once: an account in every tool of the policy, each group after its account', async () => {
    const employee = anHrEmployee();
    const { outcome, caseId } = await outcomeOf(hasJoined(employee));
    expect(outcome).toBe('applied');
    expect(await casesOf(employee)).toEqual(['joiner']);
    expect(await planOf(caseId)).toEqual([
      'create_account chat',
      'create_account code',
      'grant chat engineers',
      'grant chat everyone',
    ]);
    const steps = await manager().findBy(Step, { caseId: caseId ?? '' });
    for (const { act, state, lane } of steps) {
      expect([act, state, lane]).toEqual([act, act === 'grant' ? 'planned' : 'ready', 'standard']);
    }
    expect(await desiredOf(employee)).toEqual({ chat: 'active', code: 'active' });
  });

  it('with a day to come is scheduled for the instant at which that day begins in its zone, and gives nothing before', async () => {
    // Clocks go forward at midnight in Beirut on this day: it begins at 01:00, at 22:00 UTC the day before.
    const employee = anHrEmployee({ startDate: '2031-03-30', timeZone: 'Asia/Beirut' });
    const startsAt = startOfLocalDay('2031-03-30', 'Asia/Beirut');
    expect(startsAt.toISOString()).toBe('2031-03-29T22:00:00.000Z');
    const { outcome, effectiveAt, caseId } = await outcomeOf(hasJoined(employee));
    expect({ outcome, effectiveAt, caseId }).toEqual({
      outcome: 'scheduled',
      effectiveAt: startsAt.toISOString(),
      caseId: null,
    });
    expect((await personOf(employee)).status).toBe('expected');
    expect(await employmentOf(employee)).toMatchObject({
      startDate: '2031-03-30',
      zone: 'Asia/Beirut',
      startsAt,
      startAppliedAt: null,
    });
    await applyDue();
    expect(await casesOf(employee)).toEqual([]);
    expect(await manager().findBy(Account, { personId: (await personOf(employee)).id })).toEqual([]);
  });

  it('that was scheduled begins when its instant has come, once', async () => {
    const employee = anHrEmployee({ startDate: FAR_OFF });
    await outcomeOf(hasJoined(employee));
    await letItCome(employee, 'starts_at');
    expect(await casesOf(employee)).toEqual([]);
    expect(await applyDue()).toBe(1);
    expect(await casesOf(employee)).toEqual(['joiner']);
    expect((await personOf(employee)).status).toBe('active');
    expect(await applyDue()).toBe(0);
    expect(await casesOf(employee)).toEqual(['joiner']);
  });

  it('begins once when two processes look for what is due at the same time', async () => {
    const employees = Array.from({ length: 4 }, () => anHrEmployee({ startDate: FAR_OFF }));
    for (const employee of employees) {
      await outcomeOf(hasJoined(employee));
      await letItCome(employee, 'starts_at');
    }
    await Promise.all([applyDue(), applyDue()]);
    await applyDue();
    for (const employee of employees) expect(await casesOf(employee)).toEqual(['joiner']);
  });

  it('that fails holds up nobody else, is told, and is tried again', async () => {
    const [broken, fine] = [anHrEmployee({ startDate: FAR_OFF }), anHrEmployee({ startDate: FAR_OFF })];
    for (const employee of [broken, fine]) {
      await outcomeOf(hasJoined(employee));
      await letItCome(employee, 'starts_at');
    }
    const { id } = await personOf(broken);
    await service.db.query(`ALTER TABLE cases ADD CONSTRAINT not_in_this_test CHECK (person_id <> '${id}')`);
    try {
      await expect(applyDue()).rejects.toThrow('not_in_this_test');
      expect(await casesOf(fine)).toEqual(['joiner']);
      expect(await casesOf(broken)).toEqual([]);
      expect(await employmentOf(broken)).toMatchObject({ startAppliedAt: null });
      await expect(applyDue()).rejects.toThrow('not_in_this_test');
      expect(await openAlertsOf(broken)).toEqual([{ kind: 'employment_stuck', severity: 'critical' }]);
    } finally {
      await service.db.query(`ALTER TABLE cases DROP CONSTRAINT not_in_this_test`);
    }
    expect(await applyDue()).toBe(1);
    expect(await casesOf(broken)).toEqual(['joiner']);
    expect(await openAlertsOf(broken)).toEqual([]);
  });

  it('may be put off before it begins', async () => {
    const employee = anHrEmployee({ startDate: FAR_OFF });
    await outcomeOf(hasJoined(employee));
    const { outcome, effectiveAt } = await outcomeOf(hasChanged({ ...employee, startDate: '2031-08-01' }));
    expect({ outcome, effectiveAt }).toEqual({
      outcome: 'scheduled',
      effectiveAt: startOfLocalDay('2031-08-01', BERLIN).toISOString(),
    });
  });

  it('never begins when the leave comes before its day', async () => {
    const employee = anHrEmployee({ startDate: FAR_OFF });
    await outcomeOf(hasJoined(employee));
    const { caseId } = await outcomeOf(hasLeft(employee));
    expect(await casesOf(employee)).toEqual(['leaver']);
    expect(caseId).not.toBeNull();
    await letItCome(employee, 'starts_at');
    await applyDue();
    expect(await casesOf(employee)).toEqual(['leaver']);
    expect((await personOf(employee)).status).toBe('left');
  });

  it('names in its case the tools of the policy that are not set up', async () => {
    await service.db.query(`UPDATE tools SET state = 'retired' WHERE key = 'code'`);
    try {
      const { caseId } = await outcomeOf(hasJoined(anHrEmployee()));
      expect(await planOf(caseId)).not.toContain('create_account code');
      expect((await manager().findOneByOrFail(Case, { id: caseId ?? '' })).facts).toMatchObject({
        unknownTools: ['code'],
      });
    } finally {
      await service.db.query(`UPDATE tools SET state = 'active' WHERE key = 'code'`);
    }
  });
});

describe('a leave', () => {
  async function somebodyEmployed(with_: Partial<HrEmployee> = {}): Promise<HrEmployee> {
    const employee = anHrEmployee(with_);
    await outcomeOf(hasJoined(employee));
    await carryOut(employee);
    return employee;
  }

  it('at once suspends everything and looks everywhere, in tools without an account as well', async () => {
    const employee = await somebodyEmployed();
    expect(await standingHolds(employee)).toEqual([]);
    const { outcome, caseId } = await outcomeOf(hasLeft(employee));
    expect(outcome).toBe('applied');
    expect(await planOf(caseId)).toEqual([
      'discover chat',
      'discover code',
      'discover crm',
      'final_look chat',
      'final_look code',
      'final_look crm',
      'suspend_account chat',
      'suspend_account code',
    ]);
    expect(await desiredOf(employee)).toEqual({ chat: 'suspended', code: 'suspended' });
    expect((await personOf(employee)).status).toBe('left');
    expect(await standingHolds(employee)).toEqual(['leaver']);
  });

  it('supersedes grants that were not sent', async () => {
    const employee = anHrEmployee();
    const { caseId } = await outcomeOf(hasJoined(employee));
    await outcomeOf(hasLeft(employee));
    const steps = await manager().findBy(Step, { caseId: caseId ?? '' });
    expect(steps).toHaveLength(4);
    for (const { state } of steps) expect(state).toBe('superseded');
    expect(await manager().findOneByOrFail(Case, { id: caseId ?? '' })).toMatchObject({ state: 'closed' });
  });

  it('with a last day takes effect when that day is over in the zone of the employment', async () => {
    const employee = await somebodyEmployed({ timeZone: 'Pacific/Auckland' });
    const { outcome, effectiveAt, caseId } = await outcomeOf(hasLeft(employee, at(2), '2031-12-31'));
    expect({ outcome, effectiveAt, caseId }).toEqual({
      outcome: 'scheduled',
      effectiveAt: '2031-12-31T11:00:00.000Z',
      caseId: null,
    });
    await applyDue();
    expect((await personOf(employee)).status).toBe('active');
    expect(await desiredOf(employee)).toEqual({ chat: 'active', code: 'active' });
    await letItCome(employee, 'ends_at');
    expect(await applyDue()).toBe(1);
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver']);
    expect(await desiredOf(employee)).toEqual({ chat: 'suspended', code: 'suspended' });
    expect(await applyDue()).toBe(0);
  });

  it('today leaves the person in until the day is over', async () => {
    const employee = await somebodyEmployed();
    const today = localDate(new Date(), BERLIN);
    const { outcome, effectiveAt } = await outcomeOf(hasLeft(employee, at(2), today));
    expect({ outcome, effectiveAt }).toEqual({
      outcome: 'scheduled',
      effectiveAt: endOfLocalDay(today, BERLIN).toISOString(),
    });
    expect((await personOf(employee)).status).toBe('active');
  });

  it('of a day that is over takes effect at once', async () => {
    const employee = await somebodyEmployed();
    expect(await outcomeOf(hasLeft(employee, at(2), '2026-02-28'))).toMatchObject({ outcome: 'applied' });
    expect((await personOf(employee)).status).toBe('left');
  });

  it('may be brought forward', async () => {
    const employee = await somebodyEmployed();
    await outcomeOf(hasLeft(employee, at(2), FAR_OFF));
    expect(await casesOf(employee)).toEqual(['joiner']);
    expect(await outcomeOf(hasLeft(employee, at(3)))).toMatchObject({ outcome: 'applied' });
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver']);
  });

  it('that was cancelled before it took effect never does', async () => {
    const employee = await somebodyEmployed();
    await outcomeOf(hasLeft(employee, at(2), FAR_OFF));
    expect((await employmentOf(employee)).endsAt).not.toBeNull();
    expect(await outcomeOf(staysAfterAll(employee))).toMatchObject({ outcome: 'applied', caseId: null });
    expect(await employmentOf(employee)).toMatchObject({ endDate: null, endsAt: null });
    await applyDue();
    expect((await personOf(employee)).status).toBe('active');
    expect(await casesOf(employee)).toEqual(['joiner']);
  });

  it('can not be cancelled after it took effect: that is held, and gives nothing back', async () => {
    const employee = await somebodyEmployed();
    await outcomeOf(hasLeft(employee));
    expect(await outcomeOf(staysAfterAll(employee))).toMatchObject({ outcome: 'held' });
    expect((await personOf(employee)).status).toBe('left');
    expect(await standingHolds(employee)).toEqual(['leaver']);
    expect(await desiredOf(employee)).toEqual({ chat: 'suspended', code: 'suspended' });
  });

  it.each([
    ['a leave', (employee: HrEmployee) => hasLeft(employee, at(3), FAR_OFF)],
    ['a change', (employee: HrEmployee) => hasChanged({ ...employee, endDate: FAR_OFF }, at(3))],
    ['a change to none', (employee: HrEmployee) => hasChanged({ ...employee, endDate: null }, at(3))],
  ])(
    'can not be put off by %s after it took effect: that is held, and only a join gives access back',
    async (_, later) => {
      const employee = await somebodyEmployed();
      await outcomeOf(hasLeft(employee));
      const ended = await employmentOf(employee);
      expect(await outcomeOf(later(employee))).toMatchObject({ outcome: 'held' });
      const { endsAt, endAppliedAt } = await employmentOf(employee);
      expect({ endsAt, endAppliedAt }).toEqual({ endsAt: ended.endsAt, endAppliedAt: ended.endAppliedAt });
      expect((await personOf(employee)).status).toBe('left');
      await outcomeOf(hasJoined(employee, at(4)));
      expect(await casesOf(employee)).toEqual(['joiner', 'leaver', 'rehire']);
    },
  );

  it('that is scheduled survives a change which says nothing about the last day', async () => {
    const employee = await somebodyEmployed();
    await outcomeOf(hasLeft(employee, at(2), FAR_OFF));
    await outcomeOf(hasChanged({ ...employee, givenName: 'Augusta' }, at(3)));
    expect((await personOf(employee)).givenName).toBe('Augusta');
    expect(await employmentOf(employee)).toMatchObject({ endDate: FAR_OFF });
    await outcomeOf(hasChanged({ ...employee, endDate: null }, at(4)));
    expect(await employmentOf(employee)).toMatchObject({ endDate: null, endsAt: null });
  });

  it('that took effect stays so when a change of the person comes after it', async () => {
    const employee = await somebodyEmployed();
    await outcomeOf(hasLeft(employee));
    const { endsAt, endAppliedAt } = await employmentOf(employee);
    await outcomeOf(hasChanged({ ...employee, givenName: 'Augusta' }, at(3)));
    expect(await employmentOf(employee)).toMatchObject({ endsAt, endAppliedAt });
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver']);
  });
});

describe('somebody who comes back', () => {
  it('under the same id gets everything anew, with new credentials first, and only the hold of the leave is lifted', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    await carryOut(employee);
    await outcomeOf(hasLeft(employee));
    await carryOut(employee);
    const { outcome, caseId } = await outcomeOf(hasJoined(employee, at(3)));
    expect(outcome).toBe('applied');
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver', 'rehire']);
    expect(await standingHolds(employee)).toEqual([]);
    expect(await planOf(caseId)).toEqual([
      'reset_credentials chat',
      'reset_credentials code',
      'restore_account chat',
      'restore_account code',
    ]);
    expect(await desiredOf(employee)).toEqual({ chat: 'active', code: 'active' });
  });

  it('on a later day is let in on that day', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    await outcomeOf(hasLeft(employee));
    const again = await outcomeOf(hasJoined({ ...employee, startDate: FAR_OFF }, at(3)));
    expect(again).toMatchObject({ outcome: 'scheduled', caseId: null });
    expect(await standingHolds(employee)).toEqual(['leaver']);
    await letItCome(employee, 'starts_at');
    await applyDue();
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver', 'rehire']);
    expect(await standingHolds(employee)).toEqual([]);
  });

  it('gets nothing while the hold of a loss stands', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    await carryOut(employee);
    const device = await aDevice(manager(), { holderId: (await personOf(employee)).id });
    const admin = await service.caller();
    await admin.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    await outcomeOf(hasLeft(employee));
    expect((await standingHolds(employee)).toSorted()).toEqual(['leaver', 'lost_device']);
    const { caseId } = await outcomeOf(hasJoined(employee, at(3)));
    expect(await standingHolds(employee)).toEqual(['lost_device']);
    expect(await planOf(caseId)).toEqual([]);
    expect((await manager().findOneByOrFail(Case, { id: caseId ?? '' })).facts).toMatchObject({
      notGrantedBecause: 'another hold stands',
    });
    expect(await desiredOf(employee)).toEqual({ chat: 'suspended', code: 'suspended' });
  });

  it('after an administrator’s "leave now" is let in by a later join of HR', async () => {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    await carryOut(employee);
    const admin = await service.caller();
    const personId = (await personOf(employee)).id;
    await admin.post('/v1/leavers').send({ personId, reason: 'They hand in their badge today.' }).expect(202);
    expect(await standingHolds(employee)).toEqual(['leaver']);
    await outcomeOf(hasJoined(employee, at(3)));
    expect(await casesOf(employee)).toEqual(['joiner', 'leaver', 'rehire']);
    expect(await standingHolds(employee)).toEqual([]);
    expect(await desiredOf(employee)).toEqual({ chat: 'active', code: 'active' });
  });
});

describe('a person with two employments', () => {
  async function somebodyWithTwo(): Promise<{ engineer: HrEmployee; seller: HrEmployee }> {
    const engineer = anHrEmployee();
    const seller = { ...engineer, id: `${engineer.id}-2`, department: 'sales' };
    await outcomeOf(hasJoined(engineer));
    await carryOut(engineer);
    const { caseId } = await outcomeOf(hasJoined(seller));
    expect(await planOf(caseId)).toEqual(['create_account crm', 'grant chat sellers']);
    await carryOut(seller);
    return { engineer, seller };
  }

  it('is one person with the accounts of both, one in each tool', async () => {
    const { engineer, seller } = await somebodyWithTwo();
    const person = await personOf(engineer);
    expect(await manager().countBy(Person, { corporateEmail: seller.workEmail })).toBe(1);
    expect(await manager().countBy(Employment, { personId: person.id })).toBe(2);
    expect(await desiredOf(engineer)).toEqual({ chat: 'active', code: 'active', crm: 'active' });
    expect(await manager().countBy(Account, { personId: person.id })).toBe(3);
  });

  it('moves when one of them ends: what only that one gave is taken away, and nothing else', async () => {
    const { engineer, seller } = await somebodyWithTwo();
    const { caseId } = await outcomeOf(hasLeft(engineer));
    expect((await casesOf(engineer)).at(-1)).toBe('mover');
    expect(await planOf(caseId)).toEqual(['suspend_account code', 'withdraw chat engineers']);
    expect(await desiredOf(seller)).toEqual({ chat: 'active', code: 'suspended', crm: 'active' });
    expect((await personOf(seller)).status).toBe('active');
    expect(await standingHolds(seller)).toEqual([]);
  });

  it('leaves when the last one ends', async () => {
    const { engineer, seller } = await somebodyWithTwo();
    await outcomeOf(hasLeft(engineer));
    await outcomeOf(hasLeft(seller));
    expect((await casesOf(engineer)).at(-1)).toBe('leaver');
    expect((await personOf(seller)).status).toBe('left');
    expect(Object.values(await desiredOf(seller))).toEqual(['suspended', 'suspended', 'suspended']);
  });
});

describe('a change of department', () => {
  async function somebodyInEngineering(): Promise<HrEmployee> {
    const employee = anHrEmployee();
    await outcomeOf(hasJoined(employee));
    await carryOut(employee);
    return employee;
  }

  it('gives what the new one has, withdraws the groups and suspends the accounts of the old one', async () => {
    const employee = await somebodyInEngineering();
    const { outcome, caseId } = await outcomeOf(hasChanged({ ...employee, department: 'sales' }));
    expect(outcome).toBe('applied');
    expect(await casesOf(employee)).toEqual(['joiner', 'mover']);
    expect(await planOf(caseId)).toEqual([
      'create_account crm',
      'grant chat sellers',
      'suspend_account code',
      'withdraw chat engineers',
    ]);
    expect(await desiredOf(employee)).toEqual({ chat: 'active', code: 'suspended', crm: 'active' });
    const { id: personId } = await personOf(employee);
    const accountId = await accountAt('chat', personId);
    const grants = await manager().find(Grant, { where: { accountId }, order: { name: 'ASC' } });
    expect(grants.map(({ name, desired }) => [name, desired])).toEqual([
      ['engineers', 'absent'],
      ['everyone', 'present'],
      ['sellers', 'present'],
    ]);
  });

  it('and back again before anything was done ends where it began: what is withdrawn meanwhile is given anew', async () => {
    const employee = await somebodyInEngineering();
    const { caseId: away } = await outcomeOf(hasChanged({ ...employee, department: 'sales' }, at(1)));
    const { caseId: back } = await outcomeOf(hasChanged(employee, at(2)));
    // The withdrawal and the suspension go on: revocations are never superseded.
    const revocations = await manager().findBy(Step, { caseId: away ?? '', effect: 'revoke' });
    expect(revocations.map(({ state }) => state)).toEqual(['ready', 'ready']);
    const plan = await planOf(back);
    expect(plan).toContain('grant chat engineers');
    expect(plan).toContain('restore_account code');
    const given = await manager().findBy(Step, { caseId: back ?? '', act: 'grant' });
    for (const { state } of given) expect(state).toBe('planned');
  });

  it('without a difference in access begins nothing', async () => {
    const employee = await somebodyInEngineering();
    expect(await outcomeOf(hasChanged({ ...employee, givenName: 'Augusta' }))).toMatchObject({ caseId: null });
    expect(await casesOf(employee)).toEqual(['joiner']);
  });

  it('gives nothing to somebody whose laptop is lost', async () => {
    const employee = await somebodyInEngineering();
    const device = await aDevice(manager(), { holderId: (await personOf(employee)).id });
    await (await service.caller()).post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    expect(await outcomeOf(hasChanged({ ...employee, department: 'sales' }))).toMatchObject({
      outcome: 'applied',
      caseId: null,
    });
    expect((await employmentOf(employee)).department).toBe('sales');
    expect(await desiredOf(employee)).toEqual({ chat: 'suspended', code: 'suspended' });
  });
});

it('each event that was answered 202 has its row with the one outcome that was answered (I3)', async () => {
  const employee = anHrEmployee();
  const events = [
    hasJoined(employee, at(1)),
    hasJoined(employee, at(0)),
    hasChanged({ ...employee, department: 'sales' }, at(2)),
    hasChanged({ ...employee, department: 'sales' }, at(2)),
    hasLeft(employee, at(3), FAR_OFF),
    hasLeft(employee, at(4)),
    staysAfterAll(employee, at(5)),
    hasLeft(anHrEmployee()),
  ];
  const outcomes: (string | null)[] = [];
  for (const event of events) {
    const answer = await outcomeOf(event);
    const row = await manager().findOneByOrFail(InboxEvent, { id: answer['id'] ?? '' });
    expect(row).toMatchObject({ body: JSON.stringify(event), outcome: answer['outcome'], caseId: answer['caseId'] });
    outcomes.push(answer['outcome'] ?? null);
  }
  expect(outcomes).toEqual(['applied', 'outdated', 'applied', 'duplicate', 'scheduled', 'applied', 'held', 'held']);
});
