import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetEmulator, type FleetEmulatedHost, type FleetRole } from '../../test/emulators/fleet/fleet-emulator.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { ToolError } from '../kit/errors.js';
import { fleetConnector } from './connector.js';
import type { FleetSettings } from './manifest.js';

const KEY = '5ADZ-HTZ8-LJJ4-B2F8-JWH3-YPBT';
const KEPT_AT = new Date('2026-10-01T05:31:43Z');

let fleet: FleetEmulator;
let own: { id: number; email: string; token: string };
beforeAll(async () => {
  fleet = await FleetEmulator.start();
  own = fleet.addUser('quartermaster@acme.example', 'admin');
  fleet.addUser('ada@acme.example', 'maintainer');
  fleet.addHost({ diskEncryptionEnabled: true, escrowedKey: { key: KEY, updatedAt: KEPT_AT } });
  fleet.addHost({ diskEncryptionEnabled: false, platform: 'windows' });
  fleet.addHost({ platform: 'ubuntu', isOnline: false, detailUpdatedAt: null });
});
afterAll(() => fleet?.stop());

function connection(token = own.token) {
  return {
    settings: { baseUrl: fleet.url, pageSize: 2, keepRecoveryKeys: false },
    secrets: { token },
    allowPrivateAddresses: true,
  };
}

