import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aDevice } from '../factories/devices.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import {
  aFailure,
  aSnapshot,
  ENROLL,
  FLEET_LINUX,
  FRESH_BITLOCKER,
  LUKS_FILTERED,
  LUKS_UNFILTERED,
  PROTECTED_BITLOCKER,
  STALE_BITLOCKER,
  T2_WITHOUT_FILEVAULT,
  WRITTEN,
} from './payloads.js';

let service: ServiceApp;
let api: Awaited<ReturnType<ServiceApp['caller']>>;
let secret: string;

beforeAll(async () => {
  service = await startServiceApp();
  api = await service.caller();
  secret = await aSecret();
});
afterAll(() => service?.close());

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const unixTime = (minutesAgo: number): number => Math.floor(Date.now() / 1_000) - minutesAgo * 60;

async function aSecret(uses = 1_000): Promise<string> {
  const wish = { name: 'laptops', uses, expiresAt: inDays(30) };
  const { body } = await api.post('/v1/osquery/enrolment-secrets').send(wish).expect(201);
  return body.secret;
}

interface Machine {
  uuid: string;
  serial: string;
}

function enrol({ uuid, serial }: Machine, platform: keyof typeof ENROLL = 'windows', enroll_secret = secret) {
  const details = ENROLL[platform];
  const system_info = { ...details.system_info, uuid, hardware_serial: serial };
  return service.stranger
    .post('/v1/osquery/enroll')
    .send({ enroll_secret, host_identifier: uuid, host_details: { ...details, system_info }, platform_type: '2' });
}

/** A machine of which there is a device, enrolled. */
async function anEnrolled(platform: keyof typeof ENROLL = 'windows') {
  const device = await aDevice(service.db.manager);
  const machine = { uuid: newId(), serial: device.serial };
  const { body } = await enrol(machine, platform).expect(200);
  return { deviceId: device.id, machine, nodeKey: body.node_key as string };
}

const post = (path: string, body: object) => service.stranger.post(`/v1/osquery/${path}`).send(body);
const log = (node_key: string, data: readonly unknown[], log_type = 'result') =>
  post('log', { node_key, log_type, data });
const known = async (deviceId: string) => (await api.get(`/v1/devices/${deviceId}/encryption`).expect(200)).body;
interface Node {
  id: string;
  deviceId: string;
  state: string;
  askedAt: string | null;
  endedBecause: string | null;
}
const nodesOf = async (deviceId: string) => {
  const { body } = await api.get('/v1/osquery/nodes').query({ limit: 200 }).expect(200);
  return (body.items as Node[]).filter((node) => node.deviceId === deviceId);
};
const nodeOf = async (deviceId: string) => (await nodesOf(deviceId)).find(({ state }) => state !== 'ended');
const isKnown = async (node_key: string) => !(await post('config', { node_key }).expect(200)).body.node_invalid;

