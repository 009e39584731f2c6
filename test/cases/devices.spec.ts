import type { Response, Test } from 'supertest';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceWatch } from '../../src/alerting/device-watch.service.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { DeviceAcknowledgement } from '../../src/devices/acknowledgements/device-acknowledgement.entity.js';
import { DeviceException } from '../../src/devices/device-exception.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { ObservationsService } from '../../src/devices/observations.service.js';
import { DevicesService } from '../../src/devices/devices.service.js';
import { DeviceReturn } from '../../src/devices/returns/device-return.entity.js';
import { DeviceReplacement } from '../../src/devices/spares/device-replacement.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { LogKey } from '../../src/platform/audit/log-key.service.js';
import { Sealer } from '../../src/platform/audit/sealer.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { aDevice, aDeviceModel, anImageVersion, aReturn, aSite } from '../factories/devices.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { waitFor } from '../support/wait-for.js';

let service: ServiceApp;
let tx: EntityManager;
let admin: Awaited<ReturnType<ServiceApp['caller']>>;
beforeAll(async () => {
  service = await startServiceApp({ policy: anAccessPolicy({ rules: [] }) });
  await liftBrakeLimits(service.app);
  tx = service.db.manager;
  admin = await service.caller('Grace');
});
afterAll(() => service?.close());

interface Leaver {
  person: Person;
  laptop: Device;
  caseId: string;
  returnId: string;
}

async function leaver(): Promise<Leaver> {
  const person = await aPerson(tx);
  const laptop = await aDevice(tx, { holderId: person.id, siteId: (await aSite(tx)).id });
  const { body } = await admin.post('/v1/leavers').send({ personId: person.id, reason: 'Last day.' }).expect(202);
  const [asked] = await tx.findBy(DeviceReturn, { deviceId: laptop.id });
  expect(asked).toMatchObject({ state: 'asked', caseId: body.caseId, personId: person.id, siteId: laptop.siteId });
  return { person, laptop, caseId: body.caseId as string, returnId: asked?.id ?? '' };
}

const act = (id: string, what: string, body: object = {}) => admin.post(`/v1/returns/${id}/${what}`).send(body);
const deviceOf = ({ laptop }: Leaver) => tx.findOneByOrFail(Device, { id: laptop.id });
const returnsOf = async ({ caseId }: Leaver) => (await admin.get(`/v1/cases/${caseId}`).expect(200)).body.returns;
const GOOD = { condition: 'good', wiped: 'yes', accessories: 'charger', findings: 'A scratch on the lid.' };

