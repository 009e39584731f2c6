import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Account } from '../../src/accounts/account.entity.js';
import { CredentialsService } from '../../src/accounts/credentials.service.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { Settlement } from '../../src/cases/engine/settle.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { Device } from '../../src/devices/device.entity.js';
import type { DiskReport } from '../../src/devices/encryption/judge-report.js';
import { ObservationsService } from '../../src/devices/observations.service.js';
import { WatchLosses } from '../../src/lost-devices/watch-losses.service.js';
import { readDisks } from '../../src/osquery/read-disks.js';
import { readRows } from '../../src/osquery/read-rows.js';
import type { Person } from '../../src/people/person.entity.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { AuditPersonalField } from '../../src/platform/audit/audit-personal-field.entity.js';
import { anAccount } from '../factories/accounts.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import { aUser } from '../factories/identities.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';
import { FLEET_LINUX, PROTECTED_BITLOCKER } from '../osquery/payloads.js';

const TEXT = readFileSync(new URL('../../docs/runbooks/laptop-lost.yaml', import.meta.url), 'utf8');
const HOUR = 3_600_000;

let service: ServiceApp;
let tx: EntityManager;
type Caller = Awaited<ReturnType<ServiceApp['caller']>>;

let admin: Caller;
let linus: Caller;
let chat: string;
beforeAll(async () => {
  const identityFile = join(await mkdtemp(join(inject('runFolder'), 'loss-')), 'identity');
  const recipient = await makeAgeIdentity(identityFile);
  const recoveryRing = new RecoveryRing([recipient], await loadAgeIdentities(identityFile));
  service = await startServiceApp({ recoveryRing });
  await liftBrakeLimits(service.app);
  tx = service.db.manager;
  admin = (await aUser(service.app, 'owner', { name: 'Grace' })).agent;
  linus = (await aUser(service.app, 'security', { name: 'Linus' })).agent;
  chat = (await aTool(tx, { key: 'chat', connector: 'scim' })).id;
  await admin.put('/v1/runbooks/laptop-lost').send({ text: TEXT, source: 'laptop-lost.yaml' }).expect(200);
});
afterAll(() => service?.close());

interface Lost {
  caseId: string;
  person: Person;
  laptop: Device;
}

async function reported(laptop: Device, scope: 'person' | 'device'): Promise<{ caseId: string; again: boolean }> {
  return (await admin.post('/v1/lost-devices').send({ deviceId: laptop.id, scope }).expect(202)).body;
}

async function becomes(laptop: Device, state: string): Promise<void> {
  const { headers } = await admin.get(`/v1/devices/${laptop.id}`).expect(200);
  const change = admin.patch(`/v1/devices/${laptop.id}`).set('If-Match', headers['etag'] ?? '');
  await change.send({ state }).expect(200);
}

/** Somebody with an account whose laptop is lost, an hour after it was seen encrypted in this way. */
async function aLoss({
  disk = 'encrypted',
  protectors = ['tpm_pin'],
  report,
  before = async () => undefined,
}: {
  disk?: string;
  protectors?: string[];
  report?: DiskReport;
  before?: (laptop: Device) => Promise<void>;
} = {}): Promise<Lost> {
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, startAppliedAt: new Date() });
  await anAccount(tx, { personId: person.id, toolId: chat });
  const laptop = await aDevice(tx, { holderId: person.id });
  const observedAt = new Date(Date.now() - HOUR);
  if (report) {
    const seen = { kind: 'disk_encryption', source: 'agent', observedAt, report } as const;
    await service.app.get(ObservationsService).takeIn(tx, laptop.id, [seen]);
  } else await observed(laptop, { value: disk, details: { protectors }, observedAt });
  await before(laptop);
  const { body } = await admin.post('/v1/lost-devices').send({ deviceId: laptop.id }).expect(202);
  return { caseId: body.caseId, person, laptop };
}

async function observed(
  laptop: Device,
  { observedAt, ...what }: { value: string; details?: object; observedAt: Date },
): Promise<void> {
  await admin
    .post(`/v1/devices/${laptop.id}/observations`)
    .send({ kind: 'disk_encryption', source: 'agent', observedAt: observedAt.toISOString(), ...what })
    .expect(201);
}

