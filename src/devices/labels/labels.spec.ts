import { decodeQR } from 'qr/decode.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice, aDeviceModel, aSite } from '../../../test/factories/devices.js';
import { aPerson } from '../../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../../test/factories/records-app.js';
import { Config } from '../../platform/config/config.js';
import { SCOPES, SYSTEM } from '../../platform/sign-in/actor.js';
import { DeviceLabels } from './device-labels.service.js';
import { labelSheet } from './label.js';

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;

beforeAll(async () => {
  records = await startRecordsApp();
  api = await records.caller();
});
afterAll(() => records?.close());

/** What a camera reads off the label: its dark modules, painted. */
function scan(svg: string): string {
  const [, scale = '', path = ''] = /scale\(([\d.]+)\)" d="([^"]+)"/.exec(svg) ?? [];
  const side = Math.round(25 / Number(scale));
  const zoom = 4;
  const width = side * zoom;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const [, x = '', y = ''] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let dy = 0; dy < zoom; dy += 1) {
      for (let dx = 0; dx < zoom; dx += 1) {
        const at = ((Number(y) * zoom + dy) * width + Number(x) * zoom + dx) * 4;
        data.fill(0, at, at + 3);
      }
    }
  }
  return decodeQR({ width, height: width, data });
}

async function svgOf(path: string, caller = api): Promise<string> {
  const { body, headers } = await caller.get(path).buffer(true).expect(200);
  expect(headers['content-type']).toContain('image/svg+xml');
  return Buffer.from(body as Uint8Array).toString('utf8');
}

describe('a device’s label', () => {
  it('shows its tag, model and serial number, and its code leads to it', async () => {
    const model = await aDeviceModel(records.db.manager, { name: 'Laptop <14> & more' });
    const device = await aDevice(records.db.manager, { assetTag: 'QM 12/7', modelId: model.id });
    const svg = await svgOf(`/v1/devices/${device.id}/label`);
    for (const text of ['QM 12/7', device.serial, 'Laptop &#60;14&#62; &#38; more']) expect(svg).toContain(`>${text}<`);
    const { publicUrl } = records.app.get(Config);
    const url = scan(svg);
    expect(url).toBe(`${publicUrl}/d/QM%2012%2F7`);
    const led = await api.get(new URL(url).pathname).redirects(0).expect(303);
    expect(led.headers['location']).toBe(`/v1/devices/${device.id}`);
    await records.stranger.get(new URL(url).pathname).expect(401);
    await api.get('/d/nowhere').expect(404);
  });

  it('leaves out the serial number for who may not see it', async () => {
    const device = await aDevice(records.db.manager);
    const svg = await svgOf(`/v1/devices/${device.id}/label`, await records.caller('devices:read'));
    expect(svg).toContain(device.assetTag);
    expect(svg).not.toContain(device.serial);
  });

  it('comes on a sheet with others, and a tag that isn’t there is named', async () => {
    const site = await aSite(records.db.manager);
    const [one, other] = [
      await aDevice(records.db.manager, { siteId: site.id }),
      await aDevice(records.db.manager, { siteId: site.id }),
    ];
    const labels = records.app.get(DeviceLabels);
    const actor = { ...SYSTEM, scopes: SCOPES };
    const sheet = labelSheet(await labels.ofMany(records.db.manager, actor, { site: site.name }));
    expect([sheet.match(/<svg/g)?.length, sheet.includes(one.assetTag), sheet.includes(other.assetTag)]).toEqual([
      2,
      true,
      true,
    ]);
    const wrong = { assetTags: [one.assetTag, 'QM-none'] };
    await expect(labels.ofMany(records.db.manager, actor, wrong)).rejects.toThrow('QM-none');
  });
});

describe('a return’s label', () => {
  it('says where the parcel goes, once its site has an address', async () => {
    const site = await aSite(records.db.manager, { name: 'Berlin office' });
    const holder = await aPerson(records.db.manager);
    const device = await aDevice(records.db.manager, { holderId: holder.id, siteId: site.id });
    const { body } = await api.post('/v1/returns').send({ deviceId: device.id }).expect(201);
    await api.get(`/v1/returns/${body.id}/label`).expect(409);
    const put = { zone: site.zone, address: 'Acme, IT\nExample Street 1\n10115 Berlin' };
    await api.put('/v1/sites/Berlin office').send(put).expect(200);
    const svg = await svgOf(`/v1/returns/${body.id}/label`);
    for (const line of ['Berlin office', 'Acme, IT', '10115 Berlin', device.assetTag])
      expect(svg).toContain(`>${line}<`);
  });
});