describe('a leave', () => {
  it('asks for each device, which stays theirs until it was received and inspected', async () => {
    const ada = await leaver();
    const site = await aSite(tx);
    expect(await deviceOf(ada)).toMatchObject({ state: 'assigned', holderId: ada.person.id });
    await act(ada.returnId, 'inspect', GOOD).expect(409);
    expect((await act(ada.returnId, 'send', { tracking: 'JD01' }).expect(200)).body.state).toBe('sent');

    const received = await act(ada.returnId, 'receive', { siteId: site.id }).expect(200);

    expect(received.body).toMatchObject({ state: 'received', outstanding: true, receivedBy: 'Grace' });
    expect(await deviceOf(ada)).toMatchObject({ state: 'assigned', holderId: ada.person.id, siteId: site.id });
    expect(await returnsOf(ada)).toMatchObject([
      { id: ada.returnId, outstanding: true, assetTag: ada.laptop.assetTag },
    ]);

    const inspected = await act(ada.returnId, 'inspect', GOOD).expect(200);

    expect(inspected.body).toMatchObject({ ...GOOD, state: 'inspected', outstanding: false, inspectedBy: 'Grace' });
    expect(await deviceOf(ada)).toMatchObject({ state: 'in_stock', holderId: null, working: true });
    expect(await returnsOf(ada)).toMatchObject([{ outstanding: false }]);
    const actions = (await tx.findBy(AuditEntry, { caseId: ada.caseId, subjectKind: 'device' })).map(
      (one) => one.action,
    );
    expect(actions.toSorted()).toEqual(
      ['asked', 'sent', 'received', 'inspected']
        .map((done) => `device.return-${done}`)
        .concat('device.returned')
        .toSorted(),
    );
    expect((await admin.get(`/v1/cases/${ada.caseId}`).expect(200)).body.state).toBe('closed');
  });

  it('shows in its evidence what isn’t back, and who answers for what never came', async () => {
    const ada = await leaver();
    const notProved = async (): Promise<string[]> =>
      (await admin.get(`/v1/cases/${ada.caseId}/evidence`).expect(200)).body.notProved.map(
        ({ why }: { why: string }) => why,
      );
    await service.db.transaction((inner) => service.app.get(LogKey).make(inner, 'records.acme.example'));
    await service.app.get(Sealer).seal();
    expect(await notProved()).toContain(`The device ${ada.laptop.assetTag} isn’t back and inspected yet: asked.`);
    await act(ada.returnId, 'write-off', { reason: 'They moved abroad.' }).expect(200);
    expect(await notProved()).toContain(
      `The device ${ada.laptop.assetTag} never came back; Grace answers for that: They moved abroad.`,
    );
    expect(await deviceOf(ada)).toMatchObject({ state: 'lost', holderId: ada.person.id });
    await act(ada.returnId, 'receive', { siteId: ada.laptop.siteId }).expect(409);
  });

  it('takes over what was asked for before, and asks for nothing twice', async () => {
    const person = await aPerson(tx);
    const { id: deviceId } = await aDevice(tx, { holderId: person.id });
    const asked = await admin.post('/v1/returns').send({ deviceId }).expect(201);
    expect(asked.body).toMatchObject({ caseId: null, state: 'asked' });
    await admin.post('/v1/returns').send({ deviceId }).expect(409);
    const { body } = await admin.post('/v1/leavers').send({ personId: person.id, reason: 'Last day.' }).expect(202);
    expect(await tx.findBy(DeviceReturn, { deviceId })).toMatchObject([{ id: asked.body.id, caseId: body.caseId }]);
  });
});

/** Until a statement of somebody waits for what another transaction holds. */
async function untilSomebodyWaits(): Promise<void> {
  await waitFor('somebody waits for a lock', async () => {
    const waiting: unknown[] = await tx.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return waiting.length;
  });
}

/** What comes of a request that is sent while a transaction does this, and waits for it to be committed. */
async function meanwhile(work: (other: EntityManager) => Promise<unknown>, request: () => Test): Promise<Response> {
  const { sent } = await service.db.transaction(async (other) => {
    await work(other);
    const begun = request().then((answer) => answer);
    await untilSomebodyWaits();
    return { sent: begun };
  });
  return sent;
}

