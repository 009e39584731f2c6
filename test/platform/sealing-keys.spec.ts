import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/data-source.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { KeyProviderError, type KeyProvider } from '../../src/platform/crypto/key-provider.js';
import { Keyring, type KeyLife } from '../../src/platform/crypto/keyring.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { AgeProvider } from '../../src/platform/crypto/providers/age-provider.js';
import { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { RecoveryVault } from '../../src/platform/crypto/recovery-vault.service.js';
import { RewrapSecrets } from '../../src/platform/crypto/rewrap-secrets.service.js';
import { SealingKeys } from '../../src/platform/crypto/sealing-keys.service.js';
import { KeysAway, SecretError } from '../../src/platform/crypto/secret-error.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { inTransaction } from '../../src/platform/database/transaction.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { anInstallation } from '../factories/installations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

/** One process of the service, as far as secrets go. */
interface Process {
  db: DataSource;
  keyring: Keyring;
  vault: SecretVault;
  keys: SealingKeys;
  rewrap: RewrapSecrets;
  seal: (text: string) => Promise<string>;
  open: (id: string) => Promise<string>;
}

let database: TestDatabase;
let installation: InstallationKey;
let identityFile: string;
/** Connections of two processes, taken in turn. */
let pools: DataSource[] = [];
let entriesBefore: number;

beforeAll(async () => {
  identityFile = join(await mkdtemp(join(inject('runFolder'), 'sealing-')), 'identity');
  await makeAgeIdentity(identityFile);
  database = await createTestDatabase();
  const connect = () => createDataSource({ url: database.url, applicationName: 'test', poolSize: 4 }).initialize();
  pools = await Promise.all([connect(), connect()]);
});
afterAll(async () => {
  await Promise.all(pools.map((db) => db.destroy()));
  await database?.drop();
});
beforeEach(async () => {
  installation = new InstallationKey(randomBytes(32));
  const { db } = await start();
  for (const table of ['secrets', 'sealing_keys', 'installation']) await db.query(`DELETE FROM ${table}`);
  await anInstallation(db.manager, { keyFingerprint: installation.fingerprint });
  entriesBefore = (await auditEntries(db)).length;
});

async function start(
  providers?: readonly KeyProvider[],
  { life, clock }: { life?: KeyLife; clock?: () => number } = {},
): Promise<Process> {
  const db = takeTurns();
  const given = providers ?? [new AgeProvider(await loadAgeIdentities(identityFile))];
  const keyring = new Keyring(installation, given, life, clock);
  const vault = new SecretVault(keyring);
  const audit = new AuditService();
  const recovery = new RecoveryRing();
  const process: Process = {
    db,
    keyring,
    vault,
    keys: new SealingKeys(db, keyring, audit),
    rewrap: new RewrapSecrets(db, keyring, recovery, vault, new RecoveryVault(recovery), audit),
    seal: (text) => inTransaction(db, (tx) => vault.seal(tx, 'test', text)),
    open: (id) => vault.open(db.manager, id),
  };
  return process;
}

const underWhat = async ({ db }: Process, id: string) =>
  (await db.query<{ key_fingerprint: string }[]>(`SELECT key_fingerprint FROM secrets WHERE id = $1`, [id]))[0]
    ?.key_fingerprint;

function takeTurns(): DataSource {
  const [next, ...rest] = pools;
  if (!next) throw new Error('nobody is connected');
  pools = [...rest, next];
  return next;
}

const auditEntries = (db: DataSource) =>
  db.query<{ action: string; facts: unknown }[]>(`SELECT action, facts FROM audit_entries ORDER BY at, id`);

const audited = async ({ db }: Process) => (await auditEntries(db)).slice(entriesBefore);

describe('a rotation', () => {
  it('seals under the new key from then on, in every process, and opens what is under the old one', async () => {
    const [one, other] = [await start(), await start()];
    const before = await one.seal('before');
    expect(await underWhat(one, before)).toBe(installation.fingerprint);
    const fingerprint = await one.keys.rotate(SYSTEM, 'age');
    const after = await other.seal('after');
    expect(await underWhat(one, after)).toBe(fingerprint);
    for (const process of [one, other]) {
      expect([await process.open(before), await process.open(after)]).toEqual(['before', 'after']);
    }
    expect(await one.keys.list()).toMatchObject([
      { fingerprint, provider: 'age', state: 'current', secrets: 1, ring: 'standard' },
      { fingerprint: installation.fingerprint, provider: 'key-file', state: 'opening', secrets: 1 },
    ]);
  });

  it('brings every secret under the new key without opening it, and is audited with counts and no more', async () => {
    const one = await start();
    const ids = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((text) => one.seal(text)));
    const sealed = () => one.db.query<object[]>(`SELECT id, sealed FROM secrets ORDER BY id`);
    const before = await sealed();
    const fingerprint = await one.keys.rotate(SYSTEM, 'age');
    const progress: number[] = [];
    expect(await one.rewrap.run(SYSTEM, { batch: 2, onProgress: (done) => progress.push(done) })).toEqual({
      rewrapped: 5,
      broken: [],
    });
    expect(progress.slice(0, 3)).toEqual([2, 4, 5]);
    expect(await sealed()).toEqual(before);
    for (const id of ids) expect(await underWhat(one, id)).toBe(fingerprint);
    expect(await Promise.all(ids.map(one.open))).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await audited(one)).toEqual([
      { action: 'sealing-key.made', facts: { provider: 'age', keyName: expect.stringMatching(/^age1/) } },
      { action: 'secrets.rewrapped', facts: { count: 2 } },
      { action: 'secrets.rewrapped', facts: { count: 2 } },
      { action: 'secrets.rewrapped', facts: { count: 1 } },
    ]);
  });

  it('can be interrupted after any batch, and goes on from there', async () => {
    const one = await start();
    const ids = await Promise.all(Array.from({ length: 9 }, (_, index) => one.seal(`secret ${index}`)));
    await one.keys.rotate(SYSTEM, 'age');
    const interrupted = new AbortController();
    const first = await one.rewrap.run(SYSTEM, {
      batch: 2,
      signal: interrupted.signal,
      onProgress: () => interrupted.abort(),
    });
    expect(first.rewrapped).toBe(2);
    expect(await one.rewrap.left()).toBe(7);
    expect(await Promise.all(ids.map(one.open))).toEqual(ids.map((_, index) => `secret ${index}`));
    expect((await one.rewrap.run(SYSTEM)).rewrapped).toBe(7);
    expect(await one.rewrap.left()).toBe(0);
  });

  it('names a secret that was changed, leaves it as it is, and brings the others over', async () => {
    const one = await start();
    const [broken, whole] = [await one.seal('broken'), await one.seal('whole')];
    await one.db.query(
      `UPDATE secrets SET wrapped_key = set_bit(wrapped_key, 300, 1 - get_bit(wrapped_key, 300)) WHERE id = $1`,
      [broken],
    );
    const fingerprint = await one.keys.rotate(SYSTEM, 'age');
    expect(await one.rewrap.run(SYSTEM)).toMatchObject({ rewrapped: 1, broken: [{ id: broken, purpose: 'test' }] });
    expect(await underWhat(one, whole)).toBe(fingerprint);
    expect(await one.rewrap.check()).toMatchObject({ opened: 1, broken: [{ id: broken }] });
    await expect(one.keys.retire(SYSTEM, installation.fingerprint)).rejects.toThrow(/^1 secret\(s\) are sealed under/);
  });

  it('changes nothing when the provider does not give back what it was given', async () => {
    const forgetful: KeyProvider = {
      kind: 'transit',
      keyName: 'forgetful',
      wrap: async () => Buffer.from('nothing'),
      unwrap: async () => randomBytes(32),
    };
    const one = await start([forgetful]);
    await expect(one.keys.rotate(SYSTEM, 'transit')).rejects.toThrow(/gives another key back/);
    expect(await one.keys.list()).toMatchObject([{ fingerprint: installation.fingerprint, state: 'current' }]);
    expect(await audited(one)).toEqual([]);
  });
});

