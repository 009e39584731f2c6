import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { AlertsService } from '../../src/cases/alerts.service.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { FinerScopes1764000009100 } from '../../migrations/1764000009100-finer-scopes.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { aDevice } from '../factories/devices.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { AN_ADMIN, aRoleHolder } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTokenOwner } from '../factories/token-owners.js';
import { aTool } from '../factories/tools.js';

/** Somebody with everything that can be somebody's. */
async function aWholePerson(
  service: ServiceApp,
  employed: { department: string; location?: string; endDate?: string },
  toolId: string,
) {
  const tx = service.db.manager;
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, ...employed });
  const account = await anAccount(tx, { personId: person.id, toolId });
  const device = await aDevice(tx, { holderId: person.id });
  const itsCase = await aCase(tx, { personId: person.id });
  const step = await aStep(tx, { caseId: itsCase.id, accountId: account.id, toolId, state: 'needs_human' });
  await service.app.get(AlertsService).raise(tx, {
    dedupKey: `needs_human:${step.id}`,
    kind: 'needs_human',
    severity: 'warning',
    owner: 'owner@acme.example',
    message: 'Do it by hand.',
    stepId: step.id,
    toolId,
  });
  const alert = await tx.findOneByOrFail(Alert, { stepId: step.id });
  return { person, account, device, case: itsCase, step, alert };
}