describe('enrolment', () => {
  it('gives a key to a machine whose serial is a device’s, counts it, and keeps neither key nor secret', async () => {
    const own = await aSecret(2);
    const device = await aDevice(service.db.manager);
    const machine = { uuid: newId(), serial: device.serial };
    const { body } = await enrol(machine, 'windows', own).expect(200);
    expect(body).toEqual({ node_key: expect.stringMatching(/^[\w-]{43}$/), node_invalid: false });
    expect(await nodeOf(device.id)).toMatchObject({
      state: 'matched',
      serial: device.serial,
      hostname: 'surface',
      os: 'Microsoft Windows 11 Enterprise 10.0.22000',
      agentVersion: '5.4.0',
    });
    const { body: secrets } = await api.get('/v1/osquery/enrolment-secrets').expect(200);
    expect(secrets.items[0]).toMatchObject({ name: 'laptops', uses: 2, used: 1 });
    const rows = await service.db.query(
      `SELECT n::text AS row FROM osquery_nodes n UNION ALL SELECT s::text FROM osquery_enrolment_secrets s`,
    );
    const kept = JSON.stringify(rows);
    expect(kept.includes(body.node_key) || kept.includes(own)).toBe(false);
    expect(await service.db.manager.countBy(AuditEntry, { action: 'osquery-node.enrolled' })).toBeGreaterThan(0);
  });

  it('is refused as osquery understands it: by 200 and node_invalid, for a wrong, spent or revoked secret', async () => {
    const machine = (): Machine => ({ uuid: newId(), serial: `SN-${newId()}` });
    expect((await enrol(machine(), 'windows', 'this_is_a_deployment_secret').expect(200)).body).toEqual({
      node_invalid: true,
    });
    const once = await aSecret(1);
    expect((await enrol(machine(), 'windows', once).expect(200)).body.node_invalid).toBe(false);
    expect((await enrol(machine(), 'windows', once).expect(200)).body).toEqual({ node_invalid: true });
    const revoked = await aSecret();
    const { body } = await api.get('/v1/osquery/enrolment-secrets').expect(200);
    await api.post(`/v1/osquery/enrolment-secrets/${body.items[0].id}/revoke`).expect(200);
    expect((await enrol(machine(), 'windows', revoked).expect(200)).body).toEqual({ node_invalid: true });
  });

  it('of a machine that is enrolled already is refused and told of, until somebody ends the node', async () => {
    const { deviceId, machine, nodeKey } = await anEnrolled();
    await post('config', { node_key: nodeKey }).expect(200);
    const twin = { ...machine, uuid: newId() };
    const clone = { ...machine, serial: `SN-${newId()}` };
    for (const other of [machine, twin, clone]) {
      expect((await enrol(other).expect(200)).body).toEqual({ node_invalid: true });
    }
    const node = await nodeOf(deviceId);
    const alerts = await service.db.manager.findBy(Alert, { dedupKey: `device_duplicate:${node?.id}` });
    expect(alerts).toMatchObject([{ kind: 'device_duplicate', resolvedAt: null }]);
    expect((await post('config', { node_key: nodeKey }).expect(200)).body.node_invalid).toBe(false);
    await api.post(`/v1/osquery/nodes/${node?.id}/end`).expect(200);
    expect((await post('config', { node_key: nodeKey }).expect(200)).body).toEqual({ node_invalid: true });
    expect((await enrol(machine).expect(200)).body.node_invalid).toBe(false);
    expect(await service.db.manager.countBy(Alert, { dedupKey: `device_duplicate:${node?.id}` })).toBe(1);
    expect(await service.db.manager.findBy(Alert, { dedupKey: `device_duplicate:${node?.id}` })).not.toMatchObject([
      { resolvedAt: null },
    ]);
  });

  it('whose answer was lost may be tried again: a key that was never used gives way, and no use is counted', async () => {
    const own = await aSecret(1);
    const device = await aDevice(service.db.manager);
    const machine = { uuid: newId(), serial: device.serial };
    const lost = (await enrol(machine, 'windows', own).expect(200)).body.node_key;
    const again = (await enrol(machine, 'windows', own).expect(200)).body.node_key;
    expect((await post('config', { node_key: lost }).expect(200)).body).toEqual({ node_invalid: true });
    expect((await post('config', { node_key: again }).expect(200)).body.node_invalid).toBe(false);
  });

  it.each([
    ['was revoked', `SET revoked_at = now()`],
    ['expired', `SET expires_at = now() - interval '1 second'`],
  ])('whose answer was lost isn’t taken up again by a secret that %s meanwhile', async (_how, ended) => {
    const own = await aSecret(2);
    const device = await aDevice(service.db.manager);
    const machine = { uuid: newId(), serial: device.serial };
    expect((await enrol(machine, 'windows', own).expect(200)).body.node_invalid).toBe(false);
    const { body } = await api.get('/v1/osquery/enrolment-secrets').expect(200);
    await service.db.query(`UPDATE osquery_enrolment_secrets ${ended} WHERE id = $1`, [body.items[0].id]);
    expect((await enrol(machine, 'windows', own).expect(200)).body).toEqual({ node_invalid: true });
  });

  it('of a machine that nobody has recorded makes no device: it is listed, and matched once there is one', async () => {
    const serial = `SN-${newId()}`;
    const { body } = await enrol({ uuid: newId(), serial }).expect(200);
    const before = await service.db.query(`SELECT count(*)::int AS count FROM devices WHERE serial = $1`, [serial]);
    expect(before).toEqual([{ count: 0 }]);
    const { body: pending } = await api.get('/v1/osquery/nodes').query({ state: 'pending' }).expect(200);
    expect(pending.items[0]).toMatchObject({ state: 'pending', serial, deviceId: null });
    await log(body.node_key, [aSnapshot('qm_disk_encryption_windows', unixTime(1), [PROTECTED_BITLOCKER])]).expect(200);
    const device = await aDevice(service.db.manager, { serial });
    await post('config', { node_key: body.node_key }).expect(200);
    expect(await nodeOf(device.id)).toMatchObject({ state: 'matched', askedAt: expect.any(String) });
    expect((await known(device.id)).answer).toBeNull();
  });

  it('of a machine without an id is matched by somebody, and with one device once', async () => {
    const { body } = await enrol({ uuid: 'localhost', serial: 'To be filled by O.E.M.' }).expect(200);
    const { body: pending } = await api.get('/v1/osquery/nodes').query({ state: 'pending' }).expect(200);
    const [node] = pending.items;
    const taken = await anEnrolled();
    await api.post(`/v1/osquery/nodes/${node.id}/match`).send({ deviceId: taken.deviceId }).expect(409);
    const device = await aDevice(service.db.manager);
    await api.post(`/v1/osquery/nodes/${node.id}/match`).send({ deviceId: device.id }).expect(200);
    await log(body.node_key, [aSnapshot('qm_disk_encryption_windows', unixTime(1), [FRESH_BITLOCKER])]).expect(200);
    expect((await known(device.id)).state).toBe('not_encrypted');
  });
});