describe('retiring a key', () => {
  it('is refused for the key that seals, for an unknown one, and while anything is under it', async () => {
    const one = await start();
    await one.seal('kept');
    await expect(one.keys.retire(SYSTEM, installation.fingerprint)).rejects.toThrow(/seals at present/);
    const fingerprint = await one.keys.rotate(SYSTEM, 'age');
    await expect(one.keys.retire(SYSTEM, fingerprint)).rejects.toThrow(/seals at present/);
    await expect(one.keys.retire(SYSTEM, 'none')).rejects.toThrow(/no sealing key none/);
    await expect(one.keys.retire(SYSTEM, installation.fingerprint)).rejects.toThrow(/1 secret\(s\).*secrets rewrap/);
    await one.rewrap.run(SYSTEM);
    await one.keys.retire(SYSTEM, installation.fingerprint);
    expect(await one.keys.list()).toMatchObject([{ state: 'current' }, { state: 'retired', secrets: 0 }]);
  });

  it('waits for whoever is sealing under it, and then refuses', async () => {
    const one = await start();
    let sealed = '';
    let retired: Promise<unknown> = Promise.resolve();
    await one.db.transaction(async (tx) => {
      sealed = await one.vault.seal(tx, 'test', 'in the making');
      await one.db.query(
        `INSERT INTO sealing_keys (fingerprint, ring, provider, key_name, state) VALUES ($1, 'standard', 'key-file', $1, 'opening')`,
        [installation.fingerprint],
      );
      retired = one.keys.retire(SYSTEM, installation.fingerprint).catch((error: unknown) => error);
      await waitForLock(one);
    });
    expect(String(await retired)).toContain('1 secret(s) are sealed under');
    expect(await one.open(sealed)).toBe('in the making');
  });

  it('is final: a process that still takes it for the key that seals can not seal under it', async () => {
    const [one, late] = [await start(), await start()];
    await one.keys.rotate(SYSTEM, 'age');
    await one.keys.retire(SYSTEM, installation.fingerprint);
    const old = new SecretVault(new Keyring(installation));
    const column = `INSERT INTO secrets (id, purpose, key_fingerprint, wrapped_key, sealed) VALUES ($1, 'x', $2, '', '')`;
    await expect(late.db.query(column, [randomUUID(), installation.fingerprint])).rejects.toThrow(/is retired/);
    await expect(late.db.transaction((tx) => old.seal(tx, 'x', 'y'))).rejects.toThrow(KeysAway);
  });
});