describe('a narrowed role', () => {
  let service: ServiceApp;
  let chat: string;
  let wiki: string;
  let sales: Awaited<ReturnType<typeof aWholePerson>>;
  let legal: Awaited<ReturnType<typeof aWholePerson>>;
  beforeAll(async () => {
    service = await startServiceApp();
    [chat, wiki] = [(await aTool(service.db.manager)).id, (await aTool(service.db.manager)).id];
    sales = await aWholePerson(service, { department: 'Sales', location: 'Oslo' }, chat);
    legal = await aWholePerson(service, { department: 'Legal', location: 'Oslo' }, wiki);
  });
  afterAll(() => service?.close());

  type Agent = Awaited<ReturnType<typeof aRoleHolder>>['agent'];
  const idsIn = async (agent: Agent, path: string): Promise<string[]> => {
    const { body } = await agent.get(path).expect(200);
    return (body.items as { id: string }[]).map(({ id }) => id);
  };
  it('to a department is told of the encryption of its people’s devices, and of no others', async () => {
    const { agent } = await aRoleHolder(service.app, 'helpdesk', { department: 'sales' });
    const everybody = await aRoleHolder(service.app, 'helpdesk');
    expect((await everybody.agent.get('/v1/devices/encryption').expect(200)).body.devices).toBeGreaterThan(1);
    expect((await agent.get('/v1/devices/encryption').expect(200)).body.devices).toBe(1);
    for (const path of ['encryption', 'encryption/history']) {
      await agent.get(`/v1/devices/${sales.device.id}/${path}`).expect(200);
      await agent.get(`/v1/devices/${legal.device.id}/${path}`).expect(404);
    }
  });

  const LISTS = {
    people: 'person',
    accounts: 'account',
    devices: 'device',
    cases: 'case',
    steps: 'step',
    alerts: 'alert',
  } as const;

  it('to a department lists its people, their accounts, devices, cases, steps and alerts, and no others', async () => {
    const everybody = await aRoleHolder(service.app, 'helpdesk');
    const { agent } = await aRoleHolder(service.app, 'helpdesk', { department: 'sales' });
    for (const [list, key] of Object.entries(LISTS)) {
      expect({ list, ids: await idsIn(everybody.agent, `/v1/${list}`) }).toEqual({
        list,
        ids: expect.arrayContaining([sales[key].id, legal[key].id]),
      });
      expect({ list, ids: await idsIn(agent, `/v1/${list}`) }).toEqual({ list, ids: [sales[key].id] });
    }
  });

  it('finds nothing of others by id either, in the very words for what is not there', async () => {
    const { agent } = await aRoleHolder(service.app, 'it-operator', { department: 'Sales' });
    const detailOf = async (path: string) => (await agent.get(path).expect(404)).body.detail as string;
    for (const [list, one] of Object.entries(LISTS)) {
      if (list === 'alerts' || list === 'steps') continue;
      await agent.get(`/v1/${list}/${sales[one].id}`).expect(200);
      expect(await detailOf(`/v1/${list}/${legal[one].id}`)).toBe(await detailOf(`/v1/${list}/${newId()}`));
      const { agent: everybody } = await aRoleHolder(service.app, 'viewer');
      const { body } = await everybody.get(`/v1/${list}/${newId()}`).expect(404);
      expect(await detailOf(`/v1/${list}/${legal[one].id}`)).toBe(body.detail);
    }
    await agent.get(`/v1/steps/${legal.step.id}/evidence`).expect(404);
    await agent.get(`/v1/devices/${legal.device.id}/observations`).expect(404);
  });

  it('acts on nothing of others', async () => {
    const { agent } = await aRoleHolder(service.app, 'it-operator', { department: 'Sales' });
    const seen = { source: 'test', observedAt: '2026-01-01T00:00:00Z' };
    const acts: [string, object][] = [
      ['/v1/credential-resets', { personId: legal.person.id }],
      ['/v1/lost-devices', { deviceId: legal.device.id }],
      ['/v1/lost-devices', { assetTag: legal.device.assetTag }],
      [`/v1/devices/${legal.device.id}/return`, {}],
      [`/v1/devices/${sales.device.id}/assign`, { personId: legal.person.id }],
      [`/v1/devices/${legal.device.id}/observations`, { kind: 'os_version', value: '1', ...seen }],
      [`/v1/accounts/${legal.account.id}/credential-link`, {}],
      [`/v1/accounts/${legal.account.id}/certificates`, { device: 'x', publicKey: 'ssh-ed25519 AAAA' }],
      [`/v1/accounts/${legal.account.id}/revoke-device`, { device: 'x' }],
      [`/v1/steps/${legal.step.id}/waive`, { reason: 'nobody needs it' }],
      [`/v1/steps/${legal.step.id}/retry`, {}],
    ];
    const { version } = legal.person;
    const rename = (id: string) =>
      agent.patch(`/v1/people/${id}`).set('If-Match', `"${version}"`).send({ givenName: 'Grace' });
    for (const [path, body] of acts) {
      expect({ path, status: (await agent.post(path).send(body)).status }).toEqual({ path, status: 404 });
    }
    await rename(legal.person.id).expect(404);
    const loss = await aCase(service.db.manager, { kind: 'lost_device', personId: legal.person.id });
    await agent.post(`/v1/lost-devices/${loss.id}/restore`).send({}).expect(404);
    const hr = await aRoleHolder(service.app, 'hr', { department: 'Sales' });
    await hr.agent.post('/v1/leavers').send({ personId: legal.person.id, reason: 'a test' }).expect(404);
    const untouched = await service.db.query<unknown[]>(`SELECT FROM cases WHERE person_id = $1 AND id <> $2`, [
      legal.person.id,
      loss.id,
    ]);
    expect(untouched).toHaveLength(1);

    // The same on its own people.
    await rename(sales.person.id).expect(200);
    await agent.post(`/v1/steps/${sales.step.id}/retry`).send({}).expect(200);
  });

  it('gives out what is in stock to its own people, and changes nothing that is nobody’s', async () => {
    const { agent } = await aRoleHolder(service.app, 'helpdesk', { department: 'Sales' });
    const stock = await aDevice(service.db.manager);
    const change = agent.patch(`/v1/devices/${stock.id}`).set('If-Match', '"1"').send({ state: 'retired' });
    await change.expect(404);
    expect(await idsIn(agent, '/v1/devices')).toContain(stock.id);
    await agent.post(`/v1/devices/${stock.id}/assign`).send({ personId: legal.person.id }).expect(404);
    await agent.post(`/v1/devices/${stock.id}/assign`).send({ personId: sales.person.id }).expect(200);
    await agent.post(`/v1/devices/${stock.id}/return`).send({}).expect(200);
    await agent.post('/v1/device-models').send({ name: 'x', manufacturer: 'y' }).expect(403);
  });

  it('to a tool sees accounts, steps and alerts at it, who has them, and no device', async () => {
    const { agent } = await aRoleHolder(service.app, 'it-operator', { toolId: chat });
    for (const list of ['people', 'accounts', 'cases', 'steps', 'alerts'] as const) {
      expect({ list, ids: await idsIn(agent, `/v1/${list}`) }).toEqual({ list, ids: [sales[LISTS[list]].id] });
    }
    expect(await idsIn(agent, '/v1/devices')).toEqual([]);
    expect(await idsIn(agent, '/v1/tools')).toEqual([chat]);
    await agent.get(`/v1/tools/${wiki}`).expect(404);
  });

  it('to a tool cuts no access at other tools', async () => {
    const { agent } = await aRoleHolder(service.app, 'security', { toolId: chat });
    await agent.post('/v1/credential-resets').send({ personId: sales.person.id }).expect(404);
    await agent.post('/v1/leavers').send({ personId: sales.person.id, reason: 'a test' }).expect(404);
  });

  it('to a tool shows of a case at two tools the steps at this one', async () => {
    const elsewhere = await anAccount(service.db.manager, { personId: sales.person.id, toolId: wiki });
    const step = await aStep(service.db.manager, {
      caseId: sales.case.id,
      accountId: elsewhere.id,
      toolId: wiki,
      position: 2,
    });
    const stepsSeen = async (agent: Agent) => {
      const { body } = await agent.get(`/v1/cases/${sales.case.id}`).expect(200);
      return (body.steps as { id: string }[]).map(({ id }) => id);
    };
    const narrowed = await aRoleHolder(service.app, 'viewer', { toolId: chat });
    expect(await stepsSeen(narrowed.agent)).toEqual([sales.step.id]);
    const everybody = await aRoleHolder(service.app, 'viewer');
    expect(await stepsSeen(everybody.agent)).toEqual([sales.step.id, step.id]);
    await service.db.query(`DELETE FROM steps WHERE id = $1`, [step.id]);
  });

  it('locks nobody out of a tool that others use', async () => {
    const { agent } = await aRoleHolder(service.app, 'security', { department: 'Sales' });
    await agent.get(`/v1/tools/${chat}`).expect(200);
    await agent.put(`/v1/tools/${chat}/lockdown`).send({ allowed: [], reason: 'a test' }).expect(404);
    const admin = await aRoleHolder(service.app, 'connector-admin', { department: 'Sales' });
    await admin.agent.post(`/v1/tools/${chat}/pause`).send({ reason: 'a test', until: null }).expect(404);
  });

  it('to two things at once means both, and two narrowings mean either', async () => {
    const person = await aPerson(service.db.manager);
    await anEmployment(service.db.manager, { personId: person.id, department: 'Sales', location: 'Rome' });
    const both = await aRoleHolder(service.app, 'viewer', { department: 'Sales', location: 'rome' });
    expect(await idsIn(both.agent, '/v1/people')).toEqual([person.id]);
    const department = await aRoleHolder(service.app, 'viewer', { department: 'Sales' });
    expect(await idsIn(department.agent, '/v1/people')).toEqual([sales.person.id, person.id]);
  });

  it('goes by where somebody is now; of somebody who left, by where they were', async () => {
    const tx = service.db.manager;
    const moved = await aPerson(tx);
    await anEmployment(tx, { personId: moved.id, department: 'Ops', endDate: '2026-02-01' });
    await anEmployment(tx, { personId: moved.id, department: 'Design' });
    const left = await aPerson(tx, { status: 'left' });
    await anEmployment(tx, { personId: left.id, department: 'Ops', endDate: '2026-02-01' });
    const ops = await aRoleHolder(service.app, 'viewer', { department: 'Ops' });
    expect(await idsIn(ops.agent, '/v1/people')).toEqual([left.id]);
    const design = await aRoleHolder(service.app, 'viewer', { department: 'Design' });
    expect(await idsIn(design.agent, '/v1/people')).toEqual([moved.id]);
  });
});

