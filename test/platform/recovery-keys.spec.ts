import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeKeyFile } from '../../src/platform/crypto/key-file.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { RecoveryVault } from '../../src/platform/crypto/recovery-vault.service.js';
import { RewrapSecrets } from '../../src/platform/crypto/rewrap-secrets.service.js';
import { SealingKeys } from '../../src/platform/crypto/sealing-keys.service.js';
import { SecretError } from '../../src/platform/crypto/secret-error.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { aDevice } from '../factories/devices.js';
import { startRecordsApp, type RecordsApp } from '../factories/records-app.js';
import { startProcess } from '../support/processes.js';

const CANARY = 'canary-470547-480865-118294';

let folder: string;
let records: RecordsApp;
let recipient: string;

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'recovery-'));
  recipient = await makeAgeIdentity(join(folder, 'identity'));
  const identities = await loadAgeIdentities(join(folder, 'identity'));
  records = await startRecordsApp([], {}, { recoveryRing: new RecoveryRing([recipient], identities) });
});
afterAll(() => records?.close());

const everyRow = async (table: string) =>
  JSON.stringify(await records.db.query<object[]>(`SELECT t::text AS row FROM ${table} t`));

describe('/v1/devices/:id/recovery-keys', () => {
  it('keeps a key beside those before it, and lists none of them', async () => {
    const api = await records.caller('devices:read', 'devices:write');
    const { id } = await aDevice(records.db.manager);
    const path = `/v1/devices/${id}/recovery-keys`;
    expect((await api.get(path).expect(200)).body).toEqual({ items: [] });
    const keep = (key: string) => api.post(path).send({ key, protects: 'filevault', source: 'imaging bench 2' });
    const first = await keep(`${CANARY}-1`).expect(201);
    const second = await keep(`${CANARY}-2`).expect(201);
    expect(first.body).toMatchObject({
      protects: 'filevault',
      source: 'imaging bench 2',
      keptBy: 'test',
      revealedAt: null,
    });
    const { body } = await api.get(path).expect(200);
    expect(body.items.map((one: { id: string }) => one.id)).toEqual([second.body.id, first.body.id]);
    expect(JSON.stringify([first.body, body]) + records.log()).not.toContain('canary-4705');
    await api.post(path).send({ key: CANARY, protects: 'magic', source: 'x' }).expect(400);
    await api
      .post(`/v1/devices/${first.body.id}/recovery-keys`)
      .send({ key: CANARY, protects: 'luks', source: 'x' })
      .expect(404);
  });

  it('shows one to who may, for a reason that is written down first; reading devices is not enough', async () => {
    const { id } = await aDevice(records.db.manager);
    const path = `/v1/devices/${id}/recovery-keys`;
    const keeper = await records.caller('devices:read', 'devices:write');
    const kept = await keeper.post(path).send({ key: CANARY, protects: 'luks', source: 'a bench' }).expect(201);
    const reveal = `${path}/${kept.body.id}/reveal`;
    await keeper.post(reveal).send({ reason: 'a forgotten password' }).expect(403);
    const helper = await records.caller('devices:reveal-recovery-keys');
    await helper.post(reveal).send({}).expect(400);
    await helper.post(reveal).set('Idempotency-Key', 'again').send({ reason: 'a forgotten password' }).expect(400);
    expect((await keeper.get(path)).body.items[0].revealedAt).toBeNull();
    const shown = await helper.post(reveal).send({ reason: 'a forgotten password' }).expect(200);
    expect(shown.body).toEqual({ key: CANARY });
    expect(shown.headers['cache-control']).toBe('no-store');
    expect((await keeper.get(path)).body.items[0].revealedAt).not.toBeNull();
    const entries = await everyRow(`(SELECT * FROM audit_entries WHERE subject_id = '${id}')`);
    expect(entries).toContain('recovery-key.revealed');
    for (const table of [
      'audit_entries',
      'audit_personal_fields',
      'secrets',
      'recovery_keys',
      'recovery_key_reveals',
    ]) {
      expect(await everyRow(table)).not.toContain(CANARY);
    }
    expect(records.log()).not.toContain(CANARY);
  });

  it('never loses one: no row can be changed or deleted, and no device takes its keys with it', async () => {
    const { id } = await aDevice(records.db.manager);
    const api = await records.caller('devices:write');
    await api.post(`/v1/devices/${id}/recovery-keys`).send({ key: CANARY, protects: 'luks', source: 'x' }).expect(201);
    for (const sql of [`DELETE FROM recovery_keys`, `UPDATE recovery_keys SET secret_id = id`, `DELETE FROM devices`]) {
      await expect(records.db.query(sql)).rejects.toThrow(/stay as they are|foreign key/);
    }
  });
});

