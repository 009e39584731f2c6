import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDevice } from '../../../test/factories/devices.js';
import { aUser } from '../../../test/factories/identities.js';
import { aPerson } from '../../../test/factories/people.js';
import { startRecordsApp, type RecordsApp } from '../../../test/factories/records-app.js';
import type { Person } from '../../people/person.entity.js';
import { AuditEntry } from '../../platform/audit/audit-entry.entity.js';
import { DeviceAcknowledgement } from './device-acknowledgement.entity.js';

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;

beforeAll(async () => {
  records = await startRecordsApp();
  api = await records.caller();
});
afterAll(() => records?.close());

async function given(): Promise<{ person: Person; deviceId: string; id: string }> {
  const person = await aPerson(records.db.manager);
  const { id: deviceId } = await aDevice(records.db.manager);
  await api.post(`/v1/devices/${deviceId}/assign`).send({ personId: person.id }).expect(200);
  const { body } = await api.get('/v1/acknowledgements').query({ deviceId, signed: 'false' }).expect(200);
  expect(body.items).toMatchObject([{ personId: person.id, signedAt: null, signedHow: null, voidAt: null }]);
  return { person, deviceId, id: body.items[0].id as string };
}

const rowOf = (id: string) => records.db.manager.findOneByOrFail(DeviceAcknowledgement, { id });
async function linkTo(id: string): Promise<string> {
  const { body } = await api.post(`/v1/acknowledgements/${id}/link`).expect(201);
  return new URL(body.url as string).pathname;
}
const entriesOf = (deviceId: string) =>
  records.db.manager.find(AuditEntry, { where: { subjectId: deviceId, action: 'device.acknowledged' } });

describe('whoever is given a device', () => {
  it('signs by a link: once, after reading it, and with the time, the text and the network on record', async () => {
    const { deviceId, id, person } = await given();
    const replaced = await linkTo(id);
    const link = await linkTo(id);
    await records.stranger.get(replaced).expect(410);
    const page = await records.stranger.get(link).expect(200);
    expect(page.text).toContain(person.displayName);
    expect(page.text).toContain('It belongs to the company');
    expect((await rowOf(id)).signedAt).toBeNull();

    const done = await records.stranger.post(link).expect(200);
    expect(done.text).toMatch(/at <code>[^<]+\/lost<\/code> with this code:<\/p>\s*<p><code>(\w{4}-){3}\w{4}<\/code>/);

    const signed = await rowOf(id);
    expect(signed).toMatchObject({ signedHow: 'link', signedBy: 'Holder of the one-time link', linkHash: null });
    expect(signed.signedFrom).toMatch(/127\.0\.0\.1|::1/);
    expect(await entriesOf(deviceId)).toMatchObject([
      { facts: { acknowledgementId: id, textSha256: signed.textSha256, how: 'link' } },
    ]);
    await records.stranger.post(link).expect(410);
    expect(await entriesOf(deviceId)).toHaveLength(1);
    expect(records.log()).not.toContain(link.split('/').at(-1));
    await api.post(`/v1/acknowledgements/${id}/link`).expect(409);
  });

  it('signs while signed in, for their own device and no other', async () => {
    const { id, person, deviceId } = await given();
    const [self, other] = [
      await aUser(records.app, 'viewer', { personId: person.id, name: 'Ada' }),
      await aUser(records.app, 'owner', { personId: (await aPerson(records.db.manager)).id }),
    ];
    await other.agent.post(`/v1/acknowledgements/${id}/sign`).expect(403);
    await api.post(`/v1/acknowledgements/${id}/sign`).expect(403);
    const { body } = await self.agent.post(`/v1/acknowledgements/${id}/sign`).expect(200);
    expect(body).toMatchObject({ signedBy: 'Ada', signedHow: 'signed_in', signedAt: expect.any(String) });
    expect(await entriesOf(deviceId)).toMatchObject([{ actorId: self.principal }]);
    await self.agent.post(`/v1/acknowledgements/${id}/sign`).expect(409);
  });

  it('signs what they were asked to sign, whatever is asked for since', async () => {
    const before = await given();
    const { body: old } = await api.get('/v1/acknowledgement-text').expect(200);
    const text = 'I keep this laptop as if it were my own, and better.';
    const { body: now } = await api.put('/v1/acknowledgement-text').send({ text }).expect(200);
    const after = await given();
    expect([(await rowOf(before.id)).textSha256, (await rowOf(after.id)).textSha256]).toEqual([old.sha256, now.sha256]);
    expect((await records.stranger.get(await linkTo(before.id)).expect(200)).text).not.toContain(text);
    expect((await records.stranger.get(await linkTo(after.id)).expect(200)).text).toContain(text);
    await api.put('/v1/acknowledgement-text').send({ text: old.text }).expect(200);
    expect((await api.get('/v1/acknowledgement-text').expect(200)).body.sha256).toBe(old.sha256);
  });

  it('needs not sign for what went back, and nobody changes what was signed', async () => {
    const { id, deviceId } = await given();
    const link = await linkTo(id);
    await api.post(`/v1/devices/${deviceId}/return`).expect(200);
    await records.stranger.post(link).expect(410);
    expect((await rowOf(id)).voidAt).not.toBeNull();
    const signed = await given();
    await records.stranger.post(await linkTo(signed.id)).expect(200);
    for (const act of [
      () => records.db.manager.update(DeviceAcknowledgement, { id: signed.id }, { signedBy: 'Grace' }),
      () => records.db.manager.delete(DeviceAcknowledgement, { id: signed.id }),
    ]) {
      await expect(act()).rejects.toThrow('stays as it was signed');
    }
    const list = await api.get('/v1/acknowledgements').query({ deviceId: signed.deviceId, signed: 'true' }).expect(200);
    expect(list.body.items).toMatchObject([{ id: signed.id }]);
  });
});
