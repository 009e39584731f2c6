import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HrSourcesService } from '../../src/hr-feeds/hr-sources.service.js';
import { InboxEvent } from '../../src/hr-feeds/inbox-event.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { anHrEmployee, hasJoined, hasLeft } from '../factories/hr-events.js';
import { startServiceApp, type Posting, type ServiceApp } from '../factories/service-app.js';

const MINUTE = 60_000;

let service: ServiceApp;
beforeAll(async () => {
  service = await startServiceApp();
});
afterAll(() => service?.close());

const kept = (webhookId: string) => service.db.manager.findBy(InboxEvent, { eventId: webhookId });
const personOf = (workEmail: string) => service.db.manager.findOneBy(Person, { corporateEmail: workEmail });

/** By the clock that counts. */
async function databaseTime(): Promise<number> {
  const [row] = await service.db.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
  return row?.now.getTime() ?? 0;
}

describe('a webhook of an HR system', () => {
  it('is answered 202 with its outcome, which is committed by then', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    expect(await personOf(employee.workEmail)).toBeNull();
    const event = hasJoined(employee);
    const { body } = await service.post(event, { webhookId }).expect(202);
    const person = await personOf(employee.workEmail);
    expect(person).toMatchObject({ status: 'active', familyName: employee.familyName });
    expect(await kept(webhookId)).toEqual([
      expect.objectContaining({
        id: body.id,
        source: 'hr',
        body: JSON.stringify(event),
        eventType: 'employee.joined',
        employeeId: employee.id,
        eventTime: new Date(String(event['occurredAt'])),
        sequence: 0,
        deliveries: 1,
        outcome: 'applied',
        personId: person?.id,
        caseId: body.caseId,
      }),
    ]);
    expect(body).toEqual({
      id: body.id,
      outcome: 'applied',
      reason: null,
      effectiveAt: null,
      caseId: expect.any(String),
    });
  });

  it.each([
    ['a wrong secret', () => ({ secret: `whsec_${randomBytes(32).toString('base64')}` })],
    ['a source that nobody set up', () => ({ source: 'stranger' })],
    ['a body that was changed on its way', (body: string) => ({ signedBody: body.replace('2026', '2025') })],
    ['a signature that is none', () => ({ headers: { 'webhook-signature': 'v1,nonsense' } })],
    ['a timestamp that is none', () => ({ headers: { 'webhook-timestamp': 'now' } })],
    ['an id that was not signed', () => ({ headers: { 'webhook-id': 'msg_other' } })],
  ] satisfies [string, (body: string) => Posting][])(
    'is refused with 401 for %s, and nothing is kept',
    async (_what, posting) => {
      const employee = anHrEmployee();
      const event = hasJoined(employee);
      const before = await service.db.manager.count(InboxEvent);
      const { body } = await service.post(event, posting(JSON.stringify(event))).expect(401);
      expect(body.type).toBe('/problems/invalid-signature');
      expect(await service.db.manager.count(InboxEvent)).toBe(before);
      expect(await personOf(employee.workEmail)).toBeNull();
      await service.post(event).expect(202);
    },
  );

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])(
    'is refused with 401 without %s',
    async (header) => {
      const before = await service.db.manager.count(InboxEvent);
      await service.post(hasJoined(anHrEmployee())).unset(header).expect(401);
      expect(await service.db.manager.count(InboxEvent)).toBe(before);
    },
  );

  it('is refused with 401 when it is more than 5 minutes off by the database’s clock, to either side', async () => {
    const event = hasJoined(anHrEmployee());
    const before = await service.db.manager.count(InboxEvent);
    for (const offset of [-6 * MINUTE, 6 * MINUTE]) {
      const { body } = await service.post(event, { sentAt: (await databaseTime()) + offset }).expect(401);
      expect(body.detail).toContain('5 minutes');
    }
    expect(await service.db.manager.count(InboxEvent)).toBe(before);
    for (const offset of [-4 * MINUTE, 4 * MINUTE]) {
      await service.post(event, { sentAt: (await databaseTime()) + offset }).expect(202);
    }
  });

  it('is judged by the database’s clock when this server’s is an hour off', async () => {
    const event = hasJoined(anHrEmployee());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * MINUTE });
    try {
      await service.post(event, { sentAt: Date.now() }).expect(401);
      await service.post(event, { sentAt: await databaseTime() }).expect(202);
    } finally {
      vi.useRealTimers();
    }
  });

  it('may be signed with either of two secrets; a third ends the first', async () => {
    const sources = service.app.get(HrSourcesService);
    const first = await sources.addSecret('rotating', SYSTEM);
    const status = async (secret: string): Promise<number> =>
      (await service.post(hasJoined(anHrEmployee()), { source: 'rotating', secret })).status;
    expect(await status(first)).toBe(202);
    const second = await sources.addSecret('rotating', SYSTEM);
    expect([await status(first), await status(second)]).toEqual([202, 202]);
    const third = await sources.addSecret('rotating', SYSTEM);
    expect([await status(first), await status(second), await status(third)]).toEqual([401, 202, 202]);
  });

  it('does not pass as the event of another source, though that source’s secret is right', async () => {
    const other = await service.app.get(HrSourcesService).addSecret('other', SYSTEM);
    await service.post(hasJoined(anHrEmployee()), { source: 'hr', secret: other }).expect(401);
    await service.post(hasJoined(anHrEmployee()), { source: 'other', secret: other }).expect(202);
  });

  it('is read from its bytes, whatever it calls its content', async () => {
    for (const type of ['text/plain', 'application/octet-stream', 'application/json; charset=utf-8']) {
      await service.post(hasJoined(anHrEmployee()), { headers: { 'content-type': type } }).expect(202);
    }
  });
});

