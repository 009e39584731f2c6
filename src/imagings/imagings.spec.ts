import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { IsNull } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { aDevice } from '../../test/factories/devices.js';
import { aPublishedVersion, aReleaser } from '../../test/factories/images.js';
import { anEmployment, aPerson } from '../../test/factories/people.js';
import { aRoleHolder } from '../../test/factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../../test/factories/service-app.js';
import { Alert } from '../cases/alert.entity.js';
import { Device } from '../devices/device.entity.js';

type Agent = Awaited<ReturnType<ServiceApp['caller']>>;

let service: ServiceApp;
let api: Agent;

beforeAll(async () => {
  const store = await mkdtemp(join(inject('runFolder'), 'imagings-'));
  service = await startServiceApp({ env: { IMAGE_STORE: store } });
  api = await service.caller('bench');
});
afterAll(() => service?.close());

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const imaged = (deviceId: string, body: object) =>
  api.post(`/v1/devices/${deviceId}/imagings`).send({ verified: 'read_back', ...body });
const versionOf = async (id: string) => (await service.db.manager.findOneByOrFail(Device, { id })).imageVersionId;
const tell = (deviceId: string, value: string) =>
  api
    .post(`/v1/devices/${deviceId}/observations`)
    .send({ kind: 'image_version', value, source: 'agent', observedAt: new Date().toISOString() })
    .expect(201);
const aStick = async (serial: string, imageVersionId: string) =>
  (await api.post('/v1/images/media').send({ serial, capacityBytes: 32e9, imageVersionId }).expect(201)).body;

describe('the imaging of a machine', () => {
  it('is recorded with who, from what and how it was verified; the machine has that version from then on', async () => {
    const { id } = await aDevice(service.db.manager);
    const [old, now] = [await aPublishedVersion(api), await aPublishedVersion(api)];
    const stick = await aStick('S-1', now.id);
    expect(await versionOf(id)).toBeNull();
    const body = { imageVersionId: now.id, mediumId: stick.id, imagedAt: hoursAgo(1) };
    expect((await imaged(id, body).expect(201)).body).toMatchObject({
      ...body,
      imagedBy: 'bench',
      verified: 'read_back',
    });
    expect(await versionOf(id)).toBe(now.id);
    // It is told late, and is history.
    await imaged(id, { imageVersionId: old.id, imagedAt: hoursAgo(5), verified: 'not_verified' }).expect(201);
    expect(await versionOf(id)).toBe(now.id);
    const { body: history } = await api.get(`/v1/devices/${id}/imagings`).expect(200);
    expect(history.items.map((one: { imageVersionId: string }) => one.imageVersionId)).toEqual([old.id, now.id]);
    const { body: machines } = await api.get(`/v1/images/versions/${now.id}/imagings`).expect(200);
    expect(machines.items).toMatchObject([{ deviceId: id, mediumId: stick.id }]);
    const entries = await service.db.query(`SELECT action FROM audit_entries WHERE subject_id = $1 ORDER BY at`, [id]);
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      'device.imaged',
      'device.changed',
      'device.imaged',
    ]);
    for (const sql of [`DELETE FROM device_imagings`, `UPDATE device_imagings SET verified = 'read_back'`]) {
      await expect(service.db.query(sql)).rejects.toThrow(/stays as it is/);
    }
  });

  it('is refused for a stick with another image, for a time to come, and for a machine out of reach', async () => {
    const { manager } = service.db;
    const holder = await aPerson(manager);
    await anEmployment(manager, { personId: holder.id, department: 'sales' });
    const { id } = await aDevice(manager, { holderId: holder.id });
    const [one, other] = [await aPublishedVersion(api), await aPublishedVersion(api)];
    const stick = await aStick('S-2', other.id);
    await imaged(id, { imageVersionId: one.id, mediumId: stick.id }).expect(400);
    await imaged(id, { imageVersionId: one.id, imagedAt: hoursAgo(-1) }).expect(400);
    await imaged(one.id, { imageVersionId: one.id }).expect(404);
    const { agent: helpdesk } = await aRoleHolder(service.app, 'helpdesk', { department: 'engineering' });
    await helpdesk
      .post(`/v1/devices/${id}/imagings`)
      .send({ verified: 'read_back', imageVersionId: one.id })
      .expect(404);
    await helpdesk.get(`/v1/devices/${id}/imagings`).expect(404);
    await imaged(id, { imageVersionId: one.id }).expect(201);
    expect((await helpdesk.get(`/v1/images/versions/${one.id}/imagings`).expect(200)).body.items).toEqual([]);
    expect((await helpdesk.get(`/v1/images/versions/${one.id}/devices`).expect(200)).body.items).toEqual([]);
    expect(await versionOf(id)).toBe(one.id);
  });
});

