import type { DiskSeen } from '../../connectors/kit/contract.js';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FleetEmulator } from '../../test/emulators/fleet/fleet-emulator.js';
import { aDevice } from '../../test/factories/devices.js';
import { startServiceApp, type ServiceApp } from '../../test/factories/service-app.js';
import { Alert } from '../cases/alert.entity.js';
import { loadAgeIdentities, makeAgeIdentity } from '../platform/crypto/providers/age-identities.js';
import { RecoveryRing } from '../platform/crypto/recovery-ring.js';
import { AskDeviceManagers } from './ask-device-managers.service.js';
import { readComputers } from './read-computers.js';

const CANARY = 'canary-5ADZ-HTZ8-LJJ4';

let service: ServiceApp;
let fleet: FleetEmulator;
let api: Awaited<ReturnType<ServiceApp['caller']>>;
let toolId: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(inject('runFolder'), 'managers-'));
  const recipient = await makeAgeIdentity(join(folder, 'identity'));
  const recoveryRing = new RecoveryRing([recipient], await loadAgeIdentities(join(folder, 'identity')));
  [service, fleet] = await Promise.all([startServiceApp({ recoveryRing }), FleetEmulator.start()]);
  api = await service.caller();
  const { token } = fleet.addUser('quartermaster@acme.example', 'observer');
  const wish = {
    key: 'fleet',
    name: 'Fleet',
    connector: 'fleet',
    environment: 'test',
    settings: { baseUrl: fleet.url, pageSize: 2, keepRecoveryKeys: true },
    secrets: { token },
    allowPrivateAddresses: true,
    owners: ['it@acme.example'],
  };
  toolId = (await api.post('/v1/tools').send(wish).expect(201)).body.id;
});
afterAll(async () => {
  await service?.close();
  await fleet?.stop();
});

const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

/** Before the hour is over, since somebody wants it. */
async function askAgain(): Promise<void> {
  await api.post(`/v1/device-managers/${toolId}/ask`).expect(204);
  await service.app.get(AskDeviceManagers).askAllDue();
}

async function aManagedDevice(host: Parameters<FleetEmulator['addHost']>[0]) {
  const device = await aDevice(service.db.manager);
  return { id: device.id, host: fleet.addHost({ ...host, serial: device.serial }) };
}

const known = async (id: string) => (await api.get(`/v1/devices/${id}/encryption`).expect(200)).body;
const roundNow = async () => (await api.get('/v1/device-managers').expect(200)).body.items[0];
const rowsOf = async (id: string) => (await api.get(`/v1/devices/${id}/encryption/history`).expect(200)).body.items;

