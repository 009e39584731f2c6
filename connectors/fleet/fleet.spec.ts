import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetEmulator, type FleetRole } from '../../test/emulators/fleet/fleet-emulator.js';
import { conformanceChecks, type ConformanceFixture } from '../kit/conformance.js';
import type { ToolSession } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { fleetConnector } from './connector.js';
import type { FleetSettings } from './manifest.js';

let fleet: FleetEmulator;
let own: { id: number; email: string; token: string };
beforeAll(async () => {
  fleet = await FleetEmulator.start();
  own = fleet.addUser('quartermaster@acme.example', 'admin');
  fleet.addUser('ada@acme.example', 'maintainer');
  fleet.addHost({ diskEncryptionEnabled: true, keyAvailable: true });
  fleet.addHost({ diskEncryptionEnabled: false, platform: 'windows' });
  fleet.addHost({ platform: 'ubuntu', isOnline: false, detailUpdatedAt: null });
});
afterAll(() => fleet?.stop());

function connection(token = own.token) {
  return {
    settings: { baseUrl: fleet.url, pageSize: 2 },
    secrets: { token },
    allowPrivateAddresses: true,
  };
}

async function talk<T>(work: (session: ToolSession) => Promise<T> | undefined, token?: string): Promise<T | undefined> {
  const call = { signal: AbortSignal.timeout(5_000), deadline: new Date(Date.now() + 5_000), attemptId: randomUUID() };
  const session = await fleetConnector.open({ ...connection(token), call });
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
    fleet.hosts.pop();
  });

  it('that has an escrowed key is told without reading the key', async () => {
    const keys = (id: string) => talk((session) => session.listRecoveryKeys?.(id));
    expect(await keys('1')).toHaveLength(1);
    expect(await keys('2')).toEqual([]);
    expect(fleet.requests.filter((request) => request.includes('encryption_key'))).toEqual([]);
  });

  it('is asked by Fleet’s own id and by nothing that leads elsewhere', async () => {
    for (const id of ['../users/1', '1/encryption_key', '', '1?x=1']) {
      await expect(talk((session) => session.readDiskEncryption?.(id))).rejects.toMatchObject({ kind: 'invalid' });
    }
  });
});

describe('a token', () => {
  const check = async (role: FleetRole) => {
    const user = fleet.addUser(`${role}-${randomUUID()}@acme.example`, role);
    return talk((session) => session.check(), user.token);
  };

  it('of an observer misses the users only; without a global role it misses everything, and says what to do', async () => {
    expect((await check('observer'))?.missing.map(({ capability }) => capability)).toEqual([
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
