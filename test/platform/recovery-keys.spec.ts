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
import { aBrakeLimit } from '../factories/brake-limits.js';
import { aDevice } from '../factories/devices.js';
import { aUser, type User } from '../factories/identities.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { startProcess } from '../support/processes.js';

const CANARY = 'canary-470547-480865-118294';

let folder: string;
let records: ServiceApp;
let recipient: string;

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'recovery-'));
  recipient = await makeAgeIdentity(join(folder, 'identity'));
  const identities = await loadAgeIdentities(join(folder, 'identity'));
  records = await startServiceApp({ recoveryRing: new RecoveryRing([recipient], identities) });
});
afterAll(() => records?.close());

const everyRow = async (table: string) =>
  JSON.stringify(await records.db.query<object[]>(`SELECT t::text AS row FROM ${table} t`));

describe('/v1/devices/:id/recovery-keys', () => {
  it('keeps a key beside those before it, and lists none of them', async () => {
    const api = await records.caller('test', 'devices:read', 'devices:write');
    const { id } = await aDevice(records.db.manager);
    const path = `/v1/devices/${id}/recovery-keys`;
    expect((await api.get(path).expect(200)).body).toEqual({ items: [], notRevealedSinceRotation: true });
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
    const keeper = await records.caller('test', 'devices:read', 'devices:write');
    const kept = await keeper.post(path).send({ key: CANARY, protects: 'luks', source: 'a bench' }).expect(201);
    const reveal = `${path}/${kept.body.id}/reveal`;
    await keeper.post(reveal).send({ reason: 'a forgotten password' }).expect(403);
    const helper = await records.caller('test', 'devices:reveal-recovery-keys');
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
    const api = await records.caller('test', 'devices:write');
    await api.post(`/v1/devices/${id}/recovery-keys`).send({ key: CANARY, protects: 'luks', source: 'x' }).expect(201);
    for (const sql of [`DELETE FROM recovery_keys`, `UPDATE recovery_keys SET secret_id = id`, `DELETE FROM devices`]) {
      await expect(records.db.query(sql)).rejects.toThrow(/stay as they are|stays on record/);
    }
  });
});

/** A device that somebody has, or that is in stock, with one key. */
async function aDeviceWithKey(holderId: string | null = null, key = CANARY) {
  const device = await aDevice(records.db.manager, holderId === null ? {} : { holderId });
  const api = await records.caller('bench', 'devices:write');
  const path = `/v1/devices/${device.id}/recovery-keys`;
  const { body } = await api.post(path).send({ key, protects: 'filevault', source: 'a bench' }).expect(201);
  return { device, keyId: body.id as string, path, reveal: `${path}/${body.id}/reveal` };
}

const reason = 'They forgot their password.';

describe('one person alone', () => {
  it('reads three keys within a day, by whichever sign-in or token; the same again is none more', async () => {
    const tx = records.db.manager;
    const { id: personId } = await aPerson(tx);
    const grace = await aUser(records.app, 'security', { name: 'Grace', personId });
    const again = await aUser(records.app, 'owner', { name: 'Grace on her phone', personId });
    const linus = await aUser(records.app, 'security', { name: 'Linus' });
    const [first, second, third, fourth] = [
      await aDeviceWithKey(),
      await aDeviceWithKey(),
      await aDeviceWithKey(),
      await aDeviceWithKey(),
    ];
    for (const { reveal } of [first, second, first]) await grace.agent.post(reveal).send({ reason }).expect(200);
    await again.agent.post(third.reveal).send({ reason }).expect(200);
    const token = { name: 'script', scopes: ['devices:reveal-recovery-keys'], ownerPersonId: personId };
    const { body } = await again.agent.post('/v1/tokens').send(token).expect(201);
    const refused = await records.stranger
      .post(fourth.reveal)
      .set('Authorization', `Bearer ${body.token}`)
      .send({ reason })
      .expect(403);
    expect(refused.body.detail).toContain('/v1/recovery-key-reveals');
    await grace.agent.post(fourth.reveal).send({ reason }).expect(403);
    await linus.agent.post(fourth.reveal).send({ reason }).expect(200);

    await aBrakeLimit(records.app, 'reveals', 4);
    await grace.agent.post(fourth.reveal).send({ reason }).expect(200);
    await aBrakeLimit(records.app, 'reveals', 3);
    const share = { atLeast: 3, sharePercent: 1, reason };
    await again.agent.put('/v1/brake-limits/reveals').send(share).expect(400);
  });

  it('is all tokens that are nobody’s, together', async () => {
    const reveal = async (path: string) =>
      (await records.caller('another program', 'devices:reveal-recovery-keys')).post(path).send({ reason });
    // One was read by such a token above.
    for (const expected of [200, 200, 403]) {
      expect((await reveal((await aDeviceWithKey()).reveal)).status).toBe(expected);
    }
  });
});