describe('a machine that leaves the person who had it', () => {
  /** Enrolled at the bench, and given to somebody. */
  async function aGiven() {
    const enrolled = await anEnrolled('linux');
    const { id: personId } = await aPerson(service.db.manager);
    await api.post(`/v1/devices/${enrolled.deviceId}/assign`).send({ personId }).expect(200);
    return enrolled;
  }
  const takeBack = (deviceId: string) => api.post(`/v1/devices/${deviceId}/return`).expect(200);

  it('is known by the key from before it was given, until it is back: then by none that its holder may have copied', async () => {
    const { deviceId, nodeKey } = await aGiven();
    expect(await isKnown(nodeKey)).toBe(true);
    await takeBack(deviceId);
    expect(await isKnown(nodeKey)).toBe(false);
    const forged = [aSnapshot('qm_disk_encryption_linux', unixTime(1), LUKS_UNFILTERED)];
    expect((await log(nodeKey, forged).expect(200)).body).toEqual({ node_invalid: true });
    expect((await known(deviceId)).answer).toBeNull();
    const [ended] = await nodesOf(deviceId);
    expect(ended).toMatchObject({ state: 'ended', endedBecause: 'handed_back' });
    expect(
      await service.db.manager.findBy(AuditEntry, { action: 'osquery-node.ended', subjectId: ended?.id ?? '' }),
    ).toMatchObject([{ facts: { deviceId, because: 'handed_back' } }]);
  });

  it('enrols anew, set up for somebody else, with nobody ending anything and nobody told of a duplicate', async () => {
    const { deviceId, machine, nodeKey } = await aGiven();
    expect(await isKnown(nodeKey)).toBe(true);
    expect((await enrol(machine, 'linux').expect(200)).body).toEqual({ node_invalid: true });
    const dedupKey = `device_duplicate:${(await nodeOf(deviceId))?.id}`;
    const openAlerts = async () =>
      (await service.db.manager.findBy(Alert, { dedupKey })).filter(({ resolvedAt }) => resolvedAt === null);
    expect(await openAlerts()).toHaveLength(1);
    await takeBack(deviceId);
    expect(await openAlerts()).toEqual([]);
    const { body } = await enrol(machine, 'linux').expect(200);
    expect(await isKnown(body.node_key)).toBe(true);
    expect((await nodesOf(deviceId)).map(({ state }) => state)).toEqual(['matched', 'ended']);
    expect(await openAlerts()).toEqual([]);
  });

  it('before anybody saw that its agent is its own, isn’t known by that agent’s key afterwards either', async () => {
    const serial = `SN-${newId()}`;
    const { body } = await enrol({ uuid: newId(), serial }, 'linux').expect(200);
    const { id: holderId } = await aPerson(service.db.manager);
    const device = await aDevice(service.db.manager, { serial, holderId });
    await takeBack(device.id);
    expect(await isKnown(body.node_key)).toBe(false);
  });

  it('because it is lost goes on being known, since that is how it may be seen; and no more once it is back', async () => {
    const { deviceId, nodeKey } = await aGiven();
    await api.post('/v1/lost-devices').send({ deviceId }).expect(202);
    expect(await isKnown(nodeKey)).toBe(true);
    const { body } = await api.get(`/v1/devices/${deviceId}`).expect(200);
    expect(body).toMatchObject({ state: 'lost', observations: [{ kind: 'last_online', source: 'osquery' }] });
    await takeBack(deviceId);
    expect(await isKnown(nodeKey)).toBe(false);
  });
});