describe('an event that can not be used', () => {
  const joined = () => hasJoined(anHrEmployee()) as { employee: Record<string, unknown> } & Record<string, unknown>;
  it.each([
    ['is not JSON', () => '{"type":', 'not JSON'],
    [
      'is of a kind that nobody knows',
      () => JSON.stringify({ ...joined(), type: 'employee.promoted' }),
      'type: must be',
    ],
    ['has no employee', () => JSON.stringify({ ...joined(), employee: undefined }), 'employee'],
    [
      'names a zone that is none',
      () => JSON.stringify({ ...joined(), employee: { ...joined().employee, timeZone: 'Mars/Olympus' } }),
      'employee.timeZone',
    ],
    [
      'has a character that can not be stored',
      () => JSON.stringify({ ...joined(), employee: { ...joined().employee, department: 'a\u0000b' } }),
      'employee.department',
    ],
  ])('because it %s is answered 400 with the reason, and kept as unreadable', async (_what, bodyOf, reason) => {
    const webhookId = `msg_${randomUUID()}`;
    const text = bodyOf();
    const people = await service.db.manager.count(Person);
    const { body } = await service.post(null, { body: text, webhookId }).expect(400);
    expect(body.type).toBe('/problems/invalid-request');
    expect(body.detail).toContain(reason);
    expect(await kept(webhookId)).toMatchObject([{ outcome: 'unreadable', body: text, deliveries: 1 }]);
    expect((await kept(webhookId))[0]?.outcomeReason).toContain(reason);
    expect(await service.db.manager.count(Person)).toBe(people);
  });

  it('stays what it was when it is delivered again', async () => {
    const webhookId = `msg_${randomUUID()}`;
    for (const deliveries of [1, 2]) {
      await service.post(null, { body: 'nonsense', webhookId }).expect(400);
      expect(await kept(webhookId)).toMatchObject([{ outcome: 'unreadable', deliveries }]);
    }
  });

  it('because of a personal address is refused, kept, and leaves no trace of a person', async () => {
    const employee = anHrEmployee({ workEmail: 'ada@gmail.example' });
    const webhookId = `msg_${randomUUID()}`;
    const { body } = await service.post(hasJoined(employee), { webhookId }).expect(400);
    expect(body.detail).toContain('corporate addresses only');
    expect(await kept(webhookId)).toMatchObject([{ outcome: 'unreadable', employeeId: employee.id, personId: null }]);
    expect(await personOf(employee.workEmail)).toBeNull();
  });

  it('does not stand in the way of the right one', async () => {
    const employee = anHrEmployee();
    await service.post(hasJoined({ ...employee, workEmail: 'ada@gmail.example' })).expect(400);
    const { body } = await service.post(hasJoined(employee)).expect(202);
    expect(body.outcome).toBe('applied');
  });
});

describe('what HR systems posted', () => {
  it('can be read with its outcome by whoever may, without its body', async () => {
    const employee = anHrEmployee();
    await service.post(hasJoined(employee)).expect(202);
    const { body } = await (
      await service.caller('reader', 'hr-events:read')
    )
      .get('/v1/hr-events?source=hr&limit=1')
      .expect(200);
    expect(body.items).toEqual([
      expect.objectContaining({ source: 'hr', employeeId: employee.id, outcome: 'applied', deliveries: 1 }),
    ]);
    expect(JSON.stringify(body)).not.toContain(employee.workEmail);
    await service.stranger.get('/v1/hr-events').expect(401);
    await (await service.caller('other', 'people:read')).get('/v1/hr-events').expect(403);
  });

  it('can be filtered by outcome', async () => {
    await service.post(hasLeft(anHrEmployee())).expect(202);
    const { body } = await (await service.caller()).get('/v1/hr-events?outcome=held').expect(200);
    expect(body.items.length).toBeGreaterThan(0);
    for (const { outcome } of body.items) expect(outcome).toBe('held');
  });
});