describe('the withdrawal of a version', () => {
  it('answers the sticks and the machines that carry it, and an alert tells people of them', async () => {
    const bad = await aPublishedVersion(api);
    const good = await aPublishedVersion(api, {
      imageId: bad.imageId,
      version: '2026.12',
      releaser: await aReleaser(api),
    });
    const { manager } = service.db;
    const [has, tells, had, retired] = [
      await aDevice(manager),
      await aDevice(manager),
      await aDevice(manager),
      await aDevice(manager, { imageVersionId: bad.id, state: 'retired' }),
    ];
    await imaged(has.id, { imageVersionId: bad.id }).expect(201);
    await imaged(had.id, { imageVersionId: bad.id, imagedAt: hoursAgo(2) }).expect(201);
    await imaged(had.id, { imageVersionId: good.id }).expect(201);
    await tell(tells.id, `${bad.image} ${bad.version}`);
    const stick = await aStick('S-still', bad.id);
    await aStick('S-overwritten', bad.id);
    await aStick('S-overwritten', good.id);
    const publisher = await service.caller('publisher', 'images:publish', 'devices:read');
    const withdraw = () => publisher.post(`/v1/images/versions/${bad.id}/withdraw`).send({ reason: 'A back door.' });
    const { body } = await withdraw().expect(200);
    expect(body).toMatchObject({ version: { channel: 'withdrawn' }, deviceCount: 2 });
    expect(body.media.map((one: { id: string }) => one.id)).toEqual([stick.id]);
    expect(body.devices).toEqual([
      { id: has.id, assetTag: has.assetTag, holderId: null, recorded: true, reported: false },
      { id: tells.id, assetTag: tells.assetTag, holderId: null, recorded: false, reported: true },
    ]);
    expect(JSON.stringify(body)).not.toContain(retired.id);
    const alerts = await manager.findBy(Alert, { dedupKey: `image_withdrawn:${bad.id}` });
    expect(alerts).toMatchObject([{ severity: 'error', message: expect.stringMatching(/A back door.*S-still/) }]);
    expect((await withdraw().expect(200)).body).toEqual(body);
    expect(await manager.countBy(Alert, { dedupKey: `image_withdrawn:${bad.id}` })).toBe(1);
    await publisher.post(`/v1/images/versions/${good.id}/withdraw`).send({}).expect(400);
    // It is over once nothing carries it any more.
    const isOpen = () => manager.existsBy(Alert, { dedupKey: `image_withdrawn:${bad.id}`, resolvedAt: IsNull() });
    await imaged(has.id, { imageVersionId: good.id }).expect(201);
    await tell(tells.id, `${good.image} ${good.version}`);
    expect(await isOpen()).toBe(true);
    await aStick('S-still', good.id);
    expect(await isOpen()).toBe(false);
    await api.post('/v1/images/media').send({ serial: 'S-3', capacityBytes: 1, imageVersionId: bad.id }).expect(409);
  });
});

describe('drift', () => {
  it('tells which machines aren’t as they should be, and which nobody knows', async () => {
    const { manager } = service.db;
    const first = await aPublishedVersion(api);
    const [outdated, silent] = [await aDevice(manager), await aDevice(manager)];
    await imaged(outdated.id, { imageVersionId: first.id }).expect(201);
    await tell(outdated.id, `${first.image}@${first.version}`);
    const drift = async (query: object = {}) =>
      (
        await api
          .get('/v1/images/drift')
          .query({ imageId: first.imageId, ...query })
          .expect(200)
      ).body;
    expect((await drift()).items).toEqual([]);
    const next = await aPublishedVersion(api, {
      imageId: first.imageId,
      version: '2026.12',
      releaser: await aReleaser(api),
    });
    await imaged(silent.id, { imageVersionId: next.id }).expect(201);
    expect((await drift()).items).toMatchObject([
      {
        deviceId: outdated.id,
        findings: ['outdated'],
        recorded: { image: first.image, version: first.version, channel: 'deprecated' },
        standard: { id: next.id, version: '2026.12' },
        reportedVersion: { id: first.id },
      },
      { deviceId: silent.id, findings: ['not_reported'], reported: null },
    ]);
    const page = await drift({ limit: 1 });
    expect(page.items).toHaveLength(1);
    expect((await drift({ limit: 1, cursor: page.next })).items).toMatchObject([{ deviceId: silent.id }]);
    expect((await drift({ finding: 'not_reported' })).items).toMatchObject([{ deviceId: silent.id }]);
    expect((await drift({ deviceId: silent.id })).items).toMatchObject([{ deviceId: silent.id }]);
    // Nobody recorded an image of it.
    const bare = await aDevice(manager);
    const { body } = await api.get('/v1/images/drift').query({ finding: 'not_imaged', limit: 200 }).expect(200);
    expect(body.items.map((one: { deviceId: string }) => one.deviceId)).toContain(bare.id);
  });
});
