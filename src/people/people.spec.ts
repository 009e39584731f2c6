import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEmployment, aPerson } from '../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { AuditPersonalField } from '../platform/audit/audit-personal-field.entity.js';
import { Installation } from '../platform/installation/installation.entity.js';
import { SYSTEM } from '../platform/sign-in/actor.js';
import { employedAt, EmploymentsService } from './employments.service.js';
import { Employment } from './employment.entity.js';
import { GENERATIONS_PER_EPOCH } from './generation.js';
import { PeopleService } from './people.service.js';
import { SitesService } from './sites.service.js';

let records: RecordsApp;

beforeAll(async () => {
  records = await startRecordsApp();
});
afterAll(() => records?.close());

describe('PeopleService', () => {
  it('stores the address in lower case, and names in the audit log apart, where they can be erased', async () => {
    const people = records.app.get(PeopleService);
    const person = await records.db.transaction((tx) =>
      people.create(tx, SYSTEM, {
        givenName: 'Grace',
        familyName: 'Hopper',
        displayName: 'Grace Hopper',
        corporateEmail: ' Grace.Hopper@ACME.example',
        status: 'expected',
      }),
    );
    expect(person).toMatchObject({ corporateEmail: 'grace.hopper@acme.example', generation: 0, version: 1 });
    const entry = await records.db.manager.findOneByOrFail(AuditEntry, {
      action: 'person.created',
      subjectId: person.id,
    });
    expect(JSON.stringify(entry)).not.toContain('Hopper');
    expect(await records.db.manager.findBy(AuditPersonalField, { entryId: entry.id })).toHaveLength(2);
  });

  it('gives an address to one person only', async () => {
    const people = records.app.get(PeopleService);
    const one = await aPerson(records.db.manager, { corporateEmail: 'taken@acme.example' });
    const other = await aPerson(records.db.manager);
    const corporateEmail = 'Taken@acme.example';
    const take = (tx: typeof records.db.manager) => people.update(tx, SYSTEM, other, { corporateEmail });
    await expect(records.db.transaction(take)).rejects.toMatchObject({ kind: 'conflict' });
    const again = { givenName: 'A', familyName: 'B', displayName: 'A B', status: 'active' as const, corporateEmail };
    await expect(records.db.transaction((tx) => people.create(tx, SYSTEM, again))).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect((await people.findByEmail(records.db.manager, corporateEmail))?.id).toBe(one.id);
  });

  it('gives each decision a higher generation, and after a restore one above all that were lost', async () => {
    const people = records.app.get(PeopleService);
    const { id } = await aPerson(records.db.manager);
    const next = (): Promise<number> => records.db.transaction((tx) => people.nextGeneration(tx, id));
    expect([await next(), await next()]).toEqual([GENERATIONS_PER_EPOCH, GENERATIONS_PER_EPOCH + 1]);
    await records.db.manager.update(Installation, { id: 1 }, { epoch: 2 });
    expect(await next()).toBe(2 * GENERATIONS_PER_EPOCH);
    await records.db.manager.update(Installation, { id: 1 }, { epoch: 1 });
  });

  it('gives two decisions at the same time two generations', async () => {
    const people = records.app.get(PeopleService);
    const { id } = await aPerson(records.db.manager);
    const both = await Promise.all([1, 2].map(() => records.db.transaction((tx) => people.nextGeneration(tx, id))));
    expect(new Set(both).size).toBe(2);
  });
});

