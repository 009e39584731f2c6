import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice, aDeviceModel, anImageVersion } from '../../test/factories/devices.js';
import { aPerson } from '../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { SYSTEM } from '../platform/sign-in/actor.js';
import { DeviceObservation } from './device-observation.entity.js';
import { DevicesService } from './devices.service.js';
import type { EncryptionState } from './encryption/encryption-states.js';
import type { DiskReport } from './encryption/judge-report.js';
import { ObservationsService } from './observations.service.js';

let records: RecordsApp;

beforeAll(async () => {
  records = await startRecordsApp();
});
afterAll(() => records?.close());

const aReport = (state: EncryptionState): DiskReport => ({ volumes: [{ volume: '/', role: 'system', state }] });

const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

describe('a device', () => {
  it('reported lost tells what was known of its disk then, and how old that was', async () => {
    const devices = records.app.get(DevicesService);
    const observations = records.app.get(ObservationsService);
    const holder = await aPerson(records.db.manager);
    const { id } = await aDevice(records.db.manager, { holderId: holder.id });
    const lost = await records.db.transaction(async (tx) => {
      const see = (state: EncryptionState, hours: number) =>
        observations.add(tx, SYSTEM, id, {
          kind: 'disk_encryption',
          report: aReport(state),
          source: 'agent',
          observedAt: hoursAgo(hours),
        });
      await see('encrypted', 2);
      // It arrives later and is older: not the newest knowledge.
      await see('not_encrypted', 48);
      // A failed query is no answer.
      await see('unknown', 1);
      return devices.markLost(tx, SYSTEM, id);
    });
    expect(lost.device).toMatchObject({ state: 'lost', holderId: holder.id });
    expect(lost.diskEncryption).toMatchObject({ value: 'encrypted', source: 'agent' });
    expect(lost.diskEncryption?.ageSeconds).toBeGreaterThanOrEqual(7200);
    expect(lost.diskEncryption?.ageSeconds).toBeLessThan(7260);
    expect(lost.lastOnline).toBeNull();
  });

  it('reported lost twice is lost once', async () => {
    const devices = records.app.get(DevicesService);
    const { id } = await aDevice(records.db.manager, { holderId: (await aPerson(records.db.manager)).id });
    const mark = () => records.db.transaction((tx) => devices.markLost(tx, SYSTEM, id));
    const first = await mark();
    expect((await mark()).device.stateChangedAt).toEqual(first.device.stateChangedAt);
    expect(await records.db.manager.countBy(AuditEntry, { action: 'device.lost', subjectId: id })).toBe(1);
  });

  it('found again goes to the shelf without its holder', async () => {
    const devices = records.app.get(DevicesService);
    const { id } = await aDevice(records.db.manager, { holderId: (await aPerson(records.db.manager)).id });
    await records.db.transaction((tx) => devices.markLost(tx, SYSTEM, id));
    const back = await records.db.transaction((tx) => devices.takeBack(tx, SYSTEM, id));
    expect(back).toMatchObject({ state: 'in_stock', holderId: null });
  });

  it('has observations that nobody can rewrite', async () => {
    const { id: deviceId } = await aDevice(records.db.manager);
    const kind = 'disk_encryption' as const;
    const seen = { kind, report: aReport('not_encrypted'), source: 'agent', observedAt: hoursAgo(1) };
    const { id } = await records.db.transaction((tx) =>
      records.app.get(ObservationsService).add(tx, SYSTEM, deviceId, seen),
    );
    await expect(records.db.manager.update(DeviceObservation, { id }, { value: 'encrypted' })).rejects.toThrow(
      /never overwritten/,
    );
    await expect(records.db.manager.delete(DeviceObservation, { id })).rejects.toThrow(/never deleted before its time/);
  });
});