describe('the configuration', () => {
  it('is the one of ops/osquery, for every agent', async () => {
    const { nodeKey } = await anEnrolled();
    const { body } = await post('config', { node_key: nodeKey }).expect(200);
    const stock = JSON.parse(readFileSync(join(cloneFolder(), 'ops/osquery/config.json'), 'utf8'));
    expect(body).toEqual({ ...stock, node_invalid: false });
  });

  it('is reached where the flags of each system say', () => {
    for (const system of ['macos', 'windows', 'linux']) {
      const flags = readFileSync(join(cloneFolder(), `ops/osquery/${system}.flags`), 'utf8');
      const paths = [...flags.matchAll(/^--\w+_endpoint=(\S+)$/gm)].map(([, path]) => path);
      expect({ system, paths: new Set(paths) }).toEqual({
        system,
        paths: new Set(
          ['config', 'distributed/read', 'distributed/write', 'enroll', 'log'].map((path) => `/v1/osquery/${path}`),
        ),
      });
    }
  });

  it('is for no stranger, nor is anything else', async () => {
    const nobody = { node_key: 'this_is_a_node_secret' };
    expect((await post('config', nobody).expect(200)).body).toEqual({ node_invalid: true });
    expect((await post('log', { ...nobody, log_type: 'result', data: [] }).expect(200)).body).toEqual({
      node_invalid: true,
    });
    expect((await post('distributed/read', nobody).expect(200)).body).toEqual({ queries: {}, node_invalid: true });
    expect((await post('distributed/write', { ...nobody, queries: {} }).expect(200)).body).toEqual({
      node_invalid: true,
    });
    await post('config', { node: 'x' }).expect(400);
  });
});