async function talk<T>(
  work: (session: ToolSession) => Promise<T> | undefined,
  token?: string,
  settings: Partial<FleetSettings> = {},
): Promise<T | undefined> {
  const call = callWithin(5_000);
  const asked = connection(token);
  const session = await fleetConnector.open({ ...asked, settings: { ...asked.settings, ...settings }, call });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

describe('the Fleet connector', () => {
  const fixture = (): ConformanceFixture<FleetSettings> => ({
    good: connection(),
    wrongSecrets: { token: 'not-a-token' },
    signIn: async () => null,
    observe: async (username) => {
      const user = fleet.users.find(({ email }) => email === username);
      return user ? { externalId: String(user.id), state: 'active', groups: [] } : null;
    },
    ownPrincipal: async () => ({ externalId: String(own.id), username: own.email }),
    group: { kind: 'role', name: 'none' },
    makeTwoWithMark: async () => undefined,
    existing: async () => ({ externalId: '2', username: 'ada@acme.example', email: 'ada@acme.example' }),
    computers: async () =>
      fleet.hosts.map(({ id, serial, diskEncryptionEnabled = null }) => ({
        externalId: String(id),
        serial,
        isEncrypted: diskEncryptionEnabled,
      })),
  });
  for (const check of conformanceChecks(fleetConnector, fixture)) it(check.name, check.run);
});

describe('of a host', () => {
  it('tells when its agent looked, in which version, and nothing of one that never answered', async () => {
    const looked = await talk((session) => session.readDiskEncryption?.('2'));
    expect(looked).toMatchObject({ agent: { name: 'osquery', version: '5.24.0' }, platform: 'windows' });
    expect(looked?.observedAt).toEqual(fleet.hosts[1]?.detailUpdatedAt);
    const never = await talk((session) => session.readDiskEncryption?.('3'));
    expect(never).toMatchObject({ state: 'unknown', observedAt: null, platform: 'linux' });
  });

  it('that a lock or a wipe was asked for is never taken for done', async () => {
    const host = fleet.addHost({ isOnline: false });
    const status = () => talk((session) => session.readDeviceStatus?.(String(host.id)));
    expect(await status()).toMatchObject({ state: 'unlocked', pending: null, requests: [] });
    fleet.request(host, 'lock');
    expect(await status()).toMatchObject({
      state: 'unlocked',
      pending: 'lock',
      requests: [{ what: 'lock' }],
      isOnline: false,
    });
    fleet.comesBy(host);
    expect(await status()).toMatchObject({ state: 'locked', pending: null, isOnline: true });
    host.isOnline = false;
    fleet.request(host, 'wipe');
    fleet.comesBy(host, { fails: true });
    expect(await status()).toMatchObject({
      state: 'locked',
      pending: null,
      requests: [{ what: 'wipe' }, { what: 'lock' }],
    });
    fleet.deleteHost(host);
  });

  it('that has an escrowed key is told without reading the key, which is read only when it is asked for', async () => {
    const keys = (id: string) => talk((session) => session.listRecoveryKeys?.(id));
    expect(await keys('1')).toHaveLength(1);
    expect(await keys('2')).toEqual([]);
    const listed = (settings?: Partial<FleetSettings>) =>
      talk((session) => session.listComputers?.(null), undefined, settings);
    expect((await listed())?.computers[0]).not.toHaveProperty('recoveryKey');
    expect((await listed({ keepRecoveryKeys: true }))?.computers[0]).toMatchObject({ recoveryKey: 'filevault' });
    expect(fleet.requests.filter((request) => request.includes('encryption_key'))).toEqual([]);
    const reveal = (id: string) => talk((session) => session.revealRecoveryKey?.(id));
    expect(await reveal('1')).toEqual({ key: KEY, storedAt: KEPT_AT });
    await expect(reveal('2')).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('is asked by Fleet’s own id and by nothing that leads elsewhere', async () => {
    for (const id of ['../users/1', '1/encryption_key', '', '1?x=1']) {
      await expect(talk((session) => session.readDiskEncryption?.(id))).rejects.toMatchObject({ kind: 'invalid' });
    }
  });
});

describe('an order', () => {
  const order = (host: FleetEmulatedHost, what: 'lockComputer' | 'unlockComputer' | 'wipeComputer', token?: string) =>
    talk((session) => session[what]?.(String(host.id)), token);
  const statusOf = (host: FleetEmulatedHost) => talk((session) => session.readDeviceStatus?.(String(host.id)));

  it('waits at Fleet for a host that is away, and isn’t asked for again while it does', async () => {
    const host = fleet.addHost({ isOnline: false });
    expect(await order(host, 'lockComputer')).toMatchObject({ outcome: 'in-progress' });
    expect(await order(host, 'lockComputer')).toMatchObject({ outcome: 'in-progress' });
    expect(await statusOf(host)).toMatchObject({ state: 'unlocked', pending: 'lock', serial: host.serial });
    fleet.comesBy(host);
    expect(await order(host, 'lockComputer')).toMatchObject({ outcome: 'already' });
    expect(fleet.orders.filter((one) => one === `lock ${host.id}`)).toHaveLength(1);
  });

  it('to wipe waits for a pending lock, and for the unlocking of what is locked; of a Mac a person does that', async () => {
    const host = fleet.addHost({ platform: 'windows', isOnline: false });
    await order(host, 'lockComputer');
    expect((await statusOf(host))?.orders.wipe).toMatchObject({ takes: 'later' });
    await expect(order(host, 'wipeComputer')).rejects.toMatchObject({ kind: 'conflict' });
    fleet.comesBy(host);
    expect((await statusOf(host))?.orders).toMatchObject({
      wipe: { takes: 'once-unlocked' },
      unlock: { takes: 'now' },
    });
    await order(host, 'unlockComputer');
    expect(await order(host, 'wipeComputer')).toMatchObject({ outcome: 'in-progress' });
    expect(await statusOf(host)).toMatchObject({ state: 'wiped', orders: { lock: { takes: 'never' } } });
    const mac = fleet.addHost({ deviceStatus: 'locked' });
    expect((await statusOf(mac))?.orders).toMatchObject({ wipe: { takes: 'never' }, unlock: { takes: 'never' } });
    expect(await order(mac, 'unlockComputer')).toMatchObject({
      outcome: 'action-required',
      instructions: expect.stringContaining('PIN'),
    });
    expect(fleet.orders.filter((one) => one.endsWith(` ${mac.id}`))).toEqual([]);
  });

  it('isn’t given where Fleet has no way to the host, and says which way that is', async () => {
    const withoutMdm = fleet.addHost({ mdmOn: false });
    const withoutScripts = fleet.addHost({ platform: 'ubuntu', scriptsEnabled: false });
    for (const [host, word] of [
      [withoutMdm, 'MDM'],
      [withoutScripts, '--enable-scripts'],
    ] as const) {
      expect((await statusOf(host))?.orders.wipe).toEqual({ takes: 'never', because: expect.stringContaining(word) });
      expect(await order(host, 'lockComputer')).toMatchObject({ outcome: 'action-required' });
    }
  });

  it('that Fleet refuses names what is missing: the role, or Fleet Premium', async () => {
    const host = fleet.addHost();
    const { token } = fleet.addUser('observer@acme.example', 'observer');
    await expect(order(host, 'lockComputer', token)).rejects.toMatchObject({ kind: 'forbidden' });
    fleet.isPremium = false;
    const refused = await order(host, 'lockComputer').catch((error: unknown) => error);
    fleet.isPremium = true;
    expect(refused).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('Fleet Premium') });
    // Between the look and the order somebody else was faster.
    fleet.nextOrder({ status: 409 });
    await expect(order(host, 'lockComputer')).rejects.toMatchObject({ kind: 'conflict' });
  });

  it('whose answer is lost may have been given', async () => {
    const host = fleet.addHost({ isOnline: false });
    fleet.nextOrder('lose-answer');
    await expect(order(host, 'lockComputer')).rejects.toMatchObject({ kind: 'ambiguous' });
    expect(await statusOf(host)).toMatchObject({ pending: 'lock' });
  });
});

describe('a token', () => {
  const check = async (role: FleetRole) => {
    const user = fleet.addUser(`${role}-${randomUUID()}@acme.example`, role);
    return talk((session) => session.check(), user.token);
  };

  it('of an observer only reads; without a global role it misses everything, and says what to do', async () => {
    const missing = async (role: FleetRole) => (await check(role))?.missing.map(({ capability }) => capability);
    expect(await missing('maintainer')).toEqual(['findAccounts', 'getAccount']);
    expect(await missing('observer')).toEqual([
      'lockComputer',
      'unlockComputer',
      'wipeComputer',
      'findAccounts',
      'getAccount',
    ]);
    const none = await check(null);
    expect(none?.missing.map(({ capability }) => capability)).toContain('listComputers');
    expect(none?.missing[0]?.remedy).toContain('observer');
  });

  it('that Fleet refuses, and a Fleet in trouble, are told apart', async () => {
    const failing = (work: Promise<unknown>) =>
      work.then(
        () => 'nothing',
        (error: unknown) => (error instanceof ToolError ? error.kind : error),
      );
    expect(await failing(talk((session) => session.check(), 'wrong'))).toBe('auth-broken');
    for (const [behaviour, kind] of [
      [{ status: 503 }, 'transient'],
      [{ status: 429, headers: { 'retry-after': '7' } }, 'rate-limited'],
      ['swallow-answer', 'transient'],
    ] as const) {
      fleet.next(behaviour);
      expect(await failing(talk((session) => session.check()))).toBe(kind);
    }
  });
});