/** @returns its id */
async function keptKey({ id }: Device): Promise<string> {
  const key = { key: '470547-480865-118294', protects: 'bitlocker', source: 'a bench' };
  return (await admin.post(`/v1/devices/${id}/recovery-keys`).send(key).expect(201)).body.id;
}

async function readKey({ id }: Device, keyId: string): Promise<void> {
  const reveal = admin.post(`/v1/devices/${id}/recovery-keys/${keyId}/reveal`);
  await reveal.send({ reason: 'A forgotten password.' }).expect(200);
}

type LossCase = Pick<Lost, 'caseId'>;
const path = ({ caseId }: LossCase, rest = '') => `/v1/lost-devices/${caseId}${rest}`;
const lossOf = async (lost: LossCase) => (await admin.get(path(lost)).expect(200)).body;
const contain = (lost: LossCase, decision: string) =>
  admin.post(path(lost, '/containment')).send({ decision, reason: 'As the runbook says.' });
async function wiped(lost: LossCase): Promise<void> {
  const { body } = await contain(lost, 'wipe').expect(200);
  await linus.post(`/v1/approvals/${body.approval.id}/approve`).send({}).expect(200);
}
const saw = (lost: LossCase, id: string, state: string) =>
  admin.post(path(lost, `/commands/${id}/progress`)).send({ state, note: 'Seen at the device manager.' });
const taskOf = async (lost: Lost, name: string) =>
  (await lossOf(lost)).tasks.find(({ task }: { task: string }) => task === name);
const look = () => service.app.get(WatchLosses).look();
const openAlerts = async (kind: string, { caseId }: Lost) =>
  (await tx.findBy(Alert, { kind })).filter(({ message, resolvedAt }) => message.includes(caseId) && !resolvedAt);

