import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice, aDeviceModel, aSite } from '../../test/factories/devices.js';
import { aPerson } from '../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { newId } from '../platform/ids/new-id.js';
import { DeviceException } from './device-exception.entity.js';
import { DEVICE_STATES, mayBecome } from './device-states.js';
import { Device } from './device.entity.js';

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;

beforeAll(async () => {
  records = await startRecordsApp();
  api = await records.caller();
});
afterAll(() => records?.close());

const stateOf = async ({ id }: Device) => (await records.db.manager.findOneByOrFail(Device, { id })).state;

describe('the database', () => {
  it('lets a device move exactly as the transition table says, for every pair of states', async () => {
    const tx = records.db.manager;
    const { id: modelId } = await aDeviceModel(tx);
    const { id: personId } = await aPerson(tx);
    const keptFor = (state: string) => (state === 'reserved' ? personId : null);
    for (const from of DEVICE_STATES) {
      for (const to of DEVICE_STATES.filter((state) => state !== from)) {
        const device = await aDevice(tx, { modelId, holderId: personId, state: from, reservedForId: keptFor(from) });
        const moved = await tx.update(Device, { id: device.id }, { state: to, reservedForId: keptFor(to) }).then(
          () => true,
          (error: unknown) => {
            expect(String(error)).toContain(`a device never goes from ${from} to ${to}`);
            return false;
          },
        );
        expect([from, to, moved]).toEqual([from, to, mayBecome(from, to)]);
        expect(await stateOf(device)).toBe(moved ? to : from);
      }
    }
  });

  it('lets nothing take a device with it, nor a device its keys and observations, and no device is deleted', async () => {
    const cascades: unknown = await records.db.query(
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype NOT IN ('a', 'r')
         AND (confrelid = 'devices'::regclass OR conrelid IN
           ('devices'::regclass, 'recovery_keys'::regclass, 'recovery_key_reveals'::regclass, 'device_observations'::regclass))`,
    );
    expect(cascades).toEqual([]);
    const bound: { conname: string }[] = await records.db.query(
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = 'devices'::regclass`,
    );
    expect(bound.map(({ conname }) => conname)).toEqual(
      expect.arrayContaining([
        'fk_recovery_keys_device',
        'fk_device_observations_device',
        'fk_device_exceptions_device',
      ]),
    );
    const { id } = await aDevice(records.db.manager);
    await expect(records.db.manager.delete(Device, { id })).rejects.toThrow('a device stays on record');
  });
});

describe('a device model', () => {
  it('is changed by who saw what it is, with the spares that each site should have', async () => {
    const site = await aSite(records.db.manager);
    const name = `Model ${newId()}`;
    const made = await api
      .post('/v1/device-models')
      .send({ name, manufacturer: 'Acme', lifetimeMonths: 48, minimums: [{ siteId: site.id, minimum: 3 }] })
      .expect(201);
    expect(made.body).toMatchObject({ standard: true, lifetimeMonths: 48, warrantyMonths: null, version: 1 });
    const at = `/v1/device-models/${made.body.id}`;
    const change = (body: object, etag: string) => api.patch(at).set('If-Match', etag).send(body);
    expect((await api.get(at).expect(200)).headers['etag']).toBe('"1"');
    const changed = await change({ warrantyMonths: 36, standard: false }, '"1"').expect(200);
    expect(changed.body).toEqual({ ...made.body, warrantyMonths: 36, standard: false, version: 2 });
    await change({ minimums: [] }, '"1"').expect(412);
    await change({ minimums: [{ siteId: newId(), minimum: 1 }] }, '"2"').expect(400);
    await change({ name: (await aDeviceModel(records.db.manager)).name }, '"2"').expect(409);
    expect((await change({ minimums: [] }, '"2"').expect(200)).body).toMatchObject({ minimums: [], standard: false });
  });

  it('says for how long a device is covered, and for how long it is used', async () => {
    const { id: modelId } = await aDeviceModel(records.db.manager, { warrantyMonths: 36, lifetimeMonths: 48 });
    const buy = async (purchasedOn: string, more: object = {}) => {
      const tag = newId();
      const body = { assetTag: tag, serial: tag, modelId, purchasedOn, ...more };
      return (await api.post('/v1/devices').send(body).expect(201)).body;
    };
    const old = await buy('2020-02-29');
    expect(old).toMatchObject({ purchasedOn: '2020-02-29', warrantyUntil: '2023-02-28', state: 'in_stock' });
    const ordered = await buy('2026-01-31', { warrantyUntil: '2031-01-31', state: 'ordered' });
    expect(ordered).toMatchObject({ warrantyUntil: '2031-01-31', state: 'ordered' });
    const past = await api.get('/v1/devices').query({ modelId, pastLifetime: 'true' }).expect(200);
    expect(past.body.items.map(({ id }: { id: string }) => id)).toEqual([old.id]);
  });
});

