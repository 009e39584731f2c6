import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { LossReport } from '../../src/lost-devices/reports/loss-report.entity.js';
import type { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
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
    expect(report).toMatchObject({ times: 2, words: 'It was in a bag.', phone: '+49 30 1234' });
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

  it('is slowed down after many wrong codes, and a right one goes through all the same', async () => {
    const { code } = await somebodyWithALaptop();
    const tries: number[] = [];
    while (tries.length < 8) tries.push((await sent('/lost/code', { code: '0000-0000-0000-0000' })).status);
    expect(tries.at(-1)).toBe(429);
    await sent('/lost/code', { code }).expect(200);
  });
});
