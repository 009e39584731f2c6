import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice, aDeviceModel, aSite } from '../../../test/factories/devices.js';
import { startRecordsApp, type RecordsApp } from '../../../test/factories/records-app.js';
import { AuditEntry } from '../../platform/audit/audit-entry.entity.js';
import { newId } from '../../platform/ids/new-id.js';
import { Device } from '../device.entity.js';

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;
let model: string;
let site: string;

beforeAll(async () => {
  records = await startRecordsApp();
  api = await records.caller();
  model = (await aDeviceModel(records.db.manager)).name;
  site = (await aSite(records.db.manager)).name;
});
afterAll(() => records?.close());

const preview = (...rows: string[]) =>
  api
    .post('/v1/devices/imports')
    .set('Content-Type', 'text/csv; charset=utf-8')
    .send(['asset_tag,serial,model,site,purchased_on', ...rows].join('\n'));
const apply = (id: string) => api.post(`/v1/devices/imports/${id}/apply`);
const count = () => records.db.manager.count(Device);

/** A row of a device that there isn't. */
function row(with_: { tag?: string; serial?: string } = {}): string {
  const { tag = `QM-${newId()}`, serial = `SN-${newId()}` } = with_;
  return `${tag},${serial},${model},${site},2026-01-31`;
}

describe('an import of devices', () => {
  it('shows what it would do and does nothing, then does all of it, once', async () => {
    const known = await aDevice(records.db.manager);
    const before = await count();
    const serial = `SN-${newId()}`;
    const { body } = await preview(row({ serial }), row({ tag: known.assetTag, serial: known.serial })).expect(201);
    expect(body).toMatchObject({ counts: { create: 1, change: 1, unchanged: 0, error: 0 }, appliedAt: null });
    expect(body.lines).toMatchObject([
      { line: 2, outcome: 'create', deviceId: null },
      { line: 3, outcome: 'change', deviceId: known.id },
    ]);
    expect(await count()).toBe(before);

    expect((await apply(body.id).expect(200)).body).toMatchObject({ appliedBy: 'test', appliedAt: expect.any(String) });

    expect(await count()).toBe(before + 1);
    const made = await records.db.manager.findOneByOrFail(Device, { serial });
    expect(made).toMatchObject({ state: 'in_stock', purchasedOn: '2026-01-31' });
    expect(await records.db.manager.findOneByOrFail(Device, { id: known.id })).toMatchObject({ siteId: made.siteId });
    const entries = await records.db.manager.findBy(AuditEntry, { subjectId: body.id });
    expect(entries.map(({ action }) => action).toSorted()).toEqual([
      'device-import.applied',
      'device-import.previewed',
    ]);
    expect((await apply(body.id).expect(409)).body.detail).toContain('before');
    expect(await count()).toBe(before + 1);
  });

  it('with an error in one line does nothing of the others', async () => {
    const before = await count();
    const { body } = await preview(row(), `QM-x,,${model},${site},`, row()).expect(201);
    expect(body.counts).toEqual({ create: 2, change: 0, unchanged: 0, error: 1 });
    expect((await apply(body.id).expect(409)).body.detail).toContain('Line 3');
    expect(await count()).toBe(before);
  });

  it('is refused when anything changed since it was shown, and leaves nothing half done', async () => {
    const known = await aDevice(records.db.manager);
    const taken = `QM-${newId()}`;
    const shown = await preview(row(), row({ tag: taken }), row({ tag: known.assetTag, serial: known.serial })).expect(
      201,
    );
    const { body: other } = await preview(row({ tag: known.assetTag, serial: known.serial })).expect(201);
    await aDevice(records.db.manager, { assetTag: taken });
    await api.patch(`/v1/devices/${known.id}`).set('If-Match', '"1"').send({ working: false }).expect(200);
    const before = await count();
    for (const { id } of [shown.body, other]) {
      expect((await apply(id as string).expect(409)).body.detail).toContain('Something changed');
    }
    expect(await count()).toBe(before);
  });

  it('takes files only, of a size that somebody can look through, from who may change all devices', async () => {
    await api.post('/v1/devices/imports').send({ csv: 'no' }).expect(400);
    await preview(row(), 'x'.repeat(1024 * 1024)).expect(413);
    await (await records.caller('devices:read')).post('/v1/devices/imports').expect(403);
    await apply(newId()).expect(404);
  });
});
