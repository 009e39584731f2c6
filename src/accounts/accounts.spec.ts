import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAccount, anObservedAccount } from '../../test/factories/accounts.js';
import { aPerson } from '../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { aTool } from '../../test/factories/tools.js';
import type { Person } from '../people/person.entity.js';
import type { Tool } from '../tools/tool.entity.js';
import type { Account } from './account.entity.js';
import { AccountsService } from './accounts.service.js';
import { GrantsService } from './grants.service.js';
import { markOf } from './mark.js';
import { SessionsService } from './sessions.service.js';

let records: RecordsApp;
let accounts: AccountsService;
let person: Person;
let tool: Tool;

beforeAll(async () => {
  records = await startRecordsApp();
  accounts = records.app.get(AccountsService);
});
afterAll(() => records?.close());
beforeEach(async () => {
  person = await aPerson(records.db.manager);
  tool = await aTool(records.db.manager);
});

const at = (minute: number): Date => new Date(Date.UTC(2026, 5, 1, 12, minute));
const noon = at(0);
const observe = (account: Account, observed: ReturnType<typeof anObservedAccount> | null, when: Date) =>
  records.db.transaction((tx) =>
    accounts.recordObservations(tx, [{ accountId: account.id, observed, source: 'read-back', at: when }]),
  );
const open = (with_: object = {}) =>
  records.db.transaction((tx) =>
    accounts.openFor(tx, {
      personId: person.id,
      toolId: tool.id,
      purpose: 'primary',
      username: 'ada',
      generation: 1,
      desiredState: 'active',
      ...with_,
    }),
  );

describe('openFor', () => {
  it('makes one account per person, tool and purpose, however often it is asked', async () => {
    const [first, ...others] = await Promise.all([open(), open(), open()]);
    expect(others.map(({ id }) => id)).toEqual([first?.id, first?.id]);
    expect(first).toMatchObject({ mark: markOf(person.id, 'primary'), observedState: 'unknown', externalId: null });
    expect((await open({ purpose: 'admin' })).id).not.toBe(first?.id);
  });

  it('follows the newest generation and no older one', async () => {
    await open({ generation: 5, desiredState: 'suspended' });
    expect(await open({ generation: 4, desiredState: 'active' })).toMatchObject({
      desiredState: 'suspended',
      generation: 5,
    });
    expect(await open({ generation: 6, desiredState: 'active' })).toMatchObject({
      desiredState: 'active',
      generation: 6,
    });
  });
});

describe('usernameAt', () => {
  const nameFor = (one: Person) => records.db.transaction((tx) => accounts.usernameAt(tx, tool.id, one, 'local-part'));

  it('keeps two people of one local part apart', async () => {
    const ada = await aPerson(records.db.manager, { corporateEmail: 'twin@acme.example' });
    const other = await aPerson(records.db.manager, { corporateEmail: 'twin@acme.org' });
    expect(await nameFor(ada)).toBe('twin');
    await open({ personId: ada.id, username: 'twin' });
    expect(await nameFor(other)).toBe('twin-2');
    expect(await nameFor(ada)).toBe('twin');
  });
});

describe('recordObservations', () => {
  it('keeps what the tool showed beside what is wanted', async () => {
    const account = await open();
    const residualUntil = at(90);
    await observe(
      account,
      anObservedAccount({
        externalId: 'e-1',
        state: 'suspended',
        sessions: { seen: true, live: 2, ids: ['s1', 's2'] },
        credentials: { seen: false, residualUntil, because: 'the tool lists no tokens' },
      }),
      noon,
    );
    expect(await accounts.get(records.db.manager, account.id)).toMatchObject({
      desiredState: 'active',
      observedState: 'suspended',
      observedAt: noon,
      observedSource: 'read-back',
      externalId: 'e-1',
      liveSessions: 2,
      residualUntil,
    });
  });

  it('lets no older look overwrite a newer one', async () => {
    const account = await open();
    await observe(account, anObservedAccount({ state: 'suspended' }), at(10));
    expect(await observe(account, anObservedAccount({ state: 'active' }), at(9))).toEqual(new Set());
    expect((await accounts.get(records.db.manager, account.id)).observedState).toBe('suspended');
  });

  it('knows each session by the tool’s id, and which have ended', async () => {
    const account = await open();
    const sessions = async () =>
      (await records.app.get(SessionsService).forAccount(records.db.manager, account.id))
        .map(({ externalId, state }) => `${externalId} ${state}`)
        .toSorted();
    await observe(account, anObservedAccount({ sessions: { seen: true, live: 2, ids: ['s1', 's2'] } }), at(1));
    expect(await sessions()).toEqual(['s1 live', 's2 live']);
    await observe(account, anObservedAccount({ sessions: { seen: true, live: 2, ids: ['s2', 's3'] } }), at(2));
    expect(await sessions()).toEqual(['s1 ended', 's2 live', 's3 live']);
    await observe(account, anObservedAccount({ sessions: { seen: false, residualUntil: null, because: 'no' } }), at(3));
    await observe(account, anObservedAccount({ sessions: { seen: true, live: 2 } }), at(4));
    expect(await sessions()).toEqual(['s1 ended', 's2 live', 's3 live']);
    await observe(account, null, at(5));
    expect(await sessions()).toEqual(['s1 ended', 's2 ended', 's3 ended']);
    expect(await accounts.get(records.db.manager, account.id)).toMatchObject({
      observedState: 'absent',
      liveSessions: 0,
    });
  });

  it('brings grants up to date when the look shows them', async () => {
    const account = await open();
    const grants = records.app.get(GrantsService);
    const { manager } = records.db;
    const wanted = (['group', 'role'] as const).map((kind) => ({ accountId: account.id, kind, name: 'staff' }));
    await grants.want(manager, wanted, 'present', 1);
    const observed = async () =>
      (await grants.forAccount(manager, account.id)).map((one) => `${one.kind} ${one.name} ${one.observed}`);
    await observe(account, anObservedAccount(), at(1));
    expect(await observed()).toEqual(['group staff unknown', 'role staff unknown']);
    const shown = [{ kind: 'group', name: 'staff' } as const, { kind: 'group', name: 'admins' } as const];
    expect(await observe(account, anObservedAccount({ grants: shown }), at(2))).toEqual(new Set([account.id]));
    expect(await observed()).toEqual(['group staff present', 'role staff absent']);
  });
});