describe('EmploymentsService', () => {
  const fromSource = {
    source: 'hr',
    department: 'engineering',
    title: null,
    employmentType: 'employee',
    location: 'Berlin',
    zone: 'Europe/Berlin',
    startDate: '2026-03-01',
    endDate: null,
    lastEventAt: new Date('2026-02-01T00:00:00Z'),
    lastEventSequence: 1,
  };

  it('makes instants of local dates, and one record of one source’s id', async () => {
    const employments = records.app.get(EmploymentsService);
    const { id: personId } = await aPerson(records.db.manager);
    const first = await records.db.transaction((tx) =>
      employments.upsert(tx, SYSTEM, { ...fromSource, personId, sourceId: 'e-1' }),
    );
    expect(first.startsAt.toISOString()).toBe('2026-02-28T23:00:00.000Z');
    expect(first.endsAt).toBeNull();
    const second = await records.db.transaction((tx) =>
      employments.upsert(tx, SYSTEM, { ...fromSource, personId, sourceId: 'e-1', endDate: '2026-03-31' }),
    );
    expect(second.id).toBe(first.id);
    expect(second.endsAt?.toISOString()).toBe('2026-03-31T22:00:00.000Z');
  });

  it('has a changed end applied again, and an applied start never', async () => {
    const employments = records.app.get(EmploymentsService);
    const applied = new Date('2026-03-02T00:00:00Z');
    const { id: personId } = await aPerson(records.db.manager);
    await anEmployment(records.db.manager, {
      ...fromSource,
      personId,
      sourceId: 'e-2',
      endDate: '2026-03-31',
      startAppliedAt: applied,
      endAppliedAt: applied,
    });
    const changed = await records.db.transaction((tx) =>
      employments.upsert(tx, SYSTEM, {
        ...fromSource,
        personId,
        sourceId: 'e-2',
        startDate: '2026-03-02',
        endDate: '2026-06-30',
      }),
    );
    expect(changed).toMatchObject({ startAppliedAt: applied, endAppliedAt: null });
  });

  it('hands each due start to one process only', async () => {
    const employments = records.app.get(EmploymentsService);
    const { id: personId } = await aPerson(records.db.manager);
    const due = await anEmployment(records.db.manager, { personId, startDate: '2020-01-01' });
    const later = await anEmployment(records.db.manager, { personId, startDate: '2099-01-01' });
    const take = async (tx: typeof records.db.manager): Promise<string[]> =>
      (await employments.takeDueStarts(tx, new Date('2026-06-01T00:00:00Z'), 100)).map(({ id }) => id);
    await records.db.transaction(async (one) => {
      const taken = await take(one);
      expect(taken).toContain(due.id);
      expect(taken).not.toContain(later.id);
      await records.db.transaction(async (other) => expect(await take(other)).not.toContain(due.id));
    });
  });

  it('counts somebody as employed from the first instant to before the last', () => {
    const [startsAt, endsAt] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-02-01T00:00:00Z')];
    const employment = Object.assign(new Employment(), { startsAt, endsAt, endHeldAt: null });
    const open = Object.assign(new Employment(), { startsAt, endsAt: null, endHeldAt: null });
    const held = Object.assign(new Employment(), { startsAt, endsAt, endHeldAt: endsAt });
    const at = (instant: Date, one: Employment): boolean => employedAt([one], instant).length > 0;
    expect([at(startsAt, employment), at(endsAt, employment), at(endsAt, open)]).toEqual([true, false, true]);
    expect(at(new Date(startsAt.getTime() - 1), employment)).toBe(false);
    // A brake holds the end: nobody has left yet.
    expect(at(endsAt, held)).toBe(true);
  });
});

