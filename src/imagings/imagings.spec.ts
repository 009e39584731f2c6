import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { IsNull } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SticksAreVerifiedPastMemory1764000025000 } from '../../migrations/1764000025000-sticks-are-verified-past-memory.js';
import { aDevice } from '../../test/factories/devices.js';
import { aPublishedVersion, aReleaser } from '../../test/factories/images.js';
import { anEmployment, aPerson } from '../../test/factories/people.js';
import { aRoleHolder } from '../../test/factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../../test/factories/service-app.js';
import { Alert } from '../cases/alert.entity.js';
import { Device } from '../devices/device.entity.js';
import type { Package } from '../devices/packages/device-packages.entity.js';
import { DevicePackagesService } from '../devices/packages/device-packages.service.js';
import { ImageMedium } from '../images/image-medium.entity.js';
import { ImageCarriers } from './image-carriers.service.js';

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

describe('a stick', () => {
  it('is verified by what was read past the system’s memory, and by nothing else', async () => {
    const { id: imageVersionId, content } = await aPublishedVersion(api);
    const same = { verdict: 'same', sha256: createHash('sha256').update(content).digest('hex') };
    const { id } = await aStick('S-cached', imageVersionId);
    const readBack = async (body: object) =>
      (await api.post(`/v1/images/media/${id}/read-backs`).send(body).expect(200)).body;
    expect(await readBack(same)).toMatchObject({
      state: 'writing',
      uncached: false,
      problem: expect.stringContaining('no proof'),
    });
    const verified = { state: 'verified', uncached: true, problem: null };
    expect(await readBack({ ...same, uncached: true })).toMatchObject(verified);
    // It says nothing about what was shown before.
    expect(await readBack(same)).toMatchObject(verified);
    const sql = `UPDATE image_media SET uncached = false WHERE id = $1`;
    await expect(service.db.query(sql, [id])).rejects.toThrow(/ck_image_media_verified/);
    // One from before that was called verified on less isn't any more.
    const runner = service.db.createQueryRunner();
    await runner.startTransaction();
    try {
      const migration = new SticksAreVerifiedPastMemory1764000025000();
      await migration.down(runner);
      await runner.query(sql, [id]);
      await migration.up(runner);
      expect(await runner.manager.findOneBy(ImageMedium, { id })).toMatchObject({ state: 'writing', uncached: false });
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
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
    // What carries it later is looked at now and then; it is over once nothing does, whatever the last of it was.
    const carriers = service.app.get(ImageCarriers);
    const open = async () => {
      await carriers.look();
      return (await manager.findOneBy(Alert, { dedupKey: `image_withdrawn:${bad.id}`, resolvedAt: IsNull() }))?.message;
    };
    await imaged(has.id, { imageVersionId: good.id }).expect(201);
    await aStick('S-still', good.id);
    expect(await open()).toContain('0 sticks and 1 machine carry it');
    await tell(tells.id, `${good.image} ${good.version}`);
    expect(await open()).toBeUndefined();
    // It comes back with a machine, and goes with it.
    await imaged(has.id, { imageVersionId: bad.id }).expect(201);
    expect(await open()).toContain('0 sticks and 1 machine carry it');
    await manager.update(Device, { id: has.id }, { imageVersionId: null });
    expect(await open()).toBeUndefined();
    await api.post('/v1/images/media').send({ serial: 'S-3', capacityBytes: 1, imageVersionId: bad.id }).expect(409);
  });
});

describe('a spare', () => {
  it('has the version that is current: neither one that was, nor one that was withdrawn', async () => {
    const first = await aPublishedVersion(api);
    const releaser = await aReleaser(api);
    const { id, modelId } = await aDevice(service.db.manager, { imageVersionId: first.id });
    const ready = async () =>
      (await api.get('/v1/devices/spares').query({ modelId }).expect(200)).body.items[0].ready as number;
    expect(await ready()).toBe(1);
    const next = await aPublishedVersion(api, { imageId: first.imageId, version: '2026.12', releaser });
    await service.db.query(`UPDATE devices SET image_version_id = $2 WHERE id = $1`, [id, next.id]);
    expect(await ready()).toBe(1);
    const publisher = await service.caller('publisher', 'images:publish', 'devices:read');
    // The way back: it is released later than the current one, and isn't the one to use.
    await publisher.post(`/v1/images/versions/${first.id}/publish`).expect(200);
    expect(await ready()).toBe(0);
    await publisher.post(`/v1/images/versions/${next.id}/publish`).expect(200);
    await publisher.post(`/v1/images/versions/${next.id}/withdraw`).send({ reason: 'A back door.' }).expect(200);
    expect(await ready()).toBe(0);
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

  it('of packages is told against those that the image pins, once a machine told of them after it was imaged', async () => {
    const sha256 = 'ab'.repeat(32);
    const pinned = (name: string, version: string) => ({ name, version, sha256, list: 'deb' as const });
    const inputs = [pinned('curl', '8.14'), pinned('linux', '6.12'), { name: 'debootstrap', version: '1', sha256 }];
    const version = await aPublishedVersion(api, { inputs });
    const device = await aDevice(service.db.manager);
    const tellsPackages = (observedAt: Date, ...packages: Package[]) =>
      service.db.transaction((tx) =>
        service.app.get(DevicePackagesService).replace(tx, device.id, { packages, source: 'osquery', observedAt }),
      );
    const findings = async () => {
      const { body } = await api.get('/v1/images/drift').query({ imageId: version.imageId }).expect(200);
      return { of: body.items[0]?.findings ?? [], counts: body.items[0]?.packages.counts };
    };
    const named = async () => (await api.get(`/v1/devices/${device.id}/packages/drift`).expect(200)).body;
    const deb = (name: string, installed: string): Package => ({ name, version: installed, list: 'deb' });
    expect(await named()).toMatchObject({ unknownBecause: 'not_imaged', missing: null });
    await imaged(device.id, { imageVersionId: version.id, imagedAt: hoursAgo(2) }).expect(201);
    await tell(device.id, `${version.image} ${version.version}`);
    expect(await findings()).toEqual({ of: ['packages_unknown'], counts: null });
    expect(await named()).toMatchObject({ unknownBecause: 'never_reported' });
    await tellsPackages(new Date(hoursAgo(3)), deb('curl', '8.14'));
    expect((await findings()).of).toEqual(['packages_unknown']);
    expect(await named()).toMatchObject({ unknownBecause: 'reported_before_imaging', extra: null });
    await tellsPackages(new Date(hoursAgo(1)), deb('linux', '6.11'), deb('vim', '9'));
    expect(await findings()).toEqual({ of: ['packages_differ'], counts: { missing: 1, otherVersion: 1, extra: 1 } });
    expect(await named()).toMatchObject({
      imageVersionId: version.id,
      unknownBecause: null,
      missing: [{ name: 'curl', version: '8.14', list: 'deb' }],
      otherVersion: [{ name: 'linux', version: '6.12', installed: ['6.11'] }],
      extra: 1,
    });
    await tellsPackages(new Date(), deb('curl', '8.14'), deb('linux', '6.12'), deb('vim', '9'));
    expect((await findings()).of).toEqual([]);
  });
});
