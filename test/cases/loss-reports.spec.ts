import { IsNull, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { Case } from '../../src/cases/case.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import { LossReport } from '../../src/lost-devices/reports/loss-report.entity.js';
import { EraseLossReports } from '../../src/lost-devices/reports/erase-loss-reports.service.js';
import { LossReports } from '../../src/lost-devices/reports/loss-reports.service.js';
import type { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { LogKey } from '../../src/platform/audit/log-key.service.js';
import { proveEntries } from '../../src/platform/audit/prove-entry.js';
import { Sealer } from '../../src/platform/audit/sealer.service.js';
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

  describe('tells of themselves', () => {
    const WORDS = 'It was in a bag with my diary.';
    /** Told, and decided so many days ago. */
    async function decided(days: number, how: 'confirmed' | 'dismissed') {
      const { person, laptop } = await somebodyWithALaptop();
      const { corporateEmail: email } = person;
      const form = { email, assetTag: laptop.assetTag, phone: '+49 30 1234', words: WORDS };
      await sent('/lost/report', form).expect(200);
      const { id } = await waitingOf(email);
      const path = `/v1/loss-reports/${id}`;
      if (how === 'confirmed') {
        await helpdesk.post(`${path}/confirm`).send({ how: 'called_back', note: 'Her mother answered.' }).expect(202);
      } else {
        await helpdesk.post(`${path}/dismiss`).send({ reason: 'Her mother answered.' }).expect(204);
      }
      await tx.query(`UPDATE loss_reports SET decided_at = now() - make_interval(days => $2) WHERE id = $1`, [
        id,
        days,
      ]);
      return { id, email, laptop, shown: async () => (await helpdesk.get(path).expect(200)).body };
    }
    const erase = () => service.app.get(EraseLossReports).eraseDue();
    const alertOf = async (id: string) =>
      (await tx.findOneByOrFail(Alert, { dedupKey: `loss_reported:${id}` })).message;
    /** What the audit log says in the clear of it: of whoever told it, and of whoever decided. */
    const said = async (id: string): Promise<string[]> => {
      const rows = await tx.query<{ said: string }[]>(
        `SELECT e.action || ' ' || f.name AS said FROM audit_personal_fields f JOIN audit_entries e ON e.id = f.entry_id
         WHERE e.subject_id = $1 ORDER BY 1`,
        [id],
      );
      return rows.map((row) => row.said);
    };

    it('is erased half a year after it was decided, with what was written in deciding; the decision stays', async () => {
      const old = await decided(181, 'confirmed');
      const before = await old.shown();
      expect(before).toMatchObject({ email: old.email, words: WORDS, reason: 'Her mother answered.', erasedAt: null });
      expect(await alertOf(old.id)).toContain(old.email);
      expect(await said(old.id)).toEqual([
        'loss-report.confirmed address',
        'loss-report.confirmed onBehalfOf',
        'loss-report.confirmed reason',
        'loss-report.told address',
        'loss-report.told email',
      ]);

      expect(await erase()).toBe(1);
      expect(await old.shown()).toEqual({
        ...before,
        email: '',
        words: null,
        fromAddress: null,
        reason: null,
        erasedAt: expect.any(String),
      });
      expect(before).toMatchObject({ state: 'confirmed', assetTag: old.laptop.assetTag, decidedBy: 'Grace' });
      expect(await alertOf(old.id)).toBe('Somebody said that they lost a laptop. What they told was erased.');
      expect(await said(old.id)).toEqual(['loss-report.confirmed address', 'loss-report.confirmed onBehalfOf']);
      expect(await tx.countBy(AuditEntry, { subjectId: old.id, action: 'loss-report.erased' })).toBe(1);
      expect(await erase()).toBe(0);
    });

    it('stays until then, and while nobody decided', async () => {
      const young = await decided(179, 'dismissed');
      await sent('/lost/report', { email: 'still.waits@acme.example', words: WORDS }).expect(200);
      const { id } = await waitingOf('still.waits@acme.example');
      await tx.query(`UPDATE loss_reports SET reported_at = now() - interval '2 years' WHERE id = $1`, [id]);
      expect(await erase()).toBe(0);
      expect(await young.shown()).toMatchObject({ email: young.email, words: WORDS, erasedAt: null });
      expect(await waitingOf('still.waits@acme.example')).toMatchObject({ words: WORDS });
      await helpdesk.post(`/v1/loss-reports/${id}/dismiss`).send({ reason: 'It was found.' }).expect(204);
    });

    it('keeps of a number on a label what is one of ours, and nothing else that was typed there', async () => {
      const { id, shown } = await decided(181, 'dismissed');
      await tx.update(LossReport, { id }, { assetTag: 'the one of Ada Lovelace' });
      expect(await erase()).toBe(1);
      expect(await shown()).toMatchObject({ state: 'dismissed', assetTag: null });
    });

    it('leaves every proof of the audit log as it was', async () => {
      const { id } = await decided(181, 'confirmed');
      await service.db.transaction((inner) => service.app.get(LogKey).make(inner, 'records.acme.example'));
      await service.app.get(Sealer).seal();
      const prove = () => proveEntries(service.db, 'subject_id = $1', id);
      const before = await prove();
      expect([before.entries.length, before.unsealed]).toEqual([2, []]);
      expect(await erase()).toBe(1);
      await service.app.get(Sealer).seal();
      const after = await prove();
      expect(after.entries.map(({ entry }) => entry).slice(0, 2)).toEqual(before.entries.map(({ entry }) => entry));
      expect([after.entries.length, after.unsealed]).toEqual([3, []]);
    });
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