describe('a worker', () => {
  it('keeps a recovery key and can’t open it, whatever else it holds', async () => {
    const { manager } = records.db;
    // All that a worker has: the database, the installation's key with every sealing key, and the recipients.
    const installation = records.app.get(InstallationKey);
    const ring = new RecoveryRing([recipient]);
    const id = await new RecoveryVault(ring).seal(manager, 'recovery-key', CANARY);
    await expect(new RecoveryVault(ring).open(manager, id)).rejects.toThrow(
      /can’t open recovery keys.*RECOVERY_IDENTITY_FILE/,
    );
    await expect(new SecretVault(new Keyring(installation)).open(manager, id)).rejects.toThrow(SecretError);
    const [row] = await manager.query<{ wrapped_key: Buffer }[]>(`SELECT wrapped_key FROM secrets WHERE id = $1`, [id]);
    expect(row?.wrapped_key.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
    // Who has the identity opens it.
    expect(await records.app.get(RecoveryVault).open(manager, id)).toBe(CANARY);
  });

  it('refuses to start with the identity', async () => {
    await makeKeyFile(join(folder, 'key'));
    const worker = startProcess({
      program: 'dist/src/worker.main.js',
      args: ['--lanes', 'standard,bulk'],
      env: {
        DATABASE_URL: 'postgres://x@127.0.0.1:1/x',
        QUARTERMASTER_KEY_FILE: join(folder, 'key'),
        RECOVERY_IDENTITY_FILE: join(folder, 'identity'),
      },
    });
    expect(await worker.ended).toEqual({ code: 2, signal: null });
    expect(worker.output()).toContain('a worker must not be able to open recovery keys');
  });
});

describe('the key of recovery keys', () => {
  it('is changed like any other: everything goes under the new one, and the old identity opens nothing more', async () => {
    const { db } = records;
    const next = await makeAgeIdentity(join(folder, 'next'));
    const [old, both] = [
      await loadAgeIdentities(join(folder, 'identity')),
      [...(await loadAgeIdentities(join(folder, 'next'))), ...(await loadAgeIdentities(join(folder, 'identity')))],
    ];
    const id = await records.app.get(RecoveryVault).seal(db.manager, 'recovery-key', CANARY);
    const ring = new RecoveryRing([next], both);
    const keyring = new Keyring(records.app.get(InstallationKey));
    const vault = new RecoveryVault(ring);
    const audit = new AuditService();
    const rewrap = new RewrapSecrets(db, keyring, ring, new SecretVault(keyring), vault, audit);
    expect(await vault.open(db.manager, id)).toBe(CANARY);
    const all = await rewrap.left('recovery');
    expect(all).toBeGreaterThan(0);
    expect(await rewrap.run(SYSTEM, { ring: 'recovery', batch: 2 })).toEqual({ rewrapped: all, broken: [] });
    expect(await rewrap.left('recovery')).toBe(0);
    expect(await vault.open(db.manager, id)).toBe(CANARY);
    await expect(new RecoveryVault(new RecoveryRing([next], old)).open(db.manager, id)).rejects.toThrow(SecretError);
    const keys = new SealingKeys(db, keyring, audit);
    const listed = (await keys.list()).filter((key) => key.ring === 'recovery');
    expect(listed).toMatchObject([
      { state: 'current', secrets: all, keyName: next },
      { state: 'opening', secrets: 0, keyName: recipient },
    ]);
    await keys.retire(SYSTEM, listed[1]?.fingerprint ?? '');
    expect(await rewrap.check()).toMatchObject({ unchecked: 0, broken: [] });
  });

  it('has to be set up before a recovery key can be kept', async () => {
    const vault = new RecoveryVault(new RecoveryRing());
    await expect(vault.seal(records.db.manager, 'recovery-key', randomBytes(8).toString('hex'))).rejects.toThrow(
      /RECOVERY_RECIPIENTS is not set/,
    );
  });
});