describe('more than a few keys', () => {
  let grace: User;
  let linus: User;
  let margaret: User;
  beforeAll(async () => {
    grace = await aUser(records.app, 'security', { name: 'Grace Hopper' });
    const { id: personId } = await aPerson(records.db.manager);
    linus = await aUser(records.app, 'approver', { name: 'Linus T', personId });
    margaret = await aUser(records.app, 'approver', { name: 'Margaret' });
  });

  const ask = async (keys: string[]): Promise<{ id: string; plan: object }> =>
    (await grace.agent.post('/v1/recovery-key-reveals').send({ keys, reason }).expect(202)).body;
  const approve = ({ agent }: User, { id }: { id: string }) => agent.post(`/v1/approvals/${id}/approve`).send({});
  const read = ({ agent }: User, { id }: { id: string }) => agent.post(`/v1/recovery-key-reveals/${id}/read`).send({});

  it('are read by who asked, once another person approved exactly them; each is written down, and on-call is told', async () => {
    const holder = await aPerson(records.db.manager);
    await anEmployment(records.db.manager, { personId: holder.id });
    const lent = await aUser(records.app, 'approver', { name: 'Holder', personId: holder.id });
    const devices = [
      await aDeviceWithKey(holder.id, `${CANARY}-a`),
      await aDeviceWithKey(null, `${CANARY}-b`),
      await aDeviceWithKey(null, `${CANARY}-c`),
      await aDeviceWithKey(null, `${CANARY}-d`),
    ];
    const keys = devices.map(({ keyId }) => keyId);
    const request = await ask(keys.toReversed());
    expect(request.plan).toMatchObject({
      keys: devices.map(({ device, keyId }) => ({ id: keyId, deviceId: device.id, assetTag: device.assetTag })),
      wish: { keys },
    });
    expect((await read(grace, request).expect(409)).body.detail).toContain('has to approve this first');
    await approve(grace, request).expect(403);
    expect((await approve(lent, request).expect(403)).body.detail).toContain('themselves');
    await approve(linus, request).expect(200);

    // The approval alone shows nobody anything.
    await read(linus, request).expect(403);
    await read(await aUser(records.app, 'security'), request).expect(403);
    const listed = await grace.agent.get(devices[0]?.path ?? '').expect(200);
    expect(listed.body).toMatchObject({ notRevealedSinceRotation: true, items: [{ rotationAskedAt: null }] });

    const shown = await read(grace, request).expect(200);
    expect(shown.headers['cache-control']).toBe('no-store');
    expect(shown.body.items.map(({ key }: { key: string }) => key)).toEqual(
      ['a', 'b', 'c', 'd'].map((end) => `${CANARY}-${end}`),
    );
    expect((await read(grace, request).expect(409)).body.detail).toContain('read before');
    const entries = await records.db.query<object[]>(
      `SELECT actor_id, subject_id, context ->> 'approvalId' AS approval FROM audit_entries
       WHERE action = 'recovery-key.revealed' AND context ->> 'approvalId' = $1 ORDER BY id`,
      [request.id],
    );
    expect(entries).toEqual(
      devices.map(({ device }) => ({ actor_id: grace.principal, subject_id: device.id, approval: request.id })),
    );
    const [alert] = await records.db.query<{ message: string; owner: string }[]>(
      `SELECT message, owner FROM alerts WHERE kind = 'recovery_key_read' ORDER BY id DESC LIMIT 1`,
    );
    expect(alert?.owner).toBe('security');
    expect(alert?.message).toContain('Grace Hopper read 4 recovery key(s)');
    expect(alert?.message).toContain(`${devices[0]?.device.assetTag} of ${holder.corporateEmail}`);
    // What two people agreed about doesn't count as read alone.
    await grace.agent
      .post((await aDeviceWithKey()).reveal)
      .send({ reason })
      .expect(200);
    for (const table of ['approvals', 'alerts', 'audit_entries', 'recovery_key_reveals', 'recovery_key_rotations']) {
      expect(await everyRow(table)).not.toContain(CANARY);
    }
    expect(records.log()).not.toContain(CANARY);
  });

  it('stay closed when a device changed hands since, when half an hour is over, and when the row was edited', async () => {
    const holder = await aPerson(records.db.manager);
    const { device, keyId } = await aDeviceWithKey(holder.id);
    const [moved, old, forged] = [await ask([keyId]), await ask([keyId]), await ask([keyId])];
    for (const request of [moved, old]) await approve(margaret, request).expect(200);
    await records.db.query(`UPDATE approvals SET decided_at = decided_at - interval '31 minutes' WHERE id = $1`, [
      old.id,
    ]);
    await read(grace, old).expect(410);
    await records.db.query(
      `UPDATE approvals SET state = 'approved', decided_at = now(), decided_by = 'Linus T', decided_by_id = $2 WHERE id = $1`,
      [forged.id, linus.principal],
    );
    expect((await read(grace, forged).expect(409)).body.detail).toContain('changed in the database');
    const api = await records.caller('desk', 'devices:write');
    await api.post(`/v1/devices/${device.id}/return`).send({}).expect(200);
    expect((await read(grace, moved).expect(409)).body.detail).toContain('isn’t what was requested');
    expect(await everyRow(`(SELECT * FROM recovery_key_reveals WHERE recovery_key_id = '${keyId}')`)).toBe('[]');
  });

  it('that aren’t there are asked for by nobody, nor by a token that is nobody’s', async () => {
    const { keyId, device } = await aDeviceWithKey();
    await grace.agent
      .post('/v1/recovery-key-reveals')
      .send({ keys: [keyId, device.id], reason })
      .expect(404);
    const program = await records.caller('program', 'devices:reveal-recovery-keys');
    await program
      .post('/v1/recovery-key-reveals')
      .send({ keys: [keyId], reason })
      .expect(403);
  });
});