describe('grants', () => {
  it('follow the newest generation, and within one "absent" wins', async () => {
    const { id } = await open();
    const want = async (desired: 'present' | 'absent', generation: number) =>
      (
        await records.app
          .get(GrantsService)
          .want(records.db.manager, [{ accountId: id, kind: 'group', name: 'g' }], desired, generation)
      ).map((grant) => grant.desired);
    expect(await want('present', 2)).toEqual(['present']);
    expect(await want('absent', 1)).toEqual(['present']);
    expect(await want('absent', 2)).toEqual(['absent']);
    expect(await want('present', 2)).toEqual(['absent']);
    expect(await want('present', 3)).toEqual(['present']);
  });
});

describe('adoptFound', () => {
  const adopt = (found: ReturnType<typeof anObservedAccount>, isProven = true) =>
    records.db.transaction((tx) =>
      accounts.adoptFound(tx, {
        personId: person.id,
        toolId: tool.id,
        found,
        isProven,
        desiredState: 'suspended',
        generation: 7,
        source: 'discovery',
        at: noon,
      }),
    );

  it('binds a create whose outcome was lost to its own record, by its mark', async () => {
    const lost = await open();
    const adopted = await adopt(anObservedAccount({ externalId: 'e-9', mark: lost.mark }));
    expect(adopted).toMatchObject({ id: lost.id, externalId: 'e-9', purpose: 'primary', observedState: 'active' });
  });

  it('records one that nothing proves theirs apart from those that are', async () => {
    const adopted = await adopt(anObservedAccount({ externalId: 'e-12', mark: null }), false);
    expect(adopted).toMatchObject({ externalId: 'e-12', purpose: 'doubtful:e-12', personId: person.id });
  });

  it('records one that nobody made here for itself, once', async () => {
    await open();
    const found = anObservedAccount({ externalId: 'e-10', username: 'ada-old' });
    const adopted = await adopt(found);
    expect(adopted).toMatchObject({
      purpose: 'found:e-10',
      username: 'ada-old',
      desiredState: 'suspended',
      mark: null,
    });
    expect((await adopt(found))?.id).toBe(adopted?.id);
    expect(await accounts.forPerson(records.db.manager, person.id)).toHaveLength(2);
  });

  it('leaves alone what is recorded as somebody else’s or as a service’s', async () => {
    await anAccount(records.db.manager, { toolId: tool.id, externalId: 'e-11' });
    await anAccount(records.db.manager, { toolId: tool.id, externalId: 'e-12', personId: null, kind: 'service' });
    expect(await adopt(anObservedAccount({ externalId: 'e-11' }))).toBeNull();
    expect(await adopt(anObservedAccount({ externalId: 'e-12' }))).toBeNull();
    expect(await accounts.forPerson(records.db.manager, person.id)).toEqual([]);
  });
});

describe('/v1/accounts', () => {
  it('filter by person, tool and states', async () => {
    const api = await records.caller('accounts:read');
    const account = await anAccount(records.db.manager, {
      personId: person.id,
      toolId: tool.id,
      desiredState: 'suspended',
    });
    await anAccount(records.db.manager, { toolId: tool.id });
    const ids = async (query: object): Promise<string[]> =>
      (await api.get('/v1/accounts').query(query).expect(200)).body.items.map(({ id }: { id: string }) => id);
    expect(await ids({ toolId: tool.id })).toHaveLength(2);
    expect(await ids({ personId: person.id })).toEqual([account.id]);
    expect(await ids({ toolId: tool.id, desiredState: 'suspended', observedState: 'active' })).toEqual([account.id]);
    expect(await ids({ toolId: tool.id, observedState: 'absent' })).toEqual([]);
    await api.get('/v1/accounts').query({ desiredState: 'broken' }).expect(400);
  });

  it('show one with its grants and sessions', async () => {
    const api = await records.caller('accounts:read');
    const account = await open();
    await observe(account, anObservedAccount({ sessions: { seen: true, live: 1, ids: ['s1'] } }), noon);
    const { body } = await api.get(`/v1/accounts/${account.id}`).expect(200);
    expect(body).toMatchObject({
      observedState: 'active',
      observedAt: noon.toISOString(),
      grants: [],
      credentials: [],
    });
    expect(body.sessions).toMatchObject([{ externalId: 's1', state: 'live', endedAt: null }]);
  });
});
