import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { programOnPath } from '../../scripts/embedded/program-on-path.js';
import { Alert } from '../../src/cases/alert.entity.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { aDevice, aSite } from '../factories/devices.js';
import { aPerson } from '../factories/people.js';
import { aTokenOwner } from '../factories/token-owners.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

/**
 * What the commands print: `luksDump.txt` by cryptsetup 2.6.1 on a header with a passphrase, a recovery key and a TPM with
 * PIN, as systemd-cryptenroll leaves them; the tree of osquery issue 7314 as lsblk 2.38 prints it raw; and cryptsetup's
 * status of a mapping, which needs a device mapper.
 */
const PRINTED = join(import.meta.dirname, 'linux-reporter');
const scriptNamed = (name: string) => join(cloneFolder(), 'ops/reporters', name);
const run = promisify(execFile);
/** Not everybody has it on the path. */
const cryptsetup = programOnPath('cryptsetup') ?? '';

let records: ServiceApp;
let folder: string;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'reporter-'));
  const recipient = await makeAgeIdentity(join(folder, 'identity'));
  const recoveryRing = new RecoveryRing([recipient], await loadAgeIdentities(join(folder, 'identity')));
  records = await startServiceApp({ recoveryRing });
  await records.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(records.app.getHttpServer().address() as AddressInfo).port}`;
  const owner = await aTokenOwner(records.db.manager);
  const { token } = await records.db.transaction((tx) =>
    records.app.get(ApiTokens).create(tx, SYSTEM, { name: 'reporter', scopes: ['devices:write'], ...owner }),
  );
  await writeFile(join(folder, 'token'), token, { mode: 0o600 });
});
afterAll(() => records?.close());

/** A folder of these commands, by name: what a shell would run. */
async function commandsOf(commands: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(folder, 'path-'));
  for (const [name, body] of Object.entries(commands)) {
    await writeFile(join(path, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(path, name), 0o755);
  }
  return path;
}

/** Runs the script with these commands in front of the machine's own. */
async function report(
  deviceId: string,
  commands: Record<string, string>,
  who: (deviceId: string) => Promise<Record<string, string>> = asAnyDevice,
): Promise<void> {
  const env = {
    QM_URL: url,
    ...(await who(deviceId)),
    PATH: `${await commandsOf(commands)}:${process.env['PATH']}`,
  };
  await run('sh', [scriptNamed('linux-disk-encryption.sh')], { env });
}

/** With an API token, which may speak for any device. */
const asAnyDevice = async (deviceId: string) => ({ QM_DEVICE: deviceId, QM_TOKEN_FILE: join(folder, 'token') });

/** With the token of the device, on a machine of this serial number. */
async function asItself(deviceId: string, serial: string): Promise<Record<string, string>> {
  const { body } = await (await records.caller()).post(`/v1/devices/${deviceId}/token`).expect(201);
  const path = await mkdtemp(join(folder, 'machine-'));
  await writeFile(join(path, 'token'), body.token, { mode: 0o600 });
  await writeFile(join(path, 'serial'), `${serial}\n`);
  return {
    PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
    QM_URL: url,
    QM_TOKEN_FILE: join(path, 'token'),
    QM_SERIAL_FILE: join(path, 'serial'),
    QM_STATE: path,
    QM_RUN: path,
  };
}

const PLAIN = {
  lsblk: `case "$*" in *-nrpso*) echo "$3 part" ;; *) echo '/dev/vda1 0 0 /' ;; esac`,
  cryptsetup: 'exit 4',
};

const known = async (deviceId: string) =>
  (await (await records.caller()).get(`/v1/devices/${deviceId}/encryption`).expect(200)).body;

it('the shell reporter tells of LUKS below LVM, with its cipher and what opens it', async () => {
  const { id } = await aDevice(records.db.manager);
  const above = `case "$*" in *-nrpso*data-root) cat ${PRINTED}/lsblk-above-root.txt ;; *-nrpso*) echo "$3 part" ;; *) cat ${PRINTED}/lsblk.txt ;; esac`;
  const luks = `case "$1 $2" in 'status /dev/mapper/cryptdata') cat ${PRINTED}/status.txt ;; 'luksDump /dev/nvme0n1p3') cat ${PRINTED}/luksDump.txt ;; *) exit 4 ;; esac`;
  await report(id, { lsblk: above, cryptsetup: luks });
  expect(await known(id)).toMatchObject({
    state: 'encrypted',
    answer: {
      source: 'shell reporter',
      agent: 'linux-disk-encryption.sh',
      volumes: [
        {
          volume: '/',
          device: '/dev/mapper/data-root',
          method: 'LUKS2-aes-xts-plain64',
          protectors: ['tpm_pin', 'recovery_key', 'passphrase'],
        },
      ],
    },
  });
});

it('the shell reporter tells of a plain disk, and where it sees no volume it claims nothing', async () => {
  const { id } = await aDevice(records.db.manager);
  await report(id, PLAIN);
  expect(await known(id)).toMatchObject({ state: 'not_encrypted', answer: { volumes: [{ volume: '/' }] } });
  const { id: blind } = await aDevice(records.db.manager);
  await report(blind, { lsblk: 'true', cryptsetup: 'exit 4' });
  expect(await known(blind)).toMatchObject({
    state: 'unknown',
    answer: null,
    askedInVain: { why: expect.any(String) },
  });
});

it('the shell reporter tells of a fixed disk wherever it is mounted, and of none that is plugged in', async () => {
  const { id } = await aDevice(records.db.manager);
  // Linux counts every eMMC among what can be plugged in.
  const mounts = [
    '/dev/mmcblk0p2 0 1 /',
    '/dev/sdb1 0 0 /media/ada/my\\x20data',
    '/dev/sdc1 1 1 /media/ada/stick',
    '/dev/sdd1 0 1 /mnt/disk',
  ];
  const lsblk = `case "$*" in *-nrpso*) echo "$3 part" ;; *) printf '%s\\n' '${mounts.join("' '")}' ;; esac`;
  await report(id, { lsblk, cryptsetup: 'exit 4' });
  const { answer } = await known(id);
  expect(answer.volumes.map(({ volume }: { volume: string }) => volume)).toEqual(['/', '/media/ada/my\\x20data']);
});

it.each([
  ['an API token', () => asAnyDevice],
  ['its device’s own token', (serial: string) => (id: string) => asItself(id, serial)],
])('the shell reporter shows %s to nobody else on the machine: no command is called with it', async (_what, as) => {
  const { id, serial } = await aDevice(records.db.manager);
  const who = await as(serial)(id);
  const called = join(await mkdtemp(join(folder, 'called-')), 'with');
  const curl = `printf '%s\n' "$@" >>${called}; exec ${programOnPath('curl')} "$@"`;
  await report(id, { ...PLAIN, curl }, async () => who);
  expect(await known(id)).toMatchObject({ state: 'not_encrypted' });
  const [argv, token] = [await readFile(called, 'utf8'), await readFile(who['QM_TOKEN_FILE'] ?? '', 'utf8')];
  expect(argv).toContain('/v1/');
  expect(argv).not.toContain(token.trim());
});

it('the shell reporter sends nothing when a look fails half-way', async () => {
  const { id } = await aDevice(records.db.manager);
  const failing = `case "$*" in *-nrpso*) exit 1 ;; *) echo '/dev/vda1 0 0 /' ;; esac`;
  await expect(report(id, { lsblk: failing, cryptsetup: 'exit 4' })).rejects.toThrow('Command failed');
  expect(await known(id)).toMatchObject({ answer: null, askedInVain: null });
});

it('the shell reporter speaks with its device’s own token for that device only, and under a name of its own', async () => {
  const device = await aDevice(records.db.manager);
  await report(device.id, PLAIN, (id) => asItself(id, device.serial));
  expect(await known(device.id)).toMatchObject({ state: 'not_encrypted', answer: { source: 'reporter' } });
  const other = await aDevice(records.db.manager);
  await expect(report(other.id, PLAIN, (id) => asItself(id, device.serial))).rejects.toThrow(
    /did not take it: .*another machine’s\. Make one for this device.*\(403\)/,
  );
  expect(await known(other.id)).toMatchObject({ answer: null });
  const dedupKey = `device_duplicate:token:${other.id}`;
  const openAlerts = async () =>
    (await records.db.manager.findBy(Alert, { dedupKey })).filter(({ resolvedAt }) => resolvedAt === null);
  expect(await openAlerts()).toMatchObject([
    { kind: 'device_duplicate', message: expect.stringContaining(device.serial) },
  ]);
  // The copies open nothing once there is another token.
  await asItself(other.id, other.serial);
  expect(await openAlerts()).toEqual([]);
});

it('a device’s token opens nothing when another one was made, or it was ended', async () => {
  const { id, serial } = await aDevice(records.db.manager);
  const api = await records.caller('bench');
  const tokens = [];
  for (let made = 0; made < 2; made++) {
    tokens.push((await api.post(`/v1/devices/${id}/token`).expect(201)).body.token as string);
  }
  const ask = (token = '') =>
    records.stranger.post('/v1/reporters/recovery-keys/wanted').send({ token, serial, protects: 'luks' });
  await ask(tokens[0]).expect(401);
  expect((await ask(tokens[1]).expect(200)).body).toEqual({ wanted: true, because: 'none_kept' });
  await api.delete(`/v1/devices/${id}/token`).expect(204);
  await ask(tokens[1]).expect(401);
  const rows = JSON.stringify(await records.db.query(`SELECT t::text AS row FROM device_tokens t`));
  expect(tokens.some((token) => rows.includes(token))).toBe(false);
  const actions = await records.db.query(`SELECT action FROM audit_entries WHERE subject_id = $1 ORDER BY at`, [id]);
  expect(actions.map(({ action }: { action: string }) => action)).toEqual([
    'device-token.created',
    'device-token.created',
    'device-token.ended',
  ]);
});

describe('a device’s own token', () => {
  /** Made at the bench, before anybody has the device. */
  async function aTokenOf({ id, serial }: { id: string; serial: string }) {
    const api = await records.caller('bench');
    const { token } = (await api.post(`/v1/devices/${id}/token`).expect(201)).body;
    const observation = {
      kind: 'disk_encryption',
      value: 'encrypted',
      source: 'x',
      observedAt: '2026-11-20T10:00:00Z',
    };
    const escrowed = { protects: 'luks', key: 'a passphrase that opens it' };
    const send = (path: string, more: object) =>
      records.stranger.post(`/v1/reporters/${path}`).send({ token, serial, ...more });
    return {
      api,
      observe: () => send('observations', { observation }),
      escrow: () => send('recovery-keys', escrowed),
      shown: async () => (await api.get(`/v1/devices/${id}/token`).expect(200)).body.token,
      act: (what: string, body: object = {}) => api.post(`/v1/devices/${id}/${what}`).send(body).expect(200),
    };
  }

  it('ends when the device leaves the person who had it: a copy tells nothing of it for whoever has it next', async () => {
    const device = await aDevice(records.db.manager);
    const [ada, grace] = [await aPerson(records.db.manager), await aPerson(records.db.manager)];
    const before = await aTokenOf(device);
    expect(await before.shown()).toMatchObject({ madeBy: 'bench', endedAt: null, endedBecause: null });
    await before.act('assign', { personId: ada.id });
    await before.observe().expect(200);
    await before.act('return');
    const refused = await before.observe().expect(401);
    expect(refused.body.detail).toMatch(/left the person who had it.*quartermaster devices token/);
    expect(await before.shown()).toMatchObject({ endedAt: expect.any(String), endedBecause: 'handed_back' });
    const ends = await records.db.query(
      `SELECT actor_kind AS by, facts ->> 'because' AS because FROM audit_entries
       WHERE subject_id = $1 AND action = 'device-token.ended'`,
      [device.id],
    );
    expect(ends).toEqual([{ by: 'service', because: 'handed_back' }]);

    const after = await aTokenOf(device);
    await after.act('assign', { personId: grace.id });
    for (const forged of [before.observe(), before.escrow()]) await forged.expect(401);
    const kept = async () => (await after.api.get(`/v1/devices/${device.id}/recovery-keys`).expect(200)).body.items;
    expect(await kept()).toEqual([]);
    await after.escrow().expect(201);
    await after.observe().expect(200);
  });

  it('ends with an inspection, not while the device only lies there received', async () => {
    const { id: holderId } = await aPerson(records.db.manager);
    const device = await aDevice(records.db.manager, { holderId });
    const { api, observe } = await aTokenOf(device);
    const site = await aSite(records.db.manager);
    const { body } = await api.post('/v1/returns').send({ deviceId: device.id }).expect(201);
    await api.post(`/v1/returns/${body.id}/receive`).send({ siteId: site.id }).expect(200);
    await observe().expect(200);
    const found = { condition: 'faulty', wiped: 'no', accessories: null, findings: null };
    await api.post(`/v1/returns/${body.id}/inspect`).send(found).expect(200);
    await observe().expect(401);
  });

  it('goes on while the device is lost, and ends when that is retired', async () => {
    const { id: holderId } = await aPerson(records.db.manager);
    const device = await aDevice(records.db.manager, { holderId });
    const { api, observe, shown } = await aTokenOf(device);
    await api.post('/v1/lost-devices').send({ deviceId: device.id }).expect(202);
    await observe().expect(200);
    const { headers } = await api.get(`/v1/devices/${device.id}`).expect(200);
    const change = api.patch(`/v1/devices/${device.id}`).set('If-Match', headers['etag'] ?? '');
    await change.send({ state: 'retired' }).expect(200);
    expect((await observe().expect(401)).body.detail).toContain('retired');
    expect(await shown()).toMatchObject({ endedBecause: 'retired' });
  });

  it('is refused in words that say what to do, also when nobody knows it or another one was made since', async () => {
    const device = await aDevice(records.db.manager);
    expect(await (await aTokenOf(device)).shown()).not.toHaveProperty('token');
    const [first, second] = [await aTokenOf(device), await aTokenOf(device)];
    expect((await first.observe().expect(401)).body.detail).toContain('Another token was made');
    await second.api.delete(`/v1/devices/${device.id}/token`).expect(204);
    expect((await second.observe().expect(401)).body.detail).toContain('Somebody ended this token');
    const nobodys = { token: 'no-such-token', serial: device.serial, protects: 'luks' };
    const { body } = await records.stranger.post('/v1/reporters/recovery-keys/wanted').send(nobodys).expect(401);
    expect(body.detail).toMatch(/^No device has this token\..*makes a new one/);
  });
});

describe.skipIf(cryptsetup === '')('a Linux machine’s recovery key', () => {
  /** A machine with a LUKS header that a passphrase opens; no device mapper is needed for what is done to it. */
  async function aMachine() {
    const device = await aDevice(records.db.manager);
    const env = await asItself(device.id, device.serial);
    const disk = join(env['QM_RUN'] ?? '', 'disk');
    await writeFile(disk, '');
    await truncate(disk, 32 * 1024 ** 2);
    const unlock = join(env['QM_RUN'] ?? '', 'unlock');
    await writeFile(unlock, 'the bench’s own passphrase');
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    await run(cryptsetup, ['luksFormat', '--batch-mode', '--type', 'luks2', ...quick, '--key-file', unlock, disk]);
    const api = await records.caller('helpdesk');
    const path = `/v1/devices/${device.id}/recovery-keys`;
    return {
      device,
      disk,
      /** With these commands in the place of the machine's own. */
      escrow: async (commands: Record<string, string> = {}, named = disk) => {
        const PATH = `${await commandsOf(commands)}:${env['PATH']}`;
        const at = { ...env, PATH, QM_UNLOCK_FILE: unlock, ...(named && { QM_DISK: named }) };
        return (await run('sh', [scriptNamed('linux-escrow.sh')], { env: at })).stdout;
      },
      kept: async () => (await api.get(path).expect(200)).body.items,
      reveal: async (id: string) =>
        (await api.post(`${path}/${id}/reveal`).send({ reason: 'a test of it' }).expect(200)).body.key as string,
      opens: async (key: string): Promise<boolean> => {
        const file = join(env['QM_RUN'] ?? '', 'tried');
        await writeFile(file, key);
        return run(cryptsetup, ['open', '--test-passphrase', '--key-file', file, disk]).then(
          () => true,
          () => false,
        );
      },
      slots: async () => (await run(cryptsetup, ['luksDump', disk])).stdout.match(/^ {2}\d+: luks2/gm)?.length,
    };
  }

  it('is made when one is wanted, opens its disk, and takes the place of one that somebody read', async () => {
    const { escrow, kept, reveal, opens, slots } = await aMachine();
    expect(await slots()).toBe(1);
    expect(await escrow()).toContain('keeps a new recovery key');
    const [first] = await kept();
    expect(first).toMatchObject({
      protects: 'luks',
      source: 'the device itself',
      keptBy: expect.stringContaining('the device QM-'),
      format: 'right',
      provedAt: expect.any(String),
    });
    expect(await escrow()).toContain('No new recovery key is wanted.');
    const key = await reveal(first.id);
    expect([await opens(key), await slots()]).toEqual([true, 2]);
    await escrow();
    const [second, ...before] = await kept();
    expect(before).toMatchObject([{ id: first.id, isNewest: false }]);
    expect([await opens(key), await opens(await reveal(second.id)), await slots()]).toEqual([false, true, 2]);
    expect(records.log()).not.toContain(key);
  });

  it('takes the place of what somebody read also when the answer to the one before it was lost', async () => {
    const { escrow, kept, reveal, opens, slots } = await aMachine();
    await escrow();
    const [first] = await kept();
    const key = await reveal(first.id);
    const curl = programOnPath('curl') ?? '';
    const lost = `case "$*" in */recovery-keys) ${curl} "$@" >/dev/null; printf 000; exit 52 ;; *) ${curl} "$@" ;; esac`;
    await expect(escrow({ curl: lost })).rejects.toThrow(/Nobody knows whether Quartermaster has the key \(000\)/);
    expect([await opens(key), await slots()]).toEqual([true, 3]);
    expect(await escrow()).toContain('keeps a new recovery key');
    expect([await opens(key), await slots(), (await kept()).length]).toEqual([false, 2, 3]);
  });

  it('is made below a btrfs subvolume too, as Fedora and openSUSE have them', async () => {
    const { disk, escrow } = await aMachine();
    const commands = {
      findmnt: `case "$1" in *v*) echo /dev/mapper/luks-root ;; *) echo '/dev/mapper/luks-root[/root]' ;; esac`,
      lsblk: `[ "$3" = /dev/mapper/luks-root ] || exit 32; echo '/dev/mapper/luks-root crypt'`,
      cryptsetup: `case "$1" in status) echo '  device:  ${disk}' ;; *) exec ${cryptsetup} "$@" ;; esac`,
    };
    expect(await escrow(commands, '')).toContain('keeps a new recovery key');
  });

  it('is taken off the disk again when it is refused: a lost machine escrows nothing', async () => {
    const { device, escrow, kept, slots } = await aMachine();
    await records.db.query(`UPDATE devices SET state = 'lost' WHERE id = $1`, [device.id]);
    await expect(escrow()).rejects.toThrow(/refused the key \(409\)/);
    expect([await kept(), await slots()]).toEqual([[], 1]);
  });
});

it('a recovery key of a wrong format is refused from a machine; from a person it is kept, and said to be wrong', async () => {
  const { id, serial } = await aDevice(records.db.manager);
  const { QM_TOKEN_FILE } = await asItself(id, serial);
  const token = await readFile(QM_TOKEN_FILE ?? '', 'utf8');
  const key = '000011-720885-470548-480865-118294-000000-110000-660000';
  const body = { token, serial, protects: 'bitlocker', key };
  const { body: refused } = await records.stranger.post('/v1/reporters/recovery-keys').send(body).expect(400);
  expect(JSON.stringify(refused)).not.toContain(key);
  const bench = await records.caller('bench');
  const kept = await bench
    .post(`/v1/devices/${id}/recovery-keys`)
    .send({ key, protects: 'bitlocker', source: 'typed' })
    .expect(201);
  expect(kept.body).toMatchObject({ format: 'wrong', provedAt: null });
  const right = { ...body, key: key.replace('470548', '470547') };
  await records.stranger.post('/v1/reporters/recovery-keys').send(right).expect(201);
  const { body: listed } = await bench.get(`/v1/devices/${id}/recovery-keys`).expect(200);
  expect(listed.items).toMatchObject([{ format: 'right', provedAt: null, isNewest: true }, { format: 'wrong' }]);
});

it('a device escrows twenty keys a day and no more: each is kept for good', async () => {
  const { id, serial } = await aDevice(records.db.manager);
  const { QM_TOKEN_FILE } = await asItself(id, serial);
  const token = await readFile(QM_TOKEN_FILE ?? '', 'utf8');
  const escrow = () =>
    records.stranger
      .post('/v1/reporters/recovery-keys')
      .send({ token, serial, protects: 'luks', key: 'a passphrase that opens it' });
  await escrow().expect(201);
  await records.db.query(
    `INSERT INTO recovery_keys (id, device_id, protects, secret_id, source, kept_by)
     SELECT gen_random_uuid(), device_id, protects, secret_id, source, kept_by
     FROM recovery_keys, generate_series(1, 18) WHERE device_id = $1`,
    [id],
  );
  await escrow().expect(201);
  await escrow().expect(429);
});