describe('/v1/people', () => {
  it('lists page by page, everybody once', async () => {
    const api = await records.caller('people:read');
    const made = [];
    for (let number = 0; number < 5; number += 1)
      made.push((await aPerson(records.db.manager, { familyName: 'Pager' })).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { search: 'ada pager', limit: '2', ...(cursor ? { cursor } : {}) };
      const { body } = await api.get('/v1/people').query(query).expect(200);
      expect(body.items.length).toBeLessThanOrEqual(2);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next;
    } while (cursor);
    expect(seen).toEqual(made);
  });

  it('finds those who are far apart among many, page after page, in the order of all', async () => {
    const api = await records.caller('people:read');
    await records.db.query(`
      INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status, generation)
      SELECT ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Among', 'Many', CASE WHEN n % 400 = 1 THEN 'Rare Many' ELSE 'Among Many' END,
        'among-many-' || n || '@acme.example', 'active', 1
      FROM generate_series(1, 1201) n`);
    const found = async (search: string): Promise<number[]> => {
      const numbers: number[] = [];
      let cursor: string | null = null;
      do {
        const query: Record<string, string> = { search, limit: '2', ...(cursor && { cursor }) };
        const { body } = await api.get('/v1/people').query(query).expect(200);
        numbers.push(...body.items.map(({ id }: { id: string }) => Number.parseInt(id.slice(-4), 16)));
        cursor = numbers.length < 8 ? body.next : null;
      } while (cursor);
      return numbers;
    };
    expect(await found('rare many')).toEqual([1, 401, 801, 1201]);
    expect(await found('among-many-')).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await records.db.query(`DELETE FROM people WHERE given_name = 'Among'`);
  });

  it('filters by status, department and parts of names, in which % and _ are themselves', async () => {
    const api = await records.caller('people:read');
    const odd = await aPerson(records.db.manager, { familyName: '100%_sure', status: 'left' });
    await anEmployment(records.db.manager, { personId: odd.id, department: 'Odd Jobs' });
    const ids = async (query: object): Promise<string[]> =>
      (await api.get('/v1/people').query(query).expect(200)).body.items.map(({ id }: { id: string }) => id);
    expect(await ids({ search: '0%_S' })).toEqual([odd.id]);
    expect(await ids({ search: '1__%_s' })).toEqual([]);
    expect(await ids({ department: 'odd jobs', status: 'left' })).toEqual([odd.id]);
    expect(await ids({ department: 'odd jobs', status: 'active' })).toEqual([]);
    await api.get('/v1/people').query({ status: 'gone' }).expect(400);
  });

  it('shows one with their employments', async () => {
    const api = await records.caller('people:read');
    const person = await aPerson(records.db.manager);
    await anEmployment(records.db.manager, { personId: person.id, startDate: '2026-07-01' });
    const { body, headers } = await api.get(`/v1/people/${person.id}`).expect(200);
    expect(headers['etag']).toBe('"1"');
    expect(body.employments).toMatchObject([{ startDate: '2026-07-01', startsAt: '2026-06-30T22:00:00.000Z' }]);
    await api.get('/v1/people/00000000-0000-7000-8000-000000000000').expect(404);
  });

  it('changes names only, and only for who saw the newest version', async () => {
    const api = await records.caller('people:write');
    const { id } = await aPerson(records.db.manager);
    const patch = (body: object, etag?: string) => {
      const request = api.patch(`/v1/people/${id}`).send(body);
      return etag === undefined ? request : request.set('If-Match', etag);
    };
    await patch({ givenName: 'Augusta' }).expect(428);
    await patch({ corporateEmail: 'ada@gmail.example' }, '"1"').expect(400);
    const { body, headers } = await patch({ givenName: 'Augusta' }, '"1"').expect(200);
    expect(body).toMatchObject({ givenName: 'Augusta', version: 2 });
    expect(headers['etag']).toBe('"2"');
    await patch({ givenName: 'Ada' }, '"1"').expect(412);
    expect(await records.db.manager.countBy(AuditEntry, { action: 'person.changed', subjectId: id })).toBe(1);
  });

  it('isn’t open to callers without the scope', async () => {
    await records.stranger.get('/v1/people').expect(401);
    await (await records.caller('devices:read')).get('/v1/people').expect(403);
  });
});

describe('/v1/sites', () => {
  it('keeps one zone per name, and only zones there are', async () => {
    const api = await records.caller('people:write', 'people:read');
    await api.put('/v1/sites/Berlin').send({ zone: 'Europe/Paris' }).expect(200);
    await api.put('/v1/sites/Berlin').send({ zone: 'Europe/Berlin' }).expect(200);
    await api.put('/v1/sites/Nowhere').send({ zone: 'UTC+2' }).expect(400);
    const { body } = await api.get('/v1/sites').expect(200);
    expect(body.items).toMatchObject([{ name: 'Berlin', zone: 'Europe/Berlin' }]);
    const sites = records.app.get(SitesService);
    expect(await sites.zoneOf(records.db.manager, 'Berlin')).toBe('Europe/Berlin');
    expect(await sites.zoneOf(records.db.manager, 'Nowhere')).toBeNull();
  });
});
