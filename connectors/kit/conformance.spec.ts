import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { already, done } from './act-results.js';
import { conformanceChecks, type ConformanceFixture } from './conformance.js';
import { CAPABILITIES, type Connector, type ObservedAccount, type ToolSession } from './contract.js';
import { ToolError } from './errors.js';

const ANY = { permission: 'none' };
const everything = Object.fromEntries(CAPABILITIES.map((capability) => [capability, ANY]));

/** A tool that nobody ever changes: what a connector that does nothing leaves behind. */
const untouchedTool: ConformanceFixture = {
  good: { settings: {}, secrets: {}, allowPrivateAddresses: false },
  wrongSecrets: {},
  group: { kind: 'group', name: 'engineering' },
  signIn: async () => null,
  observe: async (username) => (username === 'service' ? { externalId: '1', state: 'active', groups: [] } : null),
  ownPrincipal: async () => ({ externalId: '1', username: 'service' }),
  makeTwoWithMark: async () => undefined,
  patienceMs: 100,
};

function connectorWith(session: () => ToolSession): Connector {
  const base = { id: 'fake', title: 'Fake', kind: 'api', settings: z.unknown(), secrets: {} } as const;
  return { ...base, capabilities: everything, open: async () => session() };
}

/** Says `done` to everything and shows nothing. */
function idleSession(): ToolSession {
  return {
    check: async () => ({ principal: 'service', version: null, missing: [] }),
    listAccounts: async () => ({ accounts: [], next: null, complete: true }),
    findAccounts: async () => [],
    getAccount: async () => null,
    createAccount: async ({ username }) => done({ externalId: '2', username, credentialVersion: null }),
    suspendAccount: async () => done(null),
    restoreAccount: async () => done(null),
    removeAccount: async () => done(null),
    resetCredentials: async () => done({ credentialVersion: null }),
    revokeAccess: async () => done(null),
    revokeDevice: async () => done(null),
    grant: async () => done(null),
    withdraw: async () => done(null),
    issueCertificate: async () => done({ certificate: '', serial: '1', validUntil: new Date() }),
    getLockdown: async () => null,
    lockDown: async () => done(null),
    liftLockdown: async () => done(null),
    listComputers: async () => ({ computers: [], next: null, complete: true }),
    listRecoveryKeys: async () => [],
    revealRecoveryKey: async () => ({ key: '', storedAt: null }),
    close: async () => undefined,
  };
}

/** Remembers what it was told and shows that, as a cache in front of a tool might, and never tells the tool. */
function pretendingSession(accounts: Map<string, ObservedAccount>): ToolSession {
  const find = (id: string) => {
    const account = accounts.get(id);
    if (!account) throw new ToolError('not-found', 'It is not there.');
    return account;
  };
  const set = (id: string, changes: Partial<ObservedAccount>) => accounts.set(id, { ...find(id), ...changes });
  const setState = (id: string, state: ObservedAccount['state']) => {
    if (find(id).state === state) return already(null);
    set(id, { state });
    return done(null);
  };
  return {
    ...idleSession(),
    listAccounts: async () => ({ accounts: [...accounts.values()], next: null, complete: true }),
    findAccounts: async ({ mark }) =>
      [...accounts.values()].flatMap((account) => (account.mark === mark ? [{ account, matchedBy: 'mark' }] : [])),
    getAccount: async ({ externalId }) => accounts.get(externalId) ?? null,
    async createAccount({ username, mark }) {
      const externalId = randomUUID();
      const nothing = { seen: true, live: 0 } as const;
      const credentialVersion = '1';
      const known = { externalId, username, mark, email: null, state: 'active', credentialVersion } as const;
      accounts.set(externalId, { ...known, sessions: nothing, credentials: nothing, grants: [] });
      return done({ externalId, username, credentialVersion });
    },
    suspendAccount: async ({ externalId }) => setState(externalId, 'suspended'),
    restoreAccount: async ({ externalId }) => setState(externalId, 'active'),
    removeAccount: async ({ externalId }) => (accounts.delete(externalId) ? done(null) : already(null)),
    async resetCredentials({ externalId }) {
      const credentialVersion = randomUUID();
      set(externalId, { credentialVersion });
      return done({ credentialVersion });
    },
    async grant({ externalId }, grant) {
      if (find(externalId).grants?.some(({ name }) => name === grant.name)) return already(null);
      set(externalId, { grants: [grant] });
      return done(null);
    },
    async withdraw({ externalId }) {
      if (!accounts.get(externalId)?.grants?.length) return already(null);
      set(externalId, { grants: [] });
      return done(null);
    },
  };
}

async function failing(connector: Connector): Promise<{ failed: string[]; passed: string[] }> {
  const result = { failed: [] as string[], passed: [] as string[] };
  for (const check of conformanceChecks(connector, () => untouchedTool)) {
    await check.run().then(
      () => result.passed.push(check.name),
      () => result.failed.push(check.name),
    );
  }
  return result;
}

/** These ask nothing of the tool: who the connector says it is, and that its methods match what it declares. */
const ABOUT_THE_CONNECTOR = [
  'says who it is and misses no permission when it has them all',
  'implements exactly what it declares, and all of it was exercised',
];

it('fails a connector that does nothing and says done', async () => {
  const { failed, passed } = await failing(connectorWith(idleSession));
  expect(passed.filter((name) => !ABOUT_THE_CONNECTOR.includes(name))).toEqual([]);
  expect(failed.length).toBeGreaterThanOrEqual(20);
});

it('fails a connector that remembers what it was told and never tells the tool', async () => {
  const accounts = new Map<string, ObservedAccount>();
  const { failed, passed } = await failing(connectorWith(() => pretendingSession(accounts)));
  expect(passed.filter((name) => !ABOUT_THE_CONNECTOR.includes(name))).toEqual([]);
  expect(failed.length).toBeGreaterThanOrEqual(20);
});

it('fails a connector that declares what it doesn’t implement, or implements what it doesn’t declare', async () => {
  const lacking = connectorWith(() => ({ ...idleSession(), grant: undefined }));
  const silent: Connector = { ...connectorWith(idleSession), capabilities: { check: ANY } };
  for (const connector of [lacking, silent]) {
    expect((await failing(connector)).failed).toContain(ABOUT_THE_CONNECTOR[1]);
  }
});