describe('the log', () => {
  it.each([
    ['a protected drive', 'windows', PROTECTED_BITLOCKER, '5.24.0', 'encrypted'],
    ['a protected drive, by an agent that lies', 'windows', PROTECTED_BITLOCKER, '5.17.0', 'unknown'],
    ['a drive that was decrypted, by an agent that lies', 'windows', STALE_BITLOCKER, '5.17.0', 'unknown'],
    ['that drive, by an agent that doesn’t', 'windows', FRESH_BITLOCKER, '5.24.0', 'not_encrypted'],
  ] as const)('of %s is kept with its row', async (_what, platform, row, osquery_version, state) => {
    const { deviceId, nodeKey } = await anEnrolled(platform);
    const sent = { ...row, osquery_version };
    await log(nodeKey, [aSnapshot('qm_disk_encryption_windows', unixTime(30), [sent])]).expect(200);
    const seen = await known(deviceId);
    expect(seen.state).toBe(state);
    const told = state === 'unknown' ? seen.askedInVain : seen.answer;
    expect(told).toMatchObject({ source: 'osquery', agent: 'osquery', agentVersion: osquery_version });
    expect(told.ageSeconds).toBeGreaterThanOrEqual(1_800);
    const { body } = await api.get(`/v1/devices/${deviceId}/encryption/history`).expect(200);
    expect(body.items[0].volumes[0].raw).toEqual(sent);
  });

  it.each([
    ['qm_disk_encryption_macos', T2_WITHOUT_FILEVAULT, 'not_encrypted'],
    ['qm_disk_encryption_linux', LUKS_UNFILTERED, 'encrypted'],
    ['qm_disk_encryption_linux', LUKS_FILTERED, 'unknown'],
    ['qm_disk_encryption_linux', FLEET_LINUX, 'encrypted'],
    ['qm_disk_encryption_linux', [], 'unknown'],
  ] as const)('of %s shows what can be believed of it', async (name, rows, state) => {
    const { deviceId, nodeKey } = await anEnrolled('linux');
    await log(nodeKey, [aSnapshot(name, unixTime(1), rows)]).expect(200);
    expect((await known(deviceId)).state).toBe(state);
  });

  it('of a failed query is no answer: what was known stays', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    const row = { ...PROTECTED_BITLOCKER, osquery_version: '5.24.0' };
    await log(nodeKey, [aSnapshot('qm_disk_encryption_windows', unixTime(60), [row])]).expect(200);
    await log(
      nodeKey,
      [aFailure('qm_disk_encryption_windows', unixTime(2), 'no such table: bitlocker_info')],
      'status',
    );
    expect(await known(deviceId)).toMatchObject({
      state: 'encrypted',
      askedInVain: { why: 'the query failed: no such table: bitlocker_info' },
    });
  });

  it('is taken compressed, and what isn’t ours or can’t be read loses nothing else', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    const data = [
      aSnapshot('processes', unixTime(1), [{ pid: '1' }]),
      'no line',
      { name: 'qm_disk_encryption_windows', snapshot: 'no list', unixTime: 1 },
      aSnapshot('qm_disk_encryption_windows', unixTime(1), [FRESH_BITLOCKER]),
    ];
    const body = gzipSync(JSON.stringify({ node_key: nodeKey, log_type: 'result', data }));
    const sent = service.stranger
      .post('/v1/osquery/log')
      .set({ 'content-type': 'application/json', 'content-encoding': 'gzip' });
    const answer = await sent
      .serialize((raw: unknown) => raw as string)
      .send(body as unknown as string)
      .expect(200);
    expect(answer.body).toEqual({ node_invalid: false });
    expect((await known(deviceId)).state).toBe('not_encrypted');
  });

  it('loses nothing by a character that can’t be kept, which osquery would send again for ever', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    await log(nodeKey, [
      aSnapshot('qm_packages_windows', unixTime(1), [{ name: 'Made\0by \ud800 somebody', version: '1\0' }]),
      aSnapshot('qm_disk_encryption_windows', unixTime(1), [{ ...FRESH_BITLOCKER, 'odd\0': '\udc00' }]),
    ]).expect(200);
    expect((await known(deviceId)).state).toBe('not_encrypted');
    const { body } = await api.get(`/v1/devices/${deviceId}/packages`).expect(200);
    expect(body.packages).toEqual([{ name: 'Madeby \ufffd somebody', version: '1', list: 'windows-program' }]);
    await log(nodeKey, [aFailure('qm_disk_encryption_windows', unixTime(0), 'no\0such \ud800')], 'status').expect(200);
    expect((await known(deviceId)).askedInVain.why).toBe('the query failed: nosuch \ufffd');
  });

  it('fills image, system, packages and the last check-in', async () => {
    const { deviceId, nodeKey } = await anEnrolled('linux');
    const packages = Array.from({ length: 3_000 }, (_, index) => ({
      name: `package-${index}`,
      version: '1.2.3-4+deb12u1',
    }));
    await log(nodeKey, [
      aSnapshot('qm_image_linux', unixTime(5), [
        { name: 'IMAGE_ID', value: '"Debian desktop"' },
        { name: 'IMAGE_VERSION', value: '2026.11' },
      ]),
      aSnapshot('qm_os_linux', unixTime(5), [{ name: 'Ubuntu', version: '22.04.1 LTS (Jammy Jellyfish)' }]),
      aSnapshot('qm_packages_deb', unixTime(5), packages),
      aSnapshot('qm_packages_rpm', unixTime(4), []),
    ]).expect(200);
    const { body } = await api.get(`/v1/devices/${deviceId}`).expect(200);
    expect(body.observations).toMatchObject([
      { kind: 'image_version', value: 'Debian desktop 2026.11', source: 'osquery' },
      { kind: 'last_online' },
      { kind: 'os_version', value: 'Ubuntu 22.04.1 LTS (Jammy Jellyfish)' },
    ]);
    const list = await api.get(`/v1/devices/${deviceId}/packages`).expect(200);
    expect(list.body.packages).toHaveLength(3_000);
    expect(list.body.packages[0]).toEqual({ name: 'package-0', version: '1.2.3-4+deb12u1', list: 'deb' });
    // An older list that arrives later changes nothing.
    await log(nodeKey, [aSnapshot('qm_packages_deb', unixTime(60), packages.slice(1))]).expect(200);
    expect((await api.get(`/v1/devices/${deviceId}/packages`).expect(200)).body.packages).toHaveLength(3_000);
    const other = await aDevice(service.db.manager);
    await api.get(`/v1/devices/${other.id}/packages`).expect(404);
  });

  it('from a clock that is ahead was seen when it arrived', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    await log(nodeKey, [aSnapshot('qm_disk_encryption_windows', unixTime(-600), [FRESH_BITLOCKER])]).expect(200);
    const { answer } = await known(deviceId);
    expect(answer.observedAt).toBe(answer.recordedAt);
  });

  it('that comes again, at the same time too and from a clock that is ahead, is kept once', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    const data = [-10, 30].map((minutesAgo) =>
      aSnapshot('qm_disk_encryption_windows', unixTime(minutesAgo), [FRESH_BITLOCKER]),
    );
    await Promise.all([log(nodeKey, data).expect(200), log(nodeKey, data).expect(200)]);
    await log(nodeKey, data).expect(200);
    const { body } = await api.get(`/v1/devices/${deviceId}/encryption/history`).expect(200);
    expect(body.items).toHaveLength(2);
  });

  it('may be larger than other bodies, but not without end', async () => {
    await log('nobody', ['x'.repeat(300 * 1024)]).expect(200);
    const answer = await log('nobody', ['x'.repeat(5 * 1024 * 1024)]).expect(413);
    expect(answer.body.detail).toContain('4096 kB');
    await post('config', { node_key: 'x'.repeat(300 * 1024) }).expect(413);
  });
});