describe('fields that not everybody sees', () => {
  let service: ServiceApp;
  beforeAll(async () => {
    service = await startServiceApp();
  });
  afterAll(() => service?.close());

  it('are a device’s serial number: neither shown, nor searched, nor told by the case of its loss', async () => {
    const device = await aDevice(service.db.manager, { serial: 'SN-SECRET' });
    const loss = await aCase(service.db.manager, { kind: 'lost_device', facts: { serial: 'SN-SECRET', note: 'taxi' } });
    const [viewer, helpdesk] = [await aRoleHolder(service.app, 'viewer'), await aRoleHolder(service.app, 'helpdesk')];
    const answers = async ({ agent }: typeof viewer) =>
      Promise.all(
        [`/v1/devices/${device.id}`, `/v1/devices?search=${device.assetTag}`, `/v1/cases/${loss.id}`, '/v1/cases'].map(
          async (path) => JSON.stringify((await agent.get(path).expect(200)).body),
        ),
      );
    for (const answer of await answers(helpdesk)) expect(answer).toContain('SN-SECRET');
    for (const answer of await answers(viewer)) expect(answer).not.toContain('SN-SECRET');
    expect((await answers(viewer))[2]).toContain('taxi');
    const found = async ({ agent }: typeof viewer) =>
      (await agent.get('/v1/devices?search=secret').expect(200)).body.items;
    expect(await found(helpdesk)).toHaveLength(1);
    expect(await found(viewer)).toEqual([]);
  });

  it('are the title and the end of an employment', async () => {
    const person = await aPerson(service.db.manager);
    const terms = { title: 'Head of Sales', endDate: '2027-01-31' };
    await anEmployment(service.db.manager, { personId: person.id, department: 'Sales', ...terms });
    const employment = async (role: 'viewer' | 'hr') => {
      const { agent } = await aRoleHolder(service.app, role);
      return (await agent.get(`/v1/people/${person.id}`).expect(200)).body.employments[0] as object;
    };
    expect(await employment('hr')).toMatchObject(terms);
    const seen = await employment('viewer');
    expect(seen).toMatchObject({ department: 'Sales', startDate: '2026-01-01' });
    for (const field of ['title', 'endDate', 'endsAt', 'endAppliedAt']) expect(seen).not.toHaveProperty(field);
  });

  it('stay hidden in an answer about more than the narrowed role that would show them', async () => {
    const holder = await aPerson(service.db.manager);
    await anEmployment(service.db.manager, { personId: holder.id, department: 'Sales' });
    const device = await aDevice(service.db.manager, { holderId: holder.id });
    const { principal, agent } = await aRoleHolder(service.app, 'helpdesk', { department: 'Sales' });
    expect((await agent.get(`/v1/devices/${device.id}`).expect(200)).body).toHaveProperty('serial');
    const wish = { principal, role: 'viewer' as const, department: null, location: null, toolId: null };
    await service.db.transaction((tx) => service.app.get(RoleAssignments).assign(tx, AN_ADMIN, wish));
    expect((await agent.get(`/v1/devices/${device.id}`).expect(200)).body).not.toHaveProperty('serial');
  });

  it('are shown on to tokens and sessions from before they had scopes of their own', async () => {
    const wish = { name: 'old', scopes: ['devices:read', 'steps:decide'] as const };
    const { id } = await service.db.transaction(async (tx) =>
      service.app.get(ApiTokens).create(tx, AN_ADMIN, { ...wish, ...(await aTokenOwner(tx)) }),
    );
    const scopes = async () =>
      (await service.db.query<{ scopes: string[] }[]>(`SELECT scopes FROM api_tokens WHERE id = $1`, [id]))[0]?.scopes;
    const runner = service.db.createQueryRunner();
    await new FinerScopes1764000009100().up(runner);
    const finer = ['devices:read-serials', 'devices:read-recovery-keys', 'steps:confirm'];
    expect(await scopes()).toEqual([...wish.scopes, ...finer]);
    await new FinerScopes1764000009100().down(runner);
    expect(await scopes()).toEqual(wish.scopes);
    await runner.release();
  });
});