describe('a device manager', () => {
  it('tells of the devices that it manages, page after page, as old as its agents’ looks', async () => {
    const encrypted = await aManagedDevice({ diskEncryptionEnabled: true, detailUpdatedAt: hoursAgo(2) });
    const plain = await aManagedDevice({ diskEncryptionEnabled: false, platform: 'windows' });
    const untold = await aManagedDevice({ platform: 'ubuntu', detailUpdatedAt: hoursAgo(1) });
    const silent = await aManagedDevice({ platform: 'ubuntu', detailUpdatedAt: null });
    const liar = await aManagedDevice({ diskEncryptionEnabled: true, platform: 'windows', osqueryVersion: '5.17.0' });
    const unclear = await aManagedDevice({ diskEncryptionEnabled: false, platform: 'ubuntu' });
    fleet.addHost({ diskEncryptionEnabled: true });
    expect((await api.get('/v1/device-managers').expect(200)).body.items).toEqual([]);
    await service.app.get(AskDeviceManagers).askAllDue();
    expect(await known(encrypted.id)).toMatchObject({
      state: 'encrypted',
      answer: { source: 'fleet', agent: 'osquery' },
    });
    expect((await known(encrypted.id)).answer.ageSeconds).toBeGreaterThanOrEqual(7_200);
    expect(await known(plain.id)).toMatchObject({ state: 'not_encrypted' });
    expect(await known(untold.id)).toMatchObject({ state: 'unknown', askedInVain: { source: 'fleet' } });
    expect(await known(silent.id)).toMatchObject({ state: 'unknown', askedInVain: null });
    expect((await known(liar.id)).askedInVain.why).toContain('8931');
    expect((await known(unclear.id)).askedInVain.why).toContain('8639');
    expect(await roundNow()).toMatchObject({ toolId, matched: 6, unmatched: 1, unread: 0, problem: null });
  });

  it('has a name that nobody else tells under, nor under that of agents', async () => {
    const { id } = await aManagedDevice({});
    const seen = { kind: 'os_version', value: '1', observedAt: new Date().toISOString() };
    const tell = (source: string) => api.post(`/v1/devices/${id}/observations`).send({ ...seen, source });
    for (const source of ['fleet', 'Fleet', 'osquery']) {
      const { body } = await tell(source).expect(400);
      expect(body.errors).toMatchObject([{ pointer: '/source', detail: expect.stringContaining('Name who') }]);
    }
    await tell('fleet export').expect(201);
  });

  it('is asked by one worker, when its hour is over, and a computer that is away makes no rows', async () => {
    const { id, host } = await aManagedDevice({ diskEncryptionEnabled: true, detailUpdatedAt: hoursAgo(3) });
    await askAgain();
    await askAgain();
    expect(await rowsOf(id)).toHaveLength(1);
    host.detailUpdatedAt = new Date();
    await askAgain();
    expect(await rowsOf(id)).toHaveLength(2);
    const before = fleet.requests.length;
    expect(await service.app.get(AskDeviceManagers).askAllDue()).toBe(0);
    expect(fleet.requests.length).toBe(before);
    await api.post(`/v1/device-managers/${id}/ask`).expect(404);
  });

  it('that is away takes nothing back; it is asked again soon, and after a while somebody is told', async () => {
    const { id } = await aManagedDevice({ diskEncryptionEnabled: true });
    await askAgain();
    fleet.next({ status: 503 });
    await askAgain();
    const failing = await roundNow();
    expect(failing).toMatchObject({ problem: expect.any(String), failingSince: expect.any(String) });
    expect(Date.parse(failing.nextAt)).toBeLessThan(Date.now() + 10 * 60_000);
    expect(await known(id)).toMatchObject({ state: 'encrypted', askedInVain: null });
    const alerts = () => service.db.manager.findBy(Alert, { kind: 'device_manager_away' });
    expect(await alerts()).toEqual([]);
    await service.db.query(`UPDATE device_manager_rounds SET failing_since = now() - interval '7 hours'`);
    fleet.next({ status: 503 });
    await askAgain();
    expect(await alerts()).toMatchObject([{ resolvedAt: null, owner: 'it@acme.example' }]);
    await askAgain();
    expect(await alerts()).toMatchObject([{ resolvedAt: expect.any(Date) }]);
  });

  it('that can’t tell of one computer tells of the others, and how many it left out', async () => {
    const encrypted = { diskEncryptionEnabled: true };
    const good = [await aManagedDevice(encrypted)];
    const bad = await aManagedDevice({ ...encrypted, failsWith: 500 });
    good.push(await aManagedDevice(encrypted));
    await askAgain();
    for (const { id } of good) expect(await known(id)).toMatchObject({ state: 'encrypted' });
    expect(await known(bad.id)).toMatchObject({ answer: null, askedInVain: null });
    expect(await roundNow()).toMatchObject({ unread: 1, problem: null, failingSince: null });
    bad.host.failsWith = undefined;
    await askAgain();
    expect(await known(bad.id)).toMatchObject({ state: 'encrypted' });
    expect(await roundNow()).toMatchObject({ unread: 0 });
  });

  it('that outlives its lease is left to whoever took it over, whether it would fail or go on', async () => {
    const { id } = await aManagedDevice({ diskEncryptionEnabled: true });
    /** Another worker's whole round, while this one waits for its first answer. */
    const overtaken = async (then: () => void): Promise<string[]> => {
      fleet.meanwhile = async () => {
        fleet.meanwhile = async () => undefined;
        await askAgain();
        then();
      };
      const before = fleet.requests.length;
      await askAgain();
      const { problem, failingSince, nextAt } = await roundNow();
      expect({ problem, failingSince }).toEqual({ problem: null, failingSince: null });
      expect(Date.parse(nextAt)).toBeGreaterThan(Date.now() + 30 * 60_000);
      return fleet.requests.slice(before).filter((request) => request.includes('?page=1&'));
    };
    expect(await overtaken(() => undefined)).toHaveLength(1);
    expect(await overtaken(() => fleet.next({ status: 503 }))).toHaveLength(1);
    expect(await rowsOf(id)).toHaveLength(1);
  });

  it('that tells nothing of ten in a row is in trouble itself, and what it told before them is kept', async () => {
    await service.db.query(`UPDATE tools SET settings = jsonb_set(settings, '{connector,pageSize}', '100')`);
    const there = fleet.hosts.length;
    const before = await aManagedDevice({ diskEncryptionEnabled: true });
    for (let bad = 0; bad < 10; bad += 1) await aManagedDevice({ failsWith: 500 });
    const after = await aManagedDevice({ diskEncryptionEnabled: true });
    await askAgain();
    expect(await roundNow()).toMatchObject({ problem: expect.stringContaining('500') });
    expect(await known(before.id)).toMatchObject({ state: 'encrypted' });
    expect(await known(after.id)).toMatchObject({ answer: null });
    fleet.hosts.length = there;
  });

  it('that never answers about one computer loses that one’s time only', async () => {
    const computer = (externalId: string) => ({
      computer: {
        externalId,
        name: externalId,
        serial: null,
        operatingSystem: null,
        isEnabled: true,
        lastSeenAt: null,
      },
    });
    const disk = { state: 'unknown', observedAt: null, agent: null, platform: null, raw: {} } as const;
    const read = ({ computer: { name } }: ReturnType<typeof computer>) =>
      name === 'silent' ? new Promise<DiskSeen>(() => undefined) : Promise.resolve(disk);
    const unread = { count: 0, inARow: 0, newest: null };
    const told = await Array.fromAsync(readComputers(['silent', 'other'].map(computer), read, unread, 1));
    expect(told.map(({ one }) => one.computer.name)).toEqual(['other']);
    expect(unread).toMatchObject({ count: 1, inARow: 0, newest: { kind: 'transient' } });
  });

  it('hands over the recovery keys that it escrows: each once, another one beside it, and sealed', async () => {
    const { id, host } = await aManagedDevice({ escrowedKey: { key: `${CANARY}-1`, updatedAt: hoursAgo(5) } });
    const reads = () => fleet.requests.filter((request) => request.includes(`/hosts/${host.id}/encryption_key`)).length;
    const kept = async () => (await api.get(`/v1/devices/${id}/recovery-keys`).expect(200)).body.items;
    const askAWeekLater = async () => {
      await service.db.query(`UPDATE device_manager_keys SET read_at = now() - interval '8 days'`);
      await askAgain();
    };
    expect(await kept()).toEqual([]);
    await askAgain();
    await askAgain();
    expect(await kept()).toMatchObject([{ protects: 'filevault', source: 'fleet', revealedAt: null, isNewest: true }]);
    expect(reads()).toBe(1);
    host.escrowedKey = { key: `${CANARY}-2`, updatedAt: new Date() };
    await askAWeekLater();
    await askAWeekLater();
    const [newest, first, ...more] = await kept();
    expect([newest.isNewest, first.isNewest, more, reads()]).toEqual([true, false, [], 3]);
    const audited = await service.db.query<object[]>(`SELECT * FROM audit_entries WHERE action LIKE 'recovery-key.%'`);
    expect(audited).toHaveLength(5);
    expect(JSON.stringify(audited) + service.log()).not.toContain(CANARY);
    const reveal = api.post(`/v1/devices/${id}/recovery-keys/${newest.id}/reveal`).send({ reason: 'It asks for it.' });
    expect((await reveal.expect(200)).body.key).toBe(`${CANARY}-2`);
  });

  it('that can’t show the recovery key of one computer hands over the others’, and says so', async () => {
    const escrowedKey = { key: `${CANARY}-3`, updatedAt: hoursAgo(5) };
    const bad = await aManagedDevice({ escrowedKey, failsWith: 500 });
    const good = await aManagedDevice({ escrowedKey });
    const kept = async ({ id }: { id: string }) =>
      (await api.get(`/v1/devices/${id}/recovery-keys`).expect(200)).body.items.length;
    await askAgain();
    expect([await kept(bad), await kept(good)]).toEqual([0, 1]);
    expect((await roundNow()).problem).toContain('Recovery keys can’t be read');
    bad.host.failsWith = undefined;
    await askAgain();
    expect([await kept(bad), (await roundNow()).problem]).toEqual([1, null]);
  });

  it('shows at this moment whether a computer is wiped, apart from whether somebody asked for it', async () => {
    const { host } = await aManagedDevice({ isOnline: false });
    fleet.request(host, 'wipe');
    const status = async () => (await api.get(`/v1/tools/${toolId}/computers/${host.id}/status`).expect(200)).body;
    expect(await status()).toMatchObject({ state: 'unlocked', pending: 'wipe', requests: [{ what: 'wipe' }] });
    fleet.comesBy(host);
    expect(await status()).toMatchObject({ state: 'wiped', pending: null });
  });
});