describe('who has left', () => {
  it('is given nothing, and nothing is kept for them, when a device is lost neither', async () => {
    const ada = await leaver();
    const image = await anImageVersion(tx);
    const { id } = await aDevice(tx, { imageVersionId: image.id });
    for (const what of ['reserve', 'assign']) {
      const { body } = await admin.post(`/v1/devices/${id}/${what}`).send({ personId: ada.person.id }).expect(409);
      expect(body.detail).toContain('has left');
    }
    await admin.post('/v1/lost-devices').send({ deviceId: ada.laptop.id }).expect(202);
    expect(await tx.findOneByOrFail(Device, { id })).toMatchObject({ state: 'in_stock', reservedForId: null });
    expect(await tx.findBy(DeviceReplacement, { personId: ada.person.id })).toMatchObject([{ reservedDeviceId: null }]);
  });

  it('is given nothing at the same moment either', async () => {
    const { id: personId } = await aPerson(tx);
    const { id } = await aDevice(tx);
    const { status } = await meanwhile(
      async (other) => {
        await other.query(`SELECT FROM people WHERE id = $1 FOR UPDATE`, [personId]);
        await other.update(Person, { id: personId }, { status: 'left' });
      },
      () => admin.post(`/v1/devices/${id}/assign`).send({ personId }),
    );
    expect(status).toBe(409);
    expect(await tx.findOneByOrFail(Device, { id })).toMatchObject({ state: 'in_stock', holderId: null });
  });

  it('lets go of what was kept for them', async () => {
    const { id: personId } = await aPerson(tx);
    const { id } = await aDevice(tx);
    await admin.post(`/v1/devices/${id}/reserve`).send({ personId }).expect(200);
    const { body } = await admin.post('/v1/leavers').send({ personId, reason: 'Last day.' }).expect(202);
    expect(await tx.findOneByOrFail(Device, { id })).toMatchObject({ state: 'in_stock', reservedForId: null });
    expect(await tx.countBy(AuditEntry, { action: 'device.reservation-ended', caseId: body.caseId })).toBe(1);
  });

  it('isn’t asked for what is taken back at the same moment', async () => {
    const { id: personId } = await aPerson(tx);
    const { id } = await aDevice(tx, { holderId: personId });
    const { status } = await meanwhile(
      (other) => service.app.get(DevicesService).takeBack(other, SYSTEM, id),
      () => admin.post('/v1/leavers').send({ personId, reason: 'Last day.' }),
    );
    expect(status).toBe(202);
    expect(await tx.countBy(DeviceReturn, { deviceId: id })).toBe(0);
  });
});

describe('a return', () => {
  it('of a device that its person doesn’t have any more takes it from nobody, and ends with taking it back', async () => {
    const [ada, grace] = [await aPerson(tx), await aPerson(tx)];
    const site = await aSite(tx);
    const laptop = await aDevice(tx, { holderId: grace.id });
    const asked = await aReturn(tx, { deviceId: laptop.id, personId: ada.id });
    for (const [what, body] of [
      ['receive', { siteId: site.id }],
      ['write-off', { reason: 'Gone.' }],
    ] as const) {
      expect((await act(asked.id, what, body).expect(409)).body.detail).toContain('any more');
    }
    await tx.update(DeviceReturn, { id: asked.id }, { state: 'received', receivedAt: new Date(), receivedBy: 'Eve' });
    await act(asked.id, 'inspect', GOOD).expect(409);
    expect(await tx.findOneByOrFail(Device, { id: laptop.id })).toMatchObject({ holderId: grace.id });
    const shelved = await aDevice(tx);
    const stuck = await aReturn(tx, { deviceId: shelved.id, personId: ada.id });
    await admin.post(`/v1/devices/${shelved.id}/return`).expect(200);
    expect(await tx.findOneByOrFail(DeviceReturn, { id: stuck.id })).toMatchObject({ state: 'inspected' });
  });

  it('of a faulty device takes it to the workshop', async () => {
    const ada = await leaver();
    await act(ada.returnId, 'receive', { siteId: (await aSite(tx)).id }).expect(200);
    await act(ada.returnId, 'write-off', { reason: 'It is broken.' }).expect(409);
    await act(ada.returnId, 'inspect', { condition: 'faulty', wiped: 'no' }).expect(200);
    expect(await deviceOf(ada)).toMatchObject({ state: 'in_repair', holderId: null, working: false });
  });

  it('can’t be got round by a change of the device, and ends when it is taken back in one act', async () => {
    const ada = await leaver();
    const { headers } = await admin.get(`/v1/devices/${ada.laptop.id}`).expect(200);
    const change = admin.patch(`/v1/devices/${ada.laptop.id}`).set('If-Match', headers['etag'] ?? '');
    expect((await change.send({ state: 'in_stock' }).expect(409)).body.detail).toContain('outstanding');
    await admin.post(`/v1/devices/${ada.laptop.id}/return`).expect(200);
    expect(await returnsOf(ada)).toMatchObject([
      { state: 'inspected', condition: 'not_stated', wiped: 'unknown', receivedBy: 'Grace', inspectedBy: 'Grace' },
    ]);
    expect(await deviceOf(ada)).toMatchObject({ state: 'in_stock', holderId: null });
  });

  it('of a device that was lost meanwhile finds it again', async () => {
    const ada = await leaver();
    await admin.post('/v1/lost-devices').send({ deviceId: ada.laptop.id }).expect(202);
    await act(ada.returnId, 'receive', { siteId: (await aSite(tx)).id }).expect(200);
    expect(await deviceOf(ada)).toMatchObject({ state: 'found', holderId: ada.person.id });
    await act(ada.returnId, 'inspect', GOOD).expect(200);
    expect(await deviceOf(ada)).toMatchObject({ state: 'in_stock', holderId: null });
  });
});