describe('what is asked at once', () => {
  it('is asked when a machine enrols and when somebody asks, and answered once', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    const read = async () => (await post('distributed/read', { node_key: nodeKey }).expect(200)).body;
    const asked = await read();
    expect(Object.keys(asked.queries)).toContain('qm_disk_encryption_windows');
    expect(Object.keys(asked.discovery).toSorted()).toEqual(Object.keys(asked.queries).toSorted());
    const rows = [{ ...PROTECTED_BITLOCKER, osquery_version: '5.24.0' }];
    const answer = { queries: { qm_disk_encryption_windows: rows }, statuses: { qm_disk_encryption_windows: 0 } };
    await post('distributed/write', { node_key: nodeKey, ...answer }).expect(200);
    expect(await known(deviceId)).toMatchObject({ state: 'encrypted' });
    expect(await read()).toEqual({ queries: {}, node_invalid: false });
    const node = await nodeOf(deviceId);
    await api.post(`/v1/osquery/nodes/${node?.id}/ask`).expect(200);
    expect(Object.keys((await read()).queries)).toContain('qm_disk_encryption_windows');
  });

  it('and fails is no answer, whatever rows come with it', async () => {
    const { deviceId, nodeKey } = await anEnrolled();
    const failed = {
      queries: { ...WRITTEN.queries, qm_disk_encryption_windows: [FRESH_BITLOCKER] },
      statuses: { ...WRITTEN.statuses, qm_disk_encryption_windows: 1 },
      messages: { qm_disk_encryption_windows: 'no such table: bitlocker_info' },
    };
    await post('distributed/write', { node_key: nodeKey, ...failed }).expect(200);
    expect(await known(deviceId)).toMatchObject({
      state: 'unknown',
      answer: null,
      askedInVain: { why: 'the query failed: status 1: no such table: bitlocker_info' },
    });
    const { body } = await api.get(`/v1/devices/${deviceId}/encryption/history`).expect(200);
    expect(body.items).toHaveLength(1);
  });
});

it('whoever tries keys is slowed down, and nobody with a right one is', async () => {
  const { nodeKey } = await anEnrolled();
  const tries = Array.from({ length: 80 }, () => post('config', { node_key: 'wrong' }));
  const statuses = (await Promise.all(tries)).map(({ status }) => status);
  expect(statuses).toContain(429);
  expect((await post('config', { node_key: nodeKey }).expect(200)).body.node_invalid).toBe(false);
});