describe('under load', () => {
  it('two processes seal, open and destroy while keys are rotated, rewrapped and retired, and nothing is lost', async () => {
    const [one, other] = [await start(), await start()];
    const kept = new Map<string, string>();
    let isOver = false;
    const rounds = [0, 0];
    const work = async (process: Process, index: 0 | 1) => {
      while (!isOver) {
        const text = randomUUID();
        const id = await process.seal(text);
        expect(await process.open(id)).toBe(text);
        if ((rounds[index] = (rounds[index] ?? 0) + 1) % 4 === 0) {
          await inTransaction(process.db, (tx) => process.vault.destroy(tx, id));
        } else kept.set(id, text);
        const [some] = kept;
        if (some) expect(await (index === 0 ? other : one).open(some[0])).toBe(some[1]);
      }
    };
    const load = Promise.all([work(one, 0), work(other, 1), work(one, 0), work(other, 1)]);
    const retired: string[] = [];
    try {
      for (const provider of ['age', 'key-file', 'age'] as const) {
        const [{ fingerprint: old } = { fingerprint: '' }] = await one.keys.list();
        await one.keys.rotate(SYSTEM, provider);
        const target = kept.size + 20;
        const killed = new AbortController();
        await Promise.all([
          one.rewrap.run(SYSTEM, { batch: 3, signal: killed.signal, onProgress: () => killed.abort() }),
          other.rewrap.run(SYSTEM, { batch: 5 }),
          one.rewrap.run(SYSTEM, { batch: 7 }),
        ]);
        // A seal that was under way when the key changed may have come after.
        for (;;) {
          const refused = await other.keys.retire(SYSTEM, old).then(
            () => false,
            () => true,
          );
          if (!refused && kept.size >= target) break;
          await one.rewrap.run(SYSTEM, { batch: 5 });
        }
        retired.push(old);
      }
    } finally {
      isOver = true;
      await load;
    }
    expect(Math.min(...rounds)).toBeGreaterThan(0);
    expect(kept.size).toBeGreaterThan(60);
    const fresh = await start();
    for (const [id, text] of kept) expect(await fresh.open(id)).toBe(text);
    const keys = await fresh.keys.list();
    expect(
      keys
        .filter(({ state }) => state === 'retired')
        .map(({ fingerprint }) => fingerprint)
        .toSorted(),
    ).toEqual(retired.toSorted());
    for (const key of keys) expect(key.state === 'retired' ? key.secrets : 0).toBe(0);
    expect(await fresh.rewrap.check()).toEqual({ opened: kept.size, unchecked: 0, broken: [] });
  });
});