describe('a spare', () => {
  /** On the shelf of a site, with the newest version of an image, unless something else is said. */
  async function aShelf() {
    const site = await aSite(tx);
    const model = await aDeviceModel(tx);
    const image = await anImageVersion(tx);
    const spare = (with_: Partial<Device> = {}) =>
      aDevice(tx, { modelId: model.id, siteId: site.id, imageVersionId: image.id, ...with_ });
    const count = async () => {
      const { body } = await admin.get('/v1/devices/spares').query({ siteId: site.id }).expect(200);
      return body.items[0];
    };
    return { site, model, image, spare, count };
  }

  it('is one that can really be given: standard, working, with the newest draft where nothing of its image is published', async () => {
    const { site, model, image, spare, count } = await aShelf();
    await admin
      .patch(`/v1/device-models/${model.id}`)
      .set('If-Match', '"1"')
      .send({ minimums: [{ siteId: site.id, minimum: 2 }] })
      .expect(200);
    expect(await count()).toMatchObject({ inStock: 0, ready: 0, minimum: 2, short: 2 });
    const good = await spare();
    await spare({ working: false });
    await spare({ imageVersionId: null });
    await spare({ holderId: (await aPerson(tx)).id });
    expect(await count()).toMatchObject({ inStock: 3, ready: 1, faulty: 1, imageOutdated: 1, minimum: 2, short: 1 });
    const listed = await admin.get('/v1/devices').query({ siteId: site.id, spare: 'true' }).expect(200);
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual([good.id]);
    await service.app.get(DeviceWatch).look();
    expect(
      await tx.findBy(Alert, { kind: 'spares_short', dedupKey: `spares_short:${model.id}:${site.id}` }),
    ).toMatchObject([{ resolvedAt: null, message: expect.stringContaining('1 of 2') }]);
    await anImageVersion(tx, { imageId: image.imageId, version: '2026.2', releasedAt: new Date() });
    expect(await count()).toMatchObject({ inStock: 3, ready: 0, imageOutdated: 3 });
  });

  it('is kept when a device is lost, from the same shelf, and free again when another one is given', async () => {
    const { spare } = await aShelf();
    const elsewhere = await (await aShelf()).spare();
    const [here, busy] = [await spare(), await spare()];
    const ada = await aPerson(tx);
    const lost = await spare({ holderId: ada.id });
    // Somebody has the first spare in hand: the loss waits for nobody and takes the next.
    const taken = here.id < busy.id ? here : busy;
    const next = here.id < busy.id ? busy : here;
    const caseId = await service.db.transaction(async (other) => {
      await other.query(`SELECT FROM devices WHERE id = $1 FOR UPDATE`, [taken.id]);
      return (await admin.post('/v1/lost-devices').send({ deviceId: lost.id }).expect(202)).body.caseId as string;
    });
    expect(await tx.findOneByOrFail(Device, { id: next.id })).toMatchObject({
      state: 'reserved',
      reservedForId: ada.id,
      reservedForCaseId: caseId,
    });
    await admin.post(`/v1/lost-devices/${caseId}/restore`).send({ replacementDeviceId: elsewhere.id }).expect(202);
    expect(await tx.findOneByOrFail(Device, { id: next.id })).toMatchObject({ state: 'in_stock', reservedForId: null });

    const ofLoss = async () => {
      const { body } = await admin.get('/v1/lost-devices/lead-times').expect(200);
      return body.items.find(({ lossCaseId }: { lossCaseId: string }) => lossCaseId === caseId);
    };
    expect(await ofLoss()).toMatchObject({
      replacementDeviceId: elsewhere.id,
      reservedDeviceId: next.id,
      leadSeconds: null,
    });
    await admin
      .post(`/v1/devices/${elsewhere.id}/observations`)
      .send({ kind: 'last_online', value: 'yes', source: 'agent', observedAt: new Date(Date.now() + 60_000) })
      .expect(201);
    const late = (await ofLoss()).checkedInAt;
    // A device manager tells later what it saw earlier: whoever saw it first counts.
    const observedAt = new Date((Date.parse((await ofLoss()).replacedAt) + Date.parse(late)) / 2);
    const report = { volumes: [] };
    await service.app
      .get(ObservationsService)
      .takeIn(tx, elsewhere.id, [{ kind: 'disk_encryption', source: 'fleet', observedAt, report }]);
    const { checkedInAt, lostAt, leadSeconds } = await ofLoss();
    expect([checkedInAt, checkedInAt < late]).toEqual([observedAt.toISOString(), true]);
    expect(leadSeconds).toBeCloseTo((Date.parse(checkedInAt) - Date.parse(lostAt)) / 1000, 1);
    const { body } = await admin.get('/v1/lost-devices/lead-times').query({ since: lostAt }).expect(200);
    expect(body).toMatchObject({ measured: 1, medianSeconds: leadSeconds, p95Seconds: leadSeconds });
    const text = (await admin.get('/metrics').expect(200)).text;
    expect(text).toMatch(/quartermaster_replacement_lead_seconds\{quantile="0.5"\} \d/);
  });

  it('is kept once for a loss that is reported in another scope, too', async () => {
    const { spare } = await aShelf();
    const { id: holderId } = await aPerson(tx);
    const [{ id: deviceId }] = [await spare({ holderId }), await spare(), await spare()];
    for (const scope of ['device', 'person']) {
      const { body } = await admin.post('/v1/lost-devices').send({ deviceId, scope }).expect(202);
      expect(body.again).toBe(false);
    }
    expect(await tx.countBy(Device, { reservedForId: holderId })).toBe(1);
  });

  it('replaces one loss when two are given at the same moment', async () => {
    const { id: personId } = await aPerson(tx);
    for (const lost of [await aDevice(tx, { holderId: personId }), await aDevice(tx, { holderId: personId })]) {
      await admin.post('/v1/lost-devices').send({ deviceId: lost.id }).expect(202);
    }
    const [one, other] = [await aDevice(tx), await aDevice(tx)];
    const { status } = await meanwhile(
      (begun) => service.app.get(DevicesService).assign(begun, SYSTEM, one.id, personId),
      () => admin.post(`/v1/devices/${other.id}/assign`).send({ personId }),
    );
    expect(status).toBe(200);
    const replaced = await tx.findBy(DeviceReplacement, { personId });
    expect(new Set(replaced.map((loss) => loss.replacementDeviceId))).toEqual(new Set([one.id, other.id]));
  });

  it('that isn’t there holds up no loss', async () => {
    const ada = await aPerson(tx);
    await tx.update(Device, { state: 'in_stock' }, { working: false });
    const lost = await aDevice(tx, { holderId: ada.id });
    const { body } = await admin.post('/v1/lost-devices').send({ deviceId: lost.id }).expect(202);
    const { body: times } = await admin.get('/v1/lost-devices/lead-times').query({ limit: 1 }).expect(200);
    expect(times.items).toMatchObject([{ lossCaseId: body.caseId, reservedDeviceId: null, replacementDeviceId: null }]);
  });
});

