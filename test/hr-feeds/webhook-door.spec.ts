import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
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

describe('HR sources over REST', () => {
  type Agent = Awaited<ReturnType<ServiceApp['caller']>>;
  let owner: Agent;
  beforeAll(async () => {
    owner = await service.caller('owner');
  });

  const seen = async (name: string) => {
    const { body } = await owner.get('/v1/hr-sources').expect(200);
    return (body.items as { name: string; secrets: { id: string; since: string }[] }[]).find(
      (source) => source.name === name,
    );
  };
  const add = async (name: string): Promise<string> =>
    (await owner.post('/v1/hr-sources').send({ name }).expect(201)).body.secret;
  const addFurther = async (name: string): Promise<string> =>
    (await owner.post(`/v1/hr-sources/${name}/secrets`).expect(201)).body.secret;
  const statusOf = async (source: string, secret: string): Promise<number> =>
    (await service.post(hasJoined(anHrEmployee()), { source, secret })).status;
  const audited = async (name: string) =>
    service.db.query<{ action: string; facts: Record<string, unknown> }[]>(
      `SELECT action, facts FROM audit_entries WHERE subject_kind = 'hr-source' AND subject_id = $1 ORDER BY at, id`,
      [name],
    );

  it('are added with a secret that is shown in that one answer, and nowhere kept in the clear', async () => {
    expect(await seen('payroll')).toBeUndefined();
    const { body, headers } = await owner.post('/v1/hr-sources').send({ name: 'payroll' }).expect(201);
    const address = 'http://127.0.0.1:3000/hooks/hr/payroll';
    expect(body).toEqual({ name: 'payroll', address, secret: expect.stringMatching(/^whsec_/) });
    expect(headers['cache-control']).toContain('no-store');
    const secrets = [{ id: expect.any(String), since: expect.any(String) }];
    expect(await seen('payroll')).toEqual({ name: 'payroll', address, secrets, lastEventAt: null });
    expect(await statusOf('payroll', body.secret)).toBe(202);
    const [newest] = await service.db.manager.find(InboxEvent, { where: { source: 'payroll' } });
    expect(await seen('payroll')).toMatchObject({ lastEventAt: newest?.receivedAt.toISOString() });

    const { id } = (await seen('payroll'))?.secrets[0] ?? {};
    expect(await audited('payroll')).toEqual([
      { action: 'hr-source.secret-added', facts: { secretId: id, ended: [] } },
    ]);
    const [{ kept }] = await service.db.query<[{ kept: string }]>(
      `SELECT concat((SELECT json_agg(s) FROM secrets s), (SELECT json_agg(a) FROM audit_entries a),
         (SELECT json_agg(k) FROM idempotency_keys k)) AS kept`,
    );
    expect(kept).toContain(id);
    for (const text of [kept, service.log(), JSON.stringify(await seen('payroll'))]) {
      expect(text).not.toContain(body.secret.slice('whsec_'.length));
    }
  });

  it('take no Idempotency-Key where they show a secret, since the answer would have to be kept', async () => {
    const named = owner.post('/v1/hr-sources').set('Idempotency-Key', 'once').send({ name: 'replayed' });
    expect((await named.expect(400)).body.detail).toContain('Leave the Idempotency-Key out');
    expect(await seen('replayed')).toBeUndefined();
  });

  it('sign with the older and with a further secret until the older one is taken out of use', async () => {
    const first = await add('rotated');
    const second = await addFurther('rotated');
    expect([await statusOf('rotated', first), await statusOf('rotated', second)]).toEqual([202, 202]);
    const [older, newer] = (await seen('rotated'))?.secrets ?? [];
    expect(Date.parse(String(older?.since))).toBeLessThan(Date.parse(String(newer?.since)));
    const drop = (id: string | undefined) => owner.delete(`/v1/hr-sources/rotated/secrets/${id}`);
    await drop(older?.id).expect(204);
    expect([await statusOf('rotated', first), await statusOf('rotated', second)]).toEqual([401, 202]);
    expect((await audited('rotated')).at(-1)).toEqual({
      action: 'hr-source.secret-dropped',
      facts: { secretId: older?.id },
    });
    expect((await drop(older?.id).expect(404)).body.detail).toContain('taken out of use before');
    expect((await drop(newer?.id).expect(409)).body.detail).toContain('Add a further one first');
    expect(await statusOf('rotated', second)).toBe(202);
  });

  it('say in the audit log which secret a third one ended', async () => {
    await add('third');
    await addFurther('third');
    const [oldest] = (await seen('third'))?.secrets ?? [];
    await addFurther('third');
    expect((await audited('third')).at(-1)).toMatchObject({ facts: { ended: [oldest?.id] } });
    expect((await seen('third'))?.secrets).toHaveLength(2);
  });

  it('are not added twice, nor given a secret under a name that nobody has, nor called anything', async () => {
    const first = await add('only-once');
    const again = await owner.post('/v1/hr-sources').send({ name: 'only-once' }).expect(409);
    expect(again.body.detail).toContain('give that one a further secret');
    expect((await seen('only-once'))?.secrets).toHaveLength(1);
    expect(await statusOf('only-once', first)).toBe(202);
    expect((await owner.post('/v1/hr-sources/nobody/secrets').expect(404)).body.detail).toContain('“nobody”');
    const odd = await owner.post('/v1/hr-sources').send({ name: 'Work Day' }).expect(400);
    expect(odd.body.errors).toEqual([{ pointer: '/name', detail: expect.stringContaining('lower-case') }]);
  });

  it('lose their older secret by `hr-source drop-old` as well, and never their only one', async () => {
    const cli = async (...words: string[]) => {
      const said: string[] = [];
      const tell = (line: string) => void said.push(line);
      const context = cliContext({ DATABASE_URL: service.database.url }, tell, tell);
      const code = await runCli(words, { ...context, withServices: (work) => work(service.app) });
      return { code, said: said.join('\n') };
    };
    const first = await add('at-the-terminal');
    const second = await addFurther('at-the-terminal');
    expect((await cli('hr-source', 'list')).said).toMatch(/at-the-terminal {2}2 active secret\(s\) .* no event yet/);
    const today = String((await seen('at-the-terminal'))?.secrets[0]?.since).slice(0, 10);
    expect(await cli('hr-source', 'drop-old', 'at-the-terminal')).toEqual({
      code: 0,
      said: `dropped the secret of at-the-terminal that counted since ${today}`,
    });
    expect([await statusOf('at-the-terminal', first), await statusOf('at-the-terminal', second)]).toEqual([401, 202]);
    expect(await cli('hr-source', 'drop-old', 'at-the-terminal')).toMatchObject({
      code: 1,
      said: expect.stringContaining('Add a further one first'),
    });
    expect(await cli('hr-source', 'drop-old', 'nobody')).toMatchObject({ code: 1 });
  });
});