describe('the runbook of a loss', () => {
  it('starts with the report: its tasks with owners and times, the facts frozen, and a proposal with its reasons', async () => {
    const lost = await aLoss();
    const loss = await lossOf(lost);
    expect(loss.tasks.map(({ task }: { task: string }) => task)).toContain('contain');
    expect(loss.tasks[0]).toMatchObject({ task: 'freeze', doneBy: 'Quartermaster', doneAt: expect.any(String) });
    expect(Date.parse(loss.tasks.at(-1).dueAt) - Date.parse(loss.awareAt)).toBe(30 * 24 * HOUR);
    expect(loss.proposal).toMatchObject({ propose: 'lock', row: null });
    expect(loss.worksheet.encryption.shown).toBe('yes');
    expect(loss.worksheet.reachable).toMatchObject([
      { observed: 'active', liveSessions: null, cut: expect.stringContaining('not shown') },
    ]);
  });

  it('says of a cut that no tool showed on whose word it is', async () => {
    const { id: toolId } = await aTool(tx, { connector: 'manual' });
    const lost = await aLoss({
      before: async ({ holderId }) => void (await anAccount(tx, { personId: holderId, toolId })),
    });
    const { id } = await tx.findOneByOrFail(Step, { caseId: lost.caseId, toolId });
    await service.db.transaction((inner) => service.app.get(Settlement).giveToHuman(inner, id, 'It has no API.'));
    await linus.post(`/v1/steps/${id}/complete`).send({ note: 'Suspended on its page.' }).expect(200);
    const cuts = (await lossOf(lost)).worksheet.reachable.map(({ cut }: { cut: string }) => cut);
    expect(cuts).toContainEqual(
      expect.stringMatching(/^on the word of Linus, \d+\.\d s after the report; the tool can’t be asked$/),
    );
    expect(cuts).toContain('not shown: the step is ready');
  });

  it('proposes anew when more is learnt of the machine, and keeps who said it', async () => {
    const lost = await aLoss();
    await admin.patch(path(lost)).send({ awake: 'yes', policeReference: 'B-7731' }).expect(204);
    expect(await lossOf(lost)).toMatchObject({
      awake: 'yes',
      policeReference: 'B-7731',
      legalHold: false,
      proposal: { propose: 'wipe' },
    });
    await admin.patch(path(lost)).send({}).expect(400);
  });

  it('goes by what was known at the report, whatever is seen later', async () => {
    const lost = await aLoss({ disk: 'not_encrypted', protectors: [] });
    await observed(lost.laptop, { value: 'encrypted', details: { protectors: ['tpm_pin'] }, observedAt: new Date() });
    expect((await lossOf(lost)).proposal).toMatchObject({ propose: 'wipe', row: 2 });
  });

  const bitLocker = (protector_types: string): DiskReport =>
    readDisks('windows', readRows([{ ...PROTECTED_BITLOCKER, protector_types }]), '5.24.0');
  const [BY_ITSELF, BY_SECRET] = [
    'by itself, when it is switched on (TPM only)',
    'by a PIN or passphrase before it starts',
  ];

  it.each<[string, DiskReport, string, 'lock' | 'wipe']>([
    ['a drive with TPM alone, by osquery', bitLocker(PROTECTED_BITLOCKER.protector_types), BY_ITSELF, 'wipe'],
    ['a drive with TPM and PIN, by osquery', bitLocker('TPM_AND_PIN,NUMERIC_PASSWORD'), BY_SECRET, 'lock'],
    [
      'LUKS, by osquery, which tells nothing of it',
      readDisks('linux', readRows(FLEET_LINUX), '5.24.0'),
      'not known how',
      'wipe',
    ],
    [
      'a Mac with FileVault, by osquery',
      readDisks('macos', readRows([{ path: '/', filevault_status: 'on', name: '/dev/disk1s1' }]), '5.24.0'),
      BY_SECRET,
      'lock',
    ],
    [
      'what Fleet tells, which is one bit',
      { volumes: [{ volume: 'all disks', role: 'system', state: 'encrypted' }] },
      'not known how',
      'wipe',
    ],
    [
      'LUKS with TPM and PIN, by the Linux reporter',
      {
        volumes: [
          { volume: '/', role: 'internal', state: 'encrypted', protectors: ['tpm_pin', 'recovery_key', 'passphrase'] },
        ],
      },
      BY_SECRET,
      'lock',
    ],
  ])('goes by what opens the disk, as it was told: %s', async (_what, report, unlocks, propose) => {
    const { proposal } = await lossOf(await aLoss({ report }));
    expect(proposal.facts).toContain(`unlocks: ${unlocks}`);
    expect(proposal.propose).toBe(propose);
  });

  it('goes by who had read its recovery key, whatever is kept later, and says who read it since', async () => {
    const read = await aLoss({ before: async (laptop) => readKey(laptop, await keptKey(laptop)) });
    await keptKey(read.laptop);
    const { proposal, worksheet } = await lossOf(read);
    expect([proposal.propose, worksheet.encryption.shown]).toEqual(['wipe', 'no']);

    let newest = '';
    const rotated = await aLoss({
      before: async (laptop) => {
        await readKey(laptop, await keptKey(laptop));
        newest = await keptKey(laptop);
      },
    });
    expect(await lossOf(rotated)).toMatchObject({
      proposal: { propose: 'lock' },
      worksheet: { encryption: { shown: 'yes' } },
    });
    await readKey(rotated.laptop, newest);
    const later = await lossOf(rotated);
    expect([later.proposal.propose, later.worksheet.encryption.shown]).toEqual(['wipe', 'unknown']);
    expect(later.worksheet.unknowns).toContainEqual(expect.stringContaining('read after the report, once'));
  });

  it('that is replaced affects later losses only', async () => {
    const lost = await aLoss();
    const stricter = TEXT.replace('freshFor: 7 d', 'freshFor: 30 min');
    await admin.put('/v1/runbooks/laptop-lost').send({ text: stricter, source: 'stricter.yaml' }).expect(200);
    const later = await aLoss();
    await admin.put('/v1/runbooks/laptop-lost').send({ text: TEXT, source: 'laptop-lost.yaml' }).expect(200);
    expect((await lossOf(lost)).proposal.propose).toBe('lock');
    expect((await lossOf(later)).proposal.propose).toBe('wipe');
  });

  it('never stops a report, however long it waits for something', async () => {
    const longest = TEXT.replaceAll('within: 30 d', 'within: 3650 d');
    await admin.put('/v1/runbooks/laptop-lost').send({ text: longest, source: 'longest.yaml' }).expect(200);
    expect((await lossOf(await aLoss())).tasks).not.toEqual([]);
    // One that was activated before there was a longest time.
    await tx.query(
      `UPDATE runbook_versions SET activated_at = now(),
         document = replace(document::text, '"3650 d"', '"99999 d"')::jsonb WHERE active`,
    );
    const lost = await aLoss();
    const { watchUntil, tasks } = await lossOf(lost);
    expect(Date.parse(watchUntil)).toBeGreaterThan(Date.now() + 99_998 * 24 * HOUR);
    expect(tasks.at(-1).dueAt).toBe(watchUntil);
    await admin.put('/v1/runbooks/laptop-lost').send({ text: TEXT, source: 'laptop-lost.yaml' }).expect(200);
  });

  it('with mistakes is refused with their lines, and what counted before still does', async () => {
    const { body } = await admin.put('/v1/runbooks/laptop-lost').send({ text: 'title: x', source: 'x' }).expect(400);
    expect(body.errors[0].detail).toMatch(/^Line 1, column \d+: /);
    expect((await admin.get('/v1/runbooks/laptop-lost').expect(200)).body.source).toBe('laptop-lost.yaml');
  });
});

