import { IsNull, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { LossReport } from '../../src/lost-devices/reports/loss-report.entity.js';
import { LossReports } from '../../src/lost-devices/reports/loss-reports.service.js';
import type { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { anAccount } from '../factories/accounts.js';
import { aDevice } from '../factories/devices.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

let service: ServiceApp;
let tx: EntityManager;
let helpdesk: Awaited<ReturnType<ServiceApp['caller']>>;
let toolId: string;
beforeAll(async () => {
  service = await startServiceApp({ env: { RATE_LIMIT_FAILURES: '6' } });
  tx = service.db.manager;
  helpdesk = await service.caller('Grace');
  toolId = (await aTool(tx, { key: 'chat', name: 'Chat' })).id;
});
afterAll(() => service?.close());

async function somebodyWithALaptop(): Promise<{ person: Person; laptop: Device; code: string }> {
  const person = await aPerson(tx);
  await anAccount(tx, { personId: person.id, toolId });
  const laptop = await aDevice(tx, { holderId: person.id });
  const { body } = await helpdesk.post(`/v1/people/${person.id}/report-code`).expect(201);
  return { person, laptop, code: body.code };
}

const sent = (path: string, form: Record<string, string>) => service.stranger.post(path).type('form').send(form);
const lossOf = ({ id }: Device) => tx.findOneBy(Case, { deviceId: id, kind: 'lost_device' });
const waitingOf = (email: string) => tx.findOneByOrFail(LossReport, { email, state: 'waiting' });

describe('whoever lost their laptop, at /lost', () => {
  it('reports it with their code from any telephone, after seeing what will happen, and only once', async () => {
    const { person, laptop, code } = await somebodyWithALaptop();
    const first = await service.stranger.get('/lost').expect(200);
    expect(first.text).toContain('report code');
    const typed = code.toLowerCase().replaceAll('-', ' ');

    const sure = await sent('/lost/code', { code: typed }).expect(200);
    expect(sure.text).toContain(person.displayName);
    expect(sure.text).toContain(laptop.assetTag);
    expect(sure.text).toContain('Chat');
    expect(await lossOf(laptop)).toBeNull();

    await sent('/lost/confirm', { code: typed, deviceId: laptop.id, words: 'In the train.' }).expect(200);
    const loss = await lossOf(laptop);
    expect(loss).toMatchObject({ personId: person.id, scope: 'person' });
    expect(loss?.facts).toMatchObject({ note: expect.stringMatching(/with their report code\. In the train\./) });
    expect(await tx.findOneByOrFail(Device, { id: laptop.id })).toMatchObject({ state: 'lost' });
    await sent('/lost/confirm', { code: typed, deviceId: laptop.id }).expect(403);
    expect(service.log()).not.toContain(code);
  });

  it('opens with a code nothing but one’s own, and an older code opens nothing', async () => {
    const [mine, other] = [await somebodyWithALaptop(), await somebodyWithALaptop()];
    await sent('/lost/confirm', { code: mine.code, deviceId: other.laptop.id }).expect(409);
    expect(await lossOf(other.laptop)).toBeNull();
    const { body: newer } = await helpdesk.post(`/v1/people/${mine.person.id}/report-code`).expect(201);
    await sent('/lost/code', { code: mine.code }).expect(403);
    await sent('/lost/code', { code: newer.code }).expect(200);
    await tx.update('people', { id: mine.person.id }, { status: 'left' });
    await sent('/lost/code', { code: newer.code }).expect(403);
    await helpdesk.post(`/v1/people/${mine.person.id}/report-code`).expect(409);
  });

  it('without a code is called back: nothing is cut before somebody of IT confirms who it is', async () => {
    const { person, laptop } = await somebodyWithALaptop();
    const email = person.corporateEmail;
    const form = { email: email.toUpperCase(), assetTag: laptop.assetTag, phone: '+49 30 1234', words: '' };
    await sent('/lost/report', form).expect(200);
    await sent('/lost/report', { ...form, words: 'It was in a bag.' }).expect(200);
    const report = await waitingOf(email);
    expect(report).toMatchObject({ times: 2, phone: '+49 30 1234' });
    expect(report.words).toMatch(/^Said again from \S+: It was in a bag\.$/);
    const alert = await tx.findOneByOrFail(Alert, { dedupKey: `loss_reported:${report.id}` });
    expect(alert).toMatchObject({ severity: 'critical', resolvedAt: null });
    expect(alert.message).toContain(`quartermaster loss-reports confirm ${report.id}`);
    expect(alert.message).toContain(`/app/lost-laptop?report=${report.id}`);
    const shown = await helpdesk.get(`/v1/loss-reports/${report.id}`).expect(200);
    expect(shown.body).toMatchObject({ email, assetTag: laptop.assetTag, times: 2, state: 'waiting', caseId: null });
    expect(await lossOf(laptop)).toBeNull();

    const confirm = () =>
      helpdesk
        .post(`/v1/loss-reports/${report.id}/confirm`)
        .send({ how: 'called_back', note: 'On her desk’s number.' });
    const { body } = await confirm().expect(202);
    expect(await lossOf(laptop)).toMatchObject({ id: body.caseId, personId: person.id });
    expect(await tx.findOneByOrFail(LossReport, { id: report.id })).toMatchObject({
      state: 'confirmed',
      confirmedHow: 'called_back',
      decidedBy: 'Grace',
      phone: null,
    });
    expect(await tx.findOneByOrFail(Alert, { id: alert.id })).toMatchObject({ resolvedAt: expect.any(Date) });
    expect(await tx.findBy(AuditEntry, { subjectId: report.id })).toHaveLength(3);
    await confirm().expect(409);
    await helpdesk.get(`/v1/loss-reports/${laptop.id}`).expect(404);
  });

  it('can’t have a colleague cut off: a laptop in somebody else’s name is confirmed only by naming it', async () => {
    const [mallory, colleague] = [await somebodyWithALaptop(), await somebodyWithALaptop()];
    const email = mallory.person.corporateEmail;
    await sent('/lost/report', { email, assetTag: colleague.laptop.assetTag }).expect(200);
    const path = `/v1/loss-reports/${(await waitingOf(email)).id}/confirm`;
    const word = { how: 'in_person', note: 'It is really Mallory.' };
    const { body } = await helpdesk.post(path).send(word).expect(409);
    expect(body.detail).toContain(`not a laptop in the name of ${email}`);
    expect(await lossOf(colleague.laptop)).toBeNull();
    await helpdesk
      .post(path)
      .send({ ...word, deviceId: mallory.laptop.id })
      .expect(202);
    expect(await lossOf(mallory.laptop)).toMatchObject({ personId: mallory.person.id });
    expect(await lossOf(colleague.laptop)).toBeNull();
  });

  it('is not told whose address it is, and is dismissed when it is nobody’s', async () => {
    const known = await somebodyWithALaptop();
    const answers = await Promise.all(
      [known.person.corporateEmail, 'nobody@elsewhere.example'].map((email) => sent('/lost/report', { email })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.text).toBe(answers[1]?.text);
    const { id } = await waitingOf('nobody@elsewhere.example');
    await helpdesk.post(`/v1/loss-reports/${id}/confirm`).send({ how: 'vouched', note: 'No device.' }).expect(400);
    await helpdesk.post(`/v1/loss-reports/${id}/dismiss`).send({ reason: 'Nobody of ours.' }).expect(204);
    const { body } = await helpdesk.get('/v1/loss-reports').query({ state: 'dismissed' }).expect(200);
    expect(body.items).toMatchObject([{ id, state: 'dismissed', reason: 'Nobody of ours.' }]);
    await sent('/lost/report', { email: 'not an address' }).expect(400);
  });

  it('can’t flood whoever is on call from one network', async () => {
    const before = await tx.countBy(LossReport, { state: 'waiting' });
    for (let sentSoFar = before; sentSoFar < 5; sentSoFar += 1) {
      await sent('/lost/report', { email: `flood-${sentSoFar}@example.com` }).expect(200);
    }
    await sent('/lost/report', { email: 'one-more@example.com' }).expect(429);
    // Said again, a report that waits is the same one.
    await sent('/lost/report', { email: 'flood-4@example.com' }).expect(200);
  });

  describe('when many are said', () => {
    let reports: LossReports;
    beforeAll(async () => {
      reports = service.app.get(LossReports);
      for (const { id } of await tx.findBy(LossReport, { state: 'waiting' })) {
        await reports.dismiss(SYSTEM, id, 'Of the tests before.');
      }
    });
    const told = (email: string, more: object, address: string) =>
      reports.tell({ email, ...more }, { via: 'rest', address });
    const pages = async () => (await tx.findBy(Alert, { kind: 'loss_reported', resolvedAt: IsNull() })).length;

    it('nobody else can change what was said first: it stands, and what is new stands behind it', async () => {
      const email = 'ada@acme.example';
      await told(email, { assetTag: 'QM-1', phone: '+49 30 1', words: 'In the train.' }, '192.0.2.1');
      await told(email, { assetTag: 'QM-2', phone: '+49 30 2', words: 'Call me there.' }, '203.0.113.9');
      expect(await waitingOf(email)).toMatchObject({
        assetTag: 'QM-1',
        phone: '+49 30 1, or +49 30 2',
        words: 'In the train.\nSaid again from 203.0.113.9: laptop: QM-2; Call me there.',
        fromAddress: '192.0.2.1',
      });
      for (let said = 2; said < 25; said += 1) await told(email, { words: `And ${said}.` }, '203.0.113.9');
      const { id, times } = await waitingOf(email);
      expect(times).toBe(20);
      expect(await tx.countBy(AuditEntry, { subjectId: id })).toBe(20);
    });

    it('all addresses of one line are one network', async () => {
      const answers = [];
      for (let host = 1; host <= 6; host += 1) {
        answers.push(await told(`line-${host}@acme.example`, {}, `2001:db8:1:2::${host}`));
      }
      expect(answers).toEqual([true, true, true, true, true, false]);
      expect(await told('neighbour@acme.example', {}, '2001:db8:1:3::1')).toBe(true);
    });

    it('on-call is paged for the first ten, and for all beyond them once, until the last of those is decided', async () => {
      const waiting = await tx.countBy(LossReport, { state: 'waiting' });
      for (let host = waiting; host < 13; host += 1) {
        expect(await told(`many-${host}@acme.example`, {}, `198.51.100.${host}`)).toBe(true);
      }
      expect(await pages()).toBe(11);
      const together = () => tx.findOneByOrFail(Alert, { dedupKey: 'loss_reported:many' });
      expect(await together()).toMatchObject({ severity: 'critical', message: expect.stringMatching(/^13 reports /) });
      for (const host of [10, 11]) {
        await reports.dismiss(SYSTEM, (await waitingOf(`many-${host}@acme.example`)).id, 'Made up.');
      }
      expect(await together()).toMatchObject({ resolvedAt: null });
      await reports.dismiss(SYSTEM, (await waitingOf('many-12@acme.example')).id, 'Made up.');
      expect(await together()).toMatchObject({ resolvedAt: expect.any(Date) });
      expect(await pages()).toBe(10);
    });
  });

  it('is slowed down after many wrong codes, and a right one goes through all the same', async () => {
    const { code } = await somebodyWithALaptop();
    const tries: number[] = [];
    while (tries.length < 8) tries.push((await sent('/lost/code', { code: '0000-0000-0000-0000' })).status);
    expect(tries.at(-1)).toBe(429);
    await sent('/lost/code', { code }).expect(200);
  });
});