describe('a key that somebody may know', () => {
  it('is to be replaced once it was read, until a newer one of its kind is kept', async () => {
    const grace = await aUser(records.app, 'owner', { name: 'Ada Lovelace' });
    const { device, keyId, path, reveal } = await aDeviceWithKey();
    const keep = (protects: string) => grace.agent.post(path).send({ key: CANARY, protects, source: 'a bench' });
    const other = (await keep('luks').expect(201)).body.id as string;
    const asked = async () => {
      const { body } = await grace.agent.get('/v1/recovery-keys?rotationAsked=true').expect(200);
      return (body.items as { id: string; deviceId: string }[]).filter(({ deviceId }) => deviceId === device.id);
    };
    expect(await asked()).toEqual([]);
    await grace.agent.post(reveal).send({ reason }).expect(200);
    expect(await asked()).toMatchObject([
      { id: keyId, assetTag: device.assetTag, rotationAskedAt: expect.any(String), rotationAskedBecause: 'revealed' },
    ]);
    const before = await grace.agent.get(path).expect(200);
    expect(before.body).toMatchObject({
      notRevealedSinceRotation: false,
      items: [
        { id: other, rotationAskedAt: null, isNewest: true },
        { id: keyId, isNewest: true },
      ],
    });
    const newer = (await keep('filevault').expect(201)).body.id as string;
    expect(await asked()).toEqual([]);
    const after = await grace.agent.get(path).expect(200);
    expect(after.body).toMatchObject({
      notRevealedSinceRotation: true,
      items: [
        { id: newer, revealedAt: null, rotationAskedAt: null },
        { id: other },
        { id: keyId, isNewest: false, revealedAt: expect.any(String), rotationAskedAt: null },
      ],
    });
  });

  it('is to be replaced once its holder has the device no more, whoever comes next', async () => {
    const { id: holderId } = await aPerson(records.db.manager);
    const { device, path } = await aDeviceWithKey(holderId);
    const api = await records.caller('desk', 'devices:read', 'devices:write');
    await api.post(`/v1/devices/${device.id}/return`).send({}).expect(200);
    const { body } = await api.get(path).expect(200);
    expect(body.items).toMatchObject([{ rotationAskedBecause: 'handed_back' }]);
    // One that a bench made for the next holder stays good when they get it.
    await api.post(path).send({ key: CANARY, protects: 'filevault', source: 'a bench' }).expect(201);
    const { id: personId } = await aPerson(records.db.manager);
    await api.post(`/v1/devices/${device.id}/assign`).send({ personId }).expect(200);
    expect((await api.get(path).expect(200)).body.items[0]).toMatchObject({ isNewest: true, rotationAskedAt: null });
  });
});

it('a narrowed role keeps, lists and reads keys of its own people’s devices, and finds no others', async () => {
  const tx = records.db.manager;
  const holderIn = async (department: string): Promise<string> => {
    const { id } = await aPerson(tx);
    await anEmployment(tx, { personId: id, department });
    return id;
  };
  const [mine, theirs, stock] = [
    await aDeviceWithKey(await holderIn('Sales')),
    await aDeviceWithKey(await holderIn('Legal')),
    await aDeviceWithKey(),
  ];
  const { agent } = await aUser(records.app, 'security', { department: 'Sales', name: 'Sales security' });
  await agent.get(mine.path).expect(200);
  await agent.get(theirs.path).expect(404);
  await agent.get(stock.path).expect(200);
  await agent.post(mine.reveal).send({ reason }).expect(200);
  for (const { reveal, keyId } of [theirs, stock]) {
    await agent.post(reveal).send({ reason }).expect(404);
    await agent
      .post('/v1/recovery-key-reveals')
      .send({ keys: [mine.keyId, keyId], reason })
      .expect(404);
  }
  const { body } = await agent.get('/v1/recovery-keys').expect(200);
  const seen = (body.items as { id: string }[]).map(({ id }) => id);
  expect(seen).toContain(mine.keyId);
  expect(seen).not.toContain(theirs.keyId);
  const desk = await aUser(records.app, 'helpdesk', { department: 'Sales' });
  const key = { key: CANARY, protects: 'luks', source: 'x' };
  await desk.agent.post(mine.path).send(key).expect(201);
  await desk.agent.post(theirs.path).send(key).expect(404);
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