describe('what people owe about devices', () => {
  const openAlerts = async (about: string) =>
    (await tx.findBy(Alert, {})).filter(({ message, resolvedAt }) => message.includes(about) && resolvedAt === null);
  const look = () => service.app.get(DeviceWatch).look();
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

  it('is told once it is overdue, louder the longer it lasts, and is over when it is over', async () => {
    const ada = await leaver();
    const tag = ada.laptop.assetTag;
    const listed = async (overdue: boolean) =>
      (await admin.get('/v1/returns').query({ deviceId: ada.laptop.id, overdue }).expect(200)).body.items.length;
    await look();
    expect(await openAlerts(tag)).toEqual([]);
    expect([await listed(true), await listed(false)]).toEqual([0, 1]);
    await tx.update(DeviceReturn, { id: ada.returnId }, { askedAt: daysAgo(4) });
    expect([await listed(true), await listed(false)]).toEqual([1, 0]);
    await look();
    await look();
    expect(await openAlerts(tag)).toMatchObject([{ kind: 'device_return_overdue', severity: 'warning' }]);
    await tx.update(DeviceReturn, { id: ada.returnId }, { askedAt: daysAgo(15) });
    await look();
    expect(await openAlerts(tag)).toMatchObject([{ severity: 'error', owner: 'it-admins' }]);
    await admin.post(`/v1/devices/${ada.laptop.id}/return`).expect(200);
    await look();
    expect(await openAlerts(tag)).toEqual([]);
    expect(await listed(true)).toBe(0);
  });

  it('takes in signatures and exceptions, and is told again after a week', async () => {
    const ada = await aPerson(tx);
    const odd = await aDevice(tx, { modelId: (await aDeviceModel(tx, { standard: false })).id });
    const tag = odd.assetTag;
    const exception = { ownerId: ada.id, reason: 'Film editing', endsOn: '2190-01-01' };
    await admin.post(`/v1/devices/${odd.id}/exception`).send(exception).expect(201);
    await admin.post(`/v1/devices/${odd.id}/assign`).send({ personId: ada.id }).expect(200);
    await look();
    expect(await openAlerts(tag)).toEqual([]);
    await tx.update(DeviceException, { deviceId: odd.id }, { endsOn: '2026-01-01' });
    await tx.update(DeviceAcknowledgement, { deviceId: odd.id }, { askedAt: daysAgo(4) });
    await look();
    const told = await openAlerts(tag);
    expect(told.map(({ kind, owner }) => `${kind} for ${owner}`).toSorted()).toEqual([
      `device_unacknowledged for ${ada.corporateEmail}`,
      `exception_overdue for ${ada.corporateEmail}`,
    ]);
    await tx.update(Alert, { id: told[0]?.id ?? '' }, { raisedAt: daysAgo(8) });
    await look();
    const again = await openAlerts(tag);
    expect(again).toHaveLength(2);
    expect(again.map(({ id }) => id)).toContain(told[1]?.id);
    expect(again.map(({ id }) => id)).not.toContain(told[0]?.id);
  });

  it('is IT’s to settle when who answers for an exception has left, and nobody’s once the device is retired', async () => {
    const { id: ownerId } = await aPerson(tx, { status: 'left' });
    const { id: modelId } = await aDeviceModel(tx, { standard: false });
    const { id: deviceId, assetTag } = await aDevice(tx, { modelId });
    const exception = { id: newId(), deviceId, ownerId, reason: 'Film editing', grantedBy: 'Grace' };
    await tx.insert(DeviceException, { ...exception, endsOn: '2026-01-01' });
    await look();
    expect(await openAlerts(assetTag)).toMatchObject([{ kind: 'exception_overdue', owner: 'it-admins' }]);
    await tx.update(Device, { id: deviceId }, { state: 'retired' });
    await look();
    expect(await openAlerts(assetTag)).toEqual([]);
  });
});