describe('a provider that is away', () => {
  /** A provider that can be switched off, and that counts. */
  class Switchable implements KeyProvider {
    readonly kind = 'transit';
    readonly keyName = 'switchable';
    trouble: KeyProviderError | null = null;
    asked = 0;
    private readonly inner = new Keyring(new InstallationKey(randomBytes(32))).provider('key-file');

    async wrap(key: Buffer, fingerprint: string): Promise<Buffer> {
      if (this.trouble) throw this.trouble;
      return this.inner.wrap(key, fingerprint);
    }

    async unwrap(wrapped: Buffer, fingerprint: string): Promise<Buffer> {
      this.asked += 1;
      if (this.trouble) throw this.trouble;
      return this.inner.unwrap(wrapped, fingerprint, this.inner.keyName);
    }
  }

  const away = new KeyProviderError('away', 'The Transit server does not answer.');
  const life: KeyLife = { renewAfter: 100, dropAfter: 1_000, askAgainAfter: 10 };
  let now: number;
  let provider: Switchable;
  let process: Process;
  let id: string;

  beforeEach(async () => {
    now = 0;
    provider = new Switchable();
    process = await start([provider], { life, clock: () => now });
    await process.keys.rotate(SYSTEM, 'transit');
    id = await process.seal('kept');
    provider.asked = 0;
  });

  it('is asked once for many secrets, and anew when a while has passed', async () => {
    await Promise.all(Array.from({ length: 20 }, () => process.open(id)));
    expect(await process.keyring.renew(process.db.manager)).toEqual([]);
    expect(provider.asked).toBe(0);
    now = life.renewAfter;
    expect(await process.keyring.renew(process.db.manager)).toEqual([]);
    expect(provider.asked).toBe(1);
  });

  it('takes nothing away while the key in memory is young, and makes work wait after that, until it is back', async () => {
    provider.trouble = away;
    now = life.dropAfter - 1;
    expect(await process.keyring.renew(process.db.manager)).toMatchObject([{ provider: 'transit', error: away }]);
    expect(process.keyring.isTroubled).toBe(true);
    expect(await process.open(id)).toBe('kept');
    now = life.dropAfter;
    await expect(process.open(id)).rejects.toThrow(KeysAway);
    await expect(process.seal('more')).rejects.toThrow(KeysAway);
    const asked = provider.asked;
    await expect(process.open(id)).rejects.toThrow(KeysAway);
    expect(provider.asked).toBe(asked);
    provider.trouble = null;
    now += life.askAgainAfter;
    expect(await process.open(id)).toBe('kept');
    expect(await process.keyring.renew(process.db.manager)).toEqual([]);
    expect(process.keyring.isTroubled).toBe(false);
  });

  it('is obeyed at once when it says no', async () => {
    provider.trouble = new KeyProviderError('refused', 'The key is disabled.');
    now = life.renewAfter;
    await process.keyring.renew(process.db.manager);
    const error = await process.open(id).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KeysAway);
    expect(error).toMatchObject({ cause: provider.trouble, kind: 'keys-away' });
    expect(String(error)).not.toContain('disabled');
  });

  it('is no trouble of secrets under other keys', async () => {
    const other = await start();
    await other.db.query(`UPDATE sealing_keys SET state = 'opening'`);
    const elsewhere = await other.keys.rotate(SYSTEM, 'age');
    const second = await other.seal('under age');
    expect(await underWhat(other, second)).toBe(elsewhere);
    const open = await other.vault.load(other.db.manager, [id, second]);
    expect(open(second)).toBe('under age');
    expect(() => open(id)).toThrow(KeysAway);
  });

  it('and a key that somebody else wrote into the database is not used', async () => {
    await process.db.query(`UPDATE sealing_keys SET wrapped = $1 WHERE state = 'current'`, [randomBytes(60)]);
    const fresh = await start([provider], { life, clock: () => now });
    const error = await fresh.open(id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'keys-away', cause: { kind: 'damaged' } });
    await process.db.query(`UPDATE secrets SET key_fingerprint = 'unknown' WHERE id = $1`, [id]);
    await expect(fresh.open(id)).rejects.toThrow(SecretError);
  });
});

async function waitForLock({ db }: Process): Promise<void> {
  await waitFor('retiring waits for the lock', async () => {
    const [row] = await db.query<{ waits: boolean }[]>(
      `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waits`,
    );
    return row?.waits;
  });
}