describe('a lost machine', () => {
  it('is locked by one person, and the order followed to what was seen, not to what was asked', async () => {
    const lost = await aLoss();
    const { body } = await contain(lost, 'lock').expect(200);
    expect(body).toMatchObject({
      approval: null,
      loss: { decision: { containment: 'lock', proposed: 'lock', decidedBy: 'Grace' } },
    });
    const [{ id, state }] = body.loss.commands;
    expect(state).toBe('ordered');
    await saw(lost, id, 'acknowledged').expect(200);
    expect((await taskOf(lost, 'follow')).doneAt).toBeNull();
    await saw(lost, id, 'delivered').expect(409);
    await saw(lost, id, 'verified').expect(200);
    expect((await taskOf(lost, 'follow')).doneBy).toBe('Grace');
    expect((await lossOf(lost)).commands).toMatchObject([{ verifiedBy: 'word' }]);
    await saw(lost, id, 'failed').expect(409);
  });

  it('is wiped by two people only, which supersedes the lock', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    await contain(lost, 'lock').expect(200);
    const { body } = await contain(lost, 'wipe').expect(200);
    expect(body.loss.decision.containment).toBe('lock');
    const approve = `/v1/approvals/${body.approval.id}/approve`;
    await admin.post(approve).send({}).expect(403);
    await linus.post(approve).send({}).expect(200);
    const loss = await lossOf(lost);
    expect(loss.decision).toMatchObject({ containment: 'wipe', decidedBy: 'Grace, approved by Linus' });
    expect(loss.commands).toMatchObject([
      { kind: 'lock', state: 'superseded' },
      { kind: 'wipe', state: 'ordered', approvalId: body.approval.id },
    ]);
  });

  it('is wiped no more on the word of somebody who may not decide about it since', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    const margaret = await aUser(service.app, 'it-operator', { name: 'Margaret' });
    const wish = { decision: 'wipe', reason: 'It was not encrypted.' };
    const { body } = await margaret.agent.post(path(lost, '/containment')).send(wish).expect(200);
    await tx.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE principal = $1`, [
      margaret.principal,
    ]);
    await linus.post(`/v1/approvals/${body.approval.id}/approve`).send({}).expect(403);
    expect(await lossOf(lost)).toMatchObject({ decision: null, commands: [] });
  });

  it('is to be followed anew when it is wiped after its lock was verified', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    const { body } = await contain(lost, 'lock').expect(200);
    await saw(lost, body.loss.commands[0].id, 'verified').expect(200);
    await tx.query(`UPDATE loss_tasks SET due_at = due_at - interval '30 h' WHERE case_id = $1`, [lost.caseId]);
    expect(await taskOf(lost, 'follow')).toMatchObject({ doneBy: 'Grace' });
    await wiped(lost);
    const follow = await taskOf(lost, 'follow');
    expect(follow).toMatchObject({ doneAt: null, doneBy: null });
    expect(Date.parse(follow.dueAt)).toBeGreaterThan(Date.now() + 23 * HOUR);
    await saw(lost, (await lossOf(lost)).commands.at(-1).id, 'verified').expect(200);
    expect(await taskOf(lost, 'follow')).toMatchObject({ doneBy: 'Grace' });
  });

  it('is not wiped under legal hold, even when it was asked for before', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    const { body } = await contain(lost, 'wipe').expect(200);
    await admin.patch(path(lost)).send({ legalHold: true }).expect(204);
    await linus.post(`/v1/approvals/${body.approval.id}/approve`).send({}).expect(409);
    expect(await lossOf(lost)).toMatchObject({ decision: null, commands: [], proposal: { propose: 'lock' } });
    await contain(lost, 'wipe').expect(409);
  });

  it('whose wipe nobody has given isn’t wiped once it is under legal hold, nor when it is decided otherwise', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    await wiped(lost);
    await admin.patch(path(lost)).send({ legalHold: true }).expect(204);
    expect(await lossOf(lost)).toMatchObject({ decision: null, commands: [{ kind: 'wipe', state: 'superseded' }] });
    expect((await taskOf(lost, 'contain')).doneAt).toBeNull();
    expect(await openAlerts('wipe_under_hold', lost)).toEqual([]);
    await admin.patch(path(lost)).send({ legalHold: false }).expect(204);
    await wiped(lost);
    await contain(lost, 'lock').expect(200);
    expect((await lossOf(lost)).commands).toMatchObject([
      { kind: 'wipe', state: 'superseded' },
      { kind: 'wipe', state: 'superseded' },
      { kind: 'lock', state: 'ordered' },
    ]);
  });

  it('whose wipe was given is to be stopped at the device manager: people are told at once, and how', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    await wiped(lost);
    const { id } = (await lossOf(lost)).commands[0];
    await saw(lost, id, 'requested').expect(200);
    expect((await contain(lost, 'leave').expect(409)).body.detail).toContain('cancel it there');
    await admin.patch(path(lost)).send({ legalHold: true }).expect(204);
    expect((await lossOf(lost)).commands).toMatchObject([{ state: 'requested' }]);
    const [alert, ...more] = await openAlerts('wipe_under_hold', lost);
    expect([alert?.severity, more.length]).toEqual(['critical', 0]);
    expect(alert?.message).toContain('cancel it there at once');
    await saw(lost, id, 'failed').expect(200);
    expect(await openAlerts('wipe_under_hold', lost)).toEqual([]);
    await contain(lost, 'lock').expect(200);
    expect((await lossOf(lost)).commands).toMatchObject([{ state: 'superseded' }, { kind: 'lock', state: 'ordered' }]);
  });

  it('is locked once: the order that is on its way goes on', async () => {
    const lost = await aLoss();
    const { body } = await contain(lost, 'lock').expect(200);
    const { id } = body.loss.commands[0];
    await saw(lost, id, 'delivered').expect(200);
    expect((await contain(lost, 'lock').expect(409)).body.detail).toContain('the order is delivered: follow that one');
    expect((await lossOf(lost)).commands).toMatchObject([{ id, state: 'delivered' }]);
  });

  it('that is back, or was with somebody else since, is neither locked nor wiped in the earlier case', async () => {
    const lost = await aLoss({ disk: 'not_encrypted' });
    const { body } = await contain(lost, 'wipe').expect(200);
    await admin.post(`/v1/devices/${lost.laptop.id}/return`).expect(200);
    const bob = await aPerson(tx);
    await anEmployment(tx, { personId: bob.id, startAppliedAt: new Date() });
    await admin.post(`/v1/devices/${lost.laptop.id}/assign`).send({ personId: bob.id }).expect(200);
    await linus.post(`/v1/approvals/${body.approval.id}/approve`).send({}).expect(409);
    const refused = await contain(lost, 'lock').expect(409);
    expect(refused.body.detail).toBe('It isn’t lost any more: it is assigned. Take it back, and image it anew.');
    await reported(lost.laptop, 'device');
    for (const decision of ['lock', 'wipe']) {
      expect((await contain(lost, decision).expect(409)).body.detail).toContain('the newest case');
    }
    expect((await lossOf(lost)).commands).toEqual([]);
  });

  it('that never came online again is somebody’s accepted risk, by name', async () => {
    const lost = await aLoss();
    const { body } = await contain(lost, 'lock').expect(200);
    await saw(lost, body.loss.commands[0].id, 'risk_accepted').expect(200);
    expect((await lossOf(lost)).commands[0].events.at(-1)).toMatchObject({ state: 'risk_accepted', seenBy: 'Grace' });
  });

  it('that gives a sign is told at once, one alert however often', async () => {
    const lost = await aLoss();
    await look();
    expect(await openAlerts('lost_device_seen', lost)).toEqual([]);
    await observed(lost.laptop, { value: 'encrypted', observedAt: new Date() });
    await look();
    await observed(lost.laptop, { value: 'encrypted', observedAt: new Date() });
    await look();
    const [alert, ...more] = await openAlerts('lost_device_seen', lost);
    expect([alert?.severity, more.length]).toEqual(['critical', 0]);
    const { lastSignAt } = await lossOf(lost);
    expect(alert?.message).toContain(lastSignAt);
  });

  it('gives a sign also by what its reporter is refused, or tells with a clock that is behind', async () => {
    const before = { kind: 'os_version', value: '6.1', source: 'reporter', observedAt: '2020-01-01T00:00:00Z' };
    for (const [door, more, status] of [
      ['recovery-keys', { protects: 'luks', key: 'a passphrase that opens it' }, 409],
      ['observations', { observation: before }, 200],
    ] as const) {
      const { laptop, ...lost } = await aLoss();
      const { body } = await admin.post(`/v1/devices/${laptop.id}/token`).expect(201);
      const shown = { token: body.token as string, serial: laptop.serial };
      await service.stranger
        .post(`/v1/reporters/${door}`)
        .send({ ...shown, ...more })
        .expect(status);
      await look();
      const [alert] = await openAlerts('lost_device_seen', { laptop, ...lost });
      expect(alert?.message).toContain('by reporter');
    }
  });
});

describe('the tasks of a loss', () => {
  it('end by what they wait for, and by nobody’s word instead', async () => {
    const lost = await aLoss();
    await admin.post(path(lost, '/tasks/assess/complete')).send({ note: 'looks fine' }).expect(409);
    await admin.post(path(lost, '/tasks/report-it/complete')).send({ note: 'Reported at the airport.' }).expect(204);
    await admin.post(path(lost, '/tasks/report-it/complete')).send({ note: 'Once more.' }).expect(409);
    await admin.post(path(lost, '/tasks/nothing/complete')).send({ note: 'Done.' }).expect(404);
    expect(await taskOf(lost, 'report-it')).toMatchObject({ doneBy: 'Grace', note: 'Reported at the airport.' });
    expect((await taskOf(lost, 'restore')).doneAt).toBeNull();
    await admin.post(path(lost, '/restore')).send({}).expect(202);
    await look();
    expect((await taskOf(lost, 'restore')).doneBy).toBe('Quartermaster');
  });

  it('that are overdue alert, until they are done', async () => {
    const lost = await aLoss();
    await tx.query(`UPDATE loss_tasks SET due_at = now() WHERE case_id = $1 AND task = 'report-it'`, [lost.caseId]);
    await look();
    await look();
    const [alert, ...more] = await openAlerts('loss_task_overdue', lost);
    expect(alert?.message).toContain('Report it to the police');
    expect(more).toEqual([]);
    await admin.post(path(lost, '/tasks/report-it/complete')).send({ note: 'Reported.' }).expect(204);
    await look();
    expect(await openAlerts('loss_task_overdue', lost)).toEqual([]);
  });

  it('keep the breach assessment with the worksheet as it was, decided once', async () => {
    const lost = await aLoss();
    const decide = () =>
      admin
        .post(path(lost, '/assessment'))
        .send({ decision: 'no_notification', reason: 'Encrypted, and cut at once.' });
    await decide().expect(200);
    await decide().expect(409);
    // Whose accounts they were can be erased from the audit log; what was decided can't.
    const [{ username }] = (await lossOf(lost)).worksheet.reachable;
    const entry = await tx.findOneByOrFail(AuditEntry, { action: 'loss.assessed', caseId: lost.caseId });
    expect(entry.facts).toEqual({ assessment: 'no_notification', encryptionShown: 'yes' });
    const kept = await tx.findOneByOrFail(AuditPersonalField, { entryId: entry.id, name: 'worksheet' });
    expect(kept.value).toContain(username);
    await admin.patch(path(lost)).send({ awake: 'yes' }).expect(204);
    const loss = await lossOf(lost);
    expect(loss.assessment).toMatchObject({ decision: 'no_notification', decidedBy: 'Grace' });
    expect(loss.worksheet.encryption.shown).toBe('yes');
    expect((await taskOf(lost, 'assess')).doneBy).toBe('Grace');
  });
});

describe('a loss of the device only', () => {
  it('is shown before it is reported, beside what the whole person would lose', async () => {
    const { laptop } = await aLoss();
    const other = await aDevice(tx, { holderId: laptop.holderId ?? '' });
    const { body } = await admin.post('/v1/lost-devices/preview').send({ assetTag: other.assetTag }).expect(200);
    expect(body).toMatchObject({
      assetTag: other.assetTag,
      proposedScope: 'person',
      diskEncryption: null,
      person: [{ act: 'suspend_account' }, { act: 'discover' }, { act: 'final_look' }],
      device: [{ act: 'reset_credentials' }],
    });
    await admin.post('/v1/lost-devices/preview').send({ assetTag: 'nobody knows it' }).expect(404);
    await admin.post('/v1/lost-devices/preview').send({}).expect(400);
  });

  it('ends what this device holds, gives new credentials elsewhere, and leaves the person their access', async () => {
    const person = await aPerson(tx);
    await anEmployment(tx, { personId: person.id, startAppliedAt: new Date() });
    const laptop = await aDevice(tx, { holderId: person.id });
    const account = await anAccount(tx, { personId: person.id, toolId: chat });
    const gateway = await anAccount(tx, {
      personId: person.id,
      toolId: (await aTool(tx, { connector: 'ssh-gateway' })).id,
    });
    // The gateway knows it by both of its names, and gave out credentials under each.
    for (const name of [laptop.assetTag, laptop.serial]) {
      await service.app.get(CredentialsService).noteIssued(tx, gateway.id, name);
    }
    const { caseId } = await reported(laptop, 'device');
    expect(
      (await tx.findBy(Step, { caseId })).map(({ act, accountId, lane, input }) => [
        act,
        accountId,
        lane,
        input['device'],
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['reset_credentials', account.id, 'emergency', undefined],
        ['revoke_device', gateway.id, 'emergency', laptop.assetTag],
        ['revoke_device', gateway.id, 'emergency', laptop.serial],
      ]),
    );
    expect(await tx.findBy(Hold, { personId: person.id })).toEqual([]);
    expect((await tx.findOneByOrFail(Account, { id: account.id })).desiredState).toBe('active');
    const { body: loss } = await admin.get(`/v1/lost-devices/${caseId}`).expect(200);
    expect(loss.tasks.map(({ task }: { task: string }) => task)).not.toContain('restore');
    expect(await reported(laptop, 'device')).toEqual({ caseId, again: true });
    // Once more when it is known to be stolen: still the same loss.
    await becomes(laptop, 'stolen');
    expect(await reported(laptop, 'device')).toEqual({ caseId, again: true });
    const all = await reported(laptop, 'person');
    expect(all.again).toBe(false);
    expect((await tx.findBy(Hold, { personId: person.id })).map(({ reason }) => reason)).toEqual(['lost_device']);
    expect(await reported(laptop, 'device')).toEqual({ caseId: all.caseId, again: true });
  });
});

describe('a machine that is lost twice', () => {
  const noted = (caseId: string, word: object) => admin.patch(`/v1/lost-devices/${caseId}`).send(word);
  const seen = async (caseId: string) => (await admin.get(`/v1/lost-devices/${caseId}`).expect(200)).body;

  async function aLaptop(): Promise<Device> {
    const person = await aPerson(tx);
    await anEmployment(tx, { personId: person.id, startAppliedAt: new Date() });
    return aDevice(tx, { holderId: person.id });
  }

  it('and was away all the time keeps what was said, and its clock, which is put back and never forward', async () => {
    const laptop = await aLaptop();
    const { caseId } = await reported(laptop, 'device');
    const awareAt = new Date(Date.now() - 50 * HOUR).toISOString();
    const said = { awareAt, awake: 'no', legalHold: true, policeReference: 'B-7731' };
    await noted(caseId, said).expect(204);
    await noted(caseId, { awareAt: new Date().toISOString() }).expect(409);
    const all = await reported(laptop, 'person');
    expect(all.again).toBe(false);
    for (const id of [caseId, all.caseId]) {
      const loss = await seen(id);
      expect(loss).toMatchObject({ ...said, proposal: { propose: 'lock', row: 1 } });
      const assess = loss.tasks.find(({ ends }: { ends: string }) => ends === 'assess-breach');
      expect(assess.dueAt).toBe(loss.worksheet.notifyBy);
      expect(Date.parse(assess.dueAt)).toBe(Date.parse(awareAt) + 72 * HOUR);
    }
  });

  it('is wiped in none of its cases while one of them is under legal hold', async () => {
    const laptop = await aLaptop();
    const first = await reported(laptop, 'device');
    const second = await reported(laptop, 'person');
    const wipe = () =>
      admin.post(`/v1/lost-devices/${second.caseId}/containment`).send({ decision: 'wipe', reason: 'It was open.' });
    await noted(first.caseId, { legalHold: true }).expect(204);
    expect((await seen(second.caseId)).proposal).toMatchObject({ propose: 'lock', row: 1 });
    expect((await wipe().expect(409)).body.detail).toContain(first.caseId);
    await noted(first.caseId, { legalHold: false }).expect(204);
    await wipe().expect(200);
  });

  it('is decided about once, in whichever of its cases', async () => {
    const laptop = await aLaptop();
    const first = await reported(laptop, 'device');
    const second = await reported(laptop, 'person');
    await wiped(first);
    await contain(second, 'leave').expect(200);
    const { commands, tasks } = await lossOf(first);
    expect(commands).toMatchObject([{ kind: 'wipe', state: 'superseded' }]);
    expect(commands[0].events.at(-1).note).toContain(second.caseId);
    expect(tasks.find(({ ends }: { ends: string }) => ends === 'follow-containment').doneBy).toBe('Grace');
    await wiped(first);
    await saw(first, (await lossOf(first)).commands.at(-1).id, 'requested').expect(200);
    for (const decision of ['leave', 'wipe']) {
      expect((await contain(second, decision).expect(409)).body.detail).toContain(first.caseId);
    }
  });

  it('and was back in between begins anew', async () => {
    const laptop = await aLaptop();
    const { caseId } = await reported(laptop, 'device');
    await noted(caseId, { legalHold: true, awake: 'yes' }).expect(204);
    await admin.post(`/v1/devices/${laptop.id}/return`).expect(200);
    await admin.post(`/v1/devices/${laptop.id}/assign`).send({ personId: laptop.holderId }).expect(200);
    const again = await reported(laptop, 'device');
    expect(again.again).toBe(false);
    expect(await seen(again.caseId)).toMatchObject({ awake: 'unknown', legalHold: false });
  });
});

it('is decided about by another person than who lost it, who may say what they know', async () => {
  const { id: personId } = await aPerson(tx);
  await anEmployment(tx, { personId, startAppliedAt: new Date() });
  const ada = (await aUser(service.app, 'security', { name: 'Ada', personId })).agent;
  const { caseId } = await reported(await aDevice(tx, { holderId: personId }), 'device');
  const at = (rest: string) => `/v1/lost-devices/${caseId}${rest}`;
  const reason = 'It was off, and is in a drawer.';
  for (const decision of ['lock', 'leave', 'wipe']) {
    await ada.post(at('/containment')).send({ decision, reason }).expect(403);
  }
  await ada.post(at('/unlock')).send({ reason }).expect(403);
  const assessment = { decision: 'no_notification', reason };
  await ada.post(at('/assessment')).send(assessment).expect(403);
  const { body } = await admin.post(at('/containment')).send({ decision: 'lock', reason }).expect(200);
  const progress = at(`/commands/${body.loss.commands[0].id}/progress`);
  const refused = await ada.post(progress).send({ state: 'risk_accepted', note: reason }).expect(403);
  expect(refused.body.detail).toBe('Nobody decides about their own loss.');
  await ada.patch(at('')).send({ awake: 'no' }).expect(204);
  await admin.post(at('/assessment')).send(assessment).expect(200);
});

it('is nobody’s business who can’t see the person', async () => {
  const lost = await aLoss();
  await (await service.caller('Ray', 'devices:read')).get(path(lost)).expect(403);
  await admin.get('/v1/lost-devices/0197a5b0-0000-7000-8000-000000000000').expect(404);
  // Whoever may only report says what they learn, and reads none of it.
  const desk = await service.caller('Front desk', 'lost-devices:report');
  await desk.get(path(lost)).expect(403);
  expect((await desk.patch(path(lost)).send({ awake: 'no' }).expect(204)).text).toBe('');
  const task = desk.post(path(lost, '/tasks/report-it/complete'));
  expect((await task.send({ note: 'Reported at the airport.' }).expect(204)).text).toBe('');
});