describe('a device that isn’t standard', () => {
  it('is given out while somebody answers for it, and shows when that is over', async () => {
    const tx = records.db.manager;
    const owner = await aPerson(tx);
    const model = await aDeviceModel(tx, { standard: false });
    const device = await aDevice(tx, { modelId: model.id });
    const assign = () => api.post(`/v1/devices/${device.id}/assign`).send({ personId: owner.id });
    const grant = (body: object) =>
      api.post(`/v1/devices/${device.id}/exception`).send({ ownerId: owner.id, reason: 'Film editing', ...body });
    const overdue = async () => {
      const { body } = await api.get('/v1/devices/exceptions').query({ overdue: 'true' }).expect(200);
      return body.items.map(({ assetTag }: { assetTag: string }) => assetTag);
    };
    expect((await assign().expect(409)).body.detail).toContain('no exception stands');
    await grant({ endsOn: '2020-01-01' }).expect(400);
    await grant({ endsOn: '2190-01-01', ownerId: newId() }).expect(400);
    await grant({ endsOn: '2190-01-01' }).expect(201);
    const { body } = await grant({ endsOn: '2191-01-01' }).expect(201);
    expect(body).toMatchObject({ assetTag: device.assetTag, ownerId: owner.id, endsOn: '2191-01-01', overdue: false });
    await assign().expect(200);
    expect(await overdue()).toEqual([]);
    await tx.update(DeviceException, { id: body.id }, { endsOn: '2026-01-01' });
    expect(await overdue()).toEqual([device.assetTag]);
    await api.delete(`/v1/devices/${device.id}/exception`).expect(204);
    await api.delete(`/v1/devices/${device.id}/exception`).expect(404);
    expect(await overdue()).toEqual([]);
    expect(await tx.countBy(DeviceException, { deviceId: device.id })).toBe(2);
  });

  it('is only such of a model that isn’t standard', async () => {
    const { id } = await aDevice(records.db.manager);
    const owner = await aPerson(records.db.manager);
    const wish = { ownerId: owner.id, reason: 'It is pretty', endsOn: '2190-01-01' };
    await api.post(`/v1/devices/${id}/exception`).send(wish).expect(409);
  });
});

describe('a device in stock', () => {
  it('is kept for somebody, given to nobody else, and let go again', async () => {
    const tx = records.db.manager;
    const [ada, grace] = [await aPerson(tx), await aPerson(tx)];
    const { id } = await aDevice(tx);
    const act = (what: string, personId: string) => api.post(`/v1/devices/${id}/${what}`).send({ personId });
    expect((await act('reserve', ada.id).expect(200)).body).toMatchObject({ state: 'reserved', reservedForId: ada.id });
    expect((await act('assign', grace.id).expect(409)).body.detail).toContain('somebody else');
    await act('reserve', grace.id).expect(409);
    const kept = await api.get(`/v1/devices/${id}`).expect(200);
    const free = await api
      .patch(`/v1/devices/${id}`)
      .set('If-Match', kept.headers['etag'] ?? '')
      .send({ state: 'in_stock' })
      .expect(200);
    expect(free.body).toMatchObject({ state: 'in_stock', reservedForId: null });
    expect((await act('assign', grace.id).expect(200)).body).toMatchObject({ state: 'assigned', holderId: grace.id });
  });

  it('is given to nobody while it is faulty', async () => {
    const tx = records.db.manager;
    const { id } = await aDevice(tx, { working: false });
    const { id: personId } = await aPerson(tx);
    for (const act of ['reserve', 'assign']) {
      const { body } = await api.post(`/v1/devices/${id}/${act}`).send({ personId }).expect(409);
      expect(body.detail).toContain('faulty');
    }
    await api.patch(`/v1/devices/${id}`).set('If-Match', '"1"').send({ working: true }).expect(200);
    await api.post(`/v1/devices/${id}/assign`).send({ personId }).expect(200);
  });
});

describe('a device that was lost', () => {
  it('may turn out stolen, still tells who had it, and is nobody’s once it is found and back', async () => {
    const tx = records.db.manager;
    const { id: holderId } = await aPerson(tx);
    const device = await aDevice(tx, { holderId, state: 'lost' });
    const put = async (state: string) => {
      const { headers } = await api.get(`/v1/devices/${device.id}`).expect(200);
      const change = api.patch(`/v1/devices/${device.id}`).set('If-Match', headers['etag'] ?? '');
      return (await change.send({ state }).expect(200)).body;
    };
    expect(await put('stolen')).toMatchObject({ state: 'stolen', holderId });
    expect(await put('found')).toMatchObject({ state: 'found', holderId });
    expect(await put('in_stock')).toMatchObject({ state: 'in_stock', holderId: null });
    expect(await put('retired')).toMatchObject({ state: 'retired' });
    expect(await put('disposed')).toMatchObject({ state: 'disposed' });
  });
});