describe('/v1/devices', () => {
  it('are taken in, given out and returned', async () => {
    const api = await records.caller();
    const model = await api
      .post('/v1/device-models')
      .send({ name: 'Developer laptop 16', manufacturer: 'Acme' })
      .expect(201);
    const image = await api.post('/v1/images').send({ name: 'Debian desktop' }).expect(201);
    const version = await api
      .post(`/v1/images/${image.body.id}/versions`)
      .send({ version: '2026.11', sha256: 'a'.repeat(64), releasedAt: '2026-11-01T09:00:00+01:00' })
      .expect(201);
    expect(version.body.releasedAt).toBe('2026-11-01T08:00:00.000Z');
    const person = await aPerson(records.db.manager);
    const made = await api
      .post('/v1/devices')
      .send({ assetTag: 'QM-1', serial: 'SN-1', modelId: model.body.id, imageVersionId: version.body.id })
      .expect(201);
    expect(made.body).toMatchObject({ state: 'in_stock', holderId: null });
    const path = `/v1/devices/${made.body.id}`;
    expect(made.headers['location']).toBe(path);
    const given = await api.post(`${path}/assign`).send({ personId: person.id }).expect(200);
    expect(given.body).toMatchObject({ state: 'assigned', holderId: person.id });
    const held = await api.get('/v1/devices').query({ holderId: person.id, state: 'assigned' }).expect(200);
    expect(held.body.items).toHaveLength(1);
    await api
      .post(`${path}/assign`)
      .send({ personId: (await aPerson(records.db.manager)).id })
      .expect(409);
    await api.post(`${path}/return`).expect(200);
    expect((await api.get(path).expect(200)).body).toMatchObject({ state: 'in_stock', holderId: null });
  });

  it('show the newest observation of each kind with its age', async () => {
    const api = await records.caller();
    const { id } = await aDevice(records.db.manager);
    const see = (body: object) => api.post(`/v1/devices/${id}/observations`).send({ source: 'agent', ...body });
    const anHourAgo = hoursAgo(1).toISOString();
    await see({ kind: 'disk_encryption', value: 'encrypting', observedAt: hoursAgo(3).toISOString() }).expect(201);
    await see({ kind: 'disk_encryption', value: 'encrypted', observedAt: anHourAgo }).expect(201);
    await see({ kind: 'os_version', value: 'Debian 12.7', observedAt: anHourAgo }).expect(201);
    const { body } = await api.get(`/v1/devices/${id}`).expect(200);
    expect(body.observations).toMatchObject([
      { kind: 'disk_encryption', value: 'encrypted', observedAt: anHourAgo },
      { kind: 'os_version', value: 'Debian 12.7' },
    ]);
    expect(body.observations[0].ageSeconds).toBeGreaterThanOrEqual(3600);
    const history = await api.get(`/v1/devices/${id}/observations`).query({ limit: 2 }).expect(200);
    expect(history.body.items.map(({ kind }: { kind: string }) => kind)).toEqual(['os_version', 'disk_encryption']);
    expect(history.body.next).not.toBeNull();
  });

  it('take an observation by a clock that was never set, and tell the greatest age that is told', async () => {
    const api = await records.caller();
    const { id } = await aDevice(records.db.manager);
    // The zero of time in Go, which agents are written in.
    const observedAt = '0001-01-01T00:00:00Z';
    const seen = { kind: 'last_online', value: 'yes', source: 'agent', observedAt };
    await api.post(`/v1/devices/${id}/observations`).send(seen).expect(201);
    const { body } = await api.get(`/v1/devices/${id}`).expect(200);
    expect(body.observations[0]).toMatchObject({ kind: 'last_online', ageSeconds: 2_147_483_647 });
  });

  it('take no observation that can’t be one', async () => {
    const api = await records.caller();
    const { id } = await aDevice(records.db.manager);
    const see = (body: object) => api.post(`/v1/devices/${id}/observations`).send({ source: 'agent', ...body });
    const now = new Date().toISOString();
    await see({ kind: 'disk_encryption', value: 'probably', observedAt: now }).expect(400);
    await see({ kind: 'mood', value: 'good', observedAt: now }).expect(400);
    await see({ kind: 'os_version', value: '1', observedAt: hoursAgo(-1).toISOString() }).expect(400);
  });

  it('take and ask about no instant of a year that answers don’t tell', async () => {
    const api = await records.caller();
    const { id } = await aDevice(records.db.manager);
    // In UTC it is of the year −1.
    const before = '0000-01-01T00:00:00+01:00';
    const seen = { kind: 'last_online', value: 'yes', source: 'agent', observedAt: before };
    await api.post(`/v1/devices/${id}/observations`).send(seen).expect(400);
    await api.get(`/v1/devices/${id}/encryption`).query({ at: before }).expect(400);
    await api.get('/v1/lost-devices/lead-times').query({ since: before }).expect(400);
  });

  it('refuse what is taken, unknown or changed by somebody else', async () => {
    const api = await records.caller();
    const device = await aDevice(records.db.manager, { assetTag: 'QM-taken' });
    const { id: modelId } = await aDeviceModel(records.db.manager);
    await api.post('/v1/devices').send({ assetTag: 'QM-taken', serial: 'SN-other', modelId }).expect(409);
    await api.post('/v1/devices').send({ assetTag: 'QM-new', serial: 'SN-new', modelId: device.id }).expect(400);
    const image = await anImageVersion(records.db.manager);
    await api
      .post(`/v1/images/${image.imageId}/versions`)
      .send({ version: image.version, releasedAt: '2026-01-01T00:00:00Z' })
      .expect(409);
    const patch = (body: object, etag: string) =>
      api.patch(`/v1/devices/${device.id}`).set('If-Match', etag).send(body);
    await patch({ imageVersionId: image.id }, '"1"').expect(200);
    await patch({ imageVersionId: null }, '"1"').expect(412);
    await patch({ state: 'lost' }, '"2"').expect(400);
    const retired = await patch({ state: 'retired' }, '"2"').expect(200);
    await patch({ state: 'in_stock' }, retired.headers['etag'] ?? '').expect(409);
  });
});
