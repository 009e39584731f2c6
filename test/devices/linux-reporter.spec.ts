import { execFile } from 'node:child_process';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { aDevice } from '../factories/devices.js';
import { aTokenOwner } from '../factories/token-owners.js';
import { startRecordsApp, type RecordsApp } from '../factories/records-app.js';

/**
 * What the commands print: `luksDump.txt` by cryptsetup 2.6.1 on a header with a passphrase, a recovery key and a TPM with
 * PIN, as systemd-cryptenroll leaves them; the tree of osquery issue 7314 as lsblk 2.38 prints it raw; and cryptsetup's
 * status of a mapping, which needs a device mapper.
 */
const PRINTED = join(import.meta.dirname, 'linux-reporter');
const SCRIPT = join(cloneFolder(), 'ops/reporters/linux-disk-encryption.sh');

let records: RecordsApp;
let folder: string;
let url: string;
beforeAll(async () => {
  records = await startRecordsApp();
  await records.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(records.app.getHttpServer().address() as AddressInfo).port}`;
  folder = await mkdtemp(join(inject('runFolder'), 'reporter-'));
  const owner = await aTokenOwner(records.db.manager);
  const { token } = await records.db.transaction((tx) =>
    records.app.get(ApiTokens).create(tx, SYSTEM, { name: 'reporter', scopes: ['devices:write'], ...owner }),
  );
  await writeFile(join(folder, 'token'), token, { mode: 0o600 });
});
afterAll(() => records?.close());

/** Runs the script with these commands in front of the machine's own. */
async function report(deviceId: string, commands: Record<string, string>): Promise<void> {
  const path = await mkdtemp(join(folder, 'path-'));
  for (const [name, body] of Object.entries(commands)) {
    await writeFile(join(path, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(path, name), 0o755);
  }
  const env = {
    PATH: `${path}:${process.env['PATH']}`,
    QM_URL: url,
    QM_DEVICE: deviceId,
    QM_TOKEN_FILE: join(folder, 'token'),
  };
  await promisify(execFile)('sh', [SCRIPT], { env });
}

const known = async (deviceId: string) =>
  (await (await records.caller()).get(`/v1/devices/${deviceId}/encryption`).expect(200)).body;

it('the shell reporter tells of LUKS below LVM, with its cipher and what opens it', async () => {
  const { id } = await aDevice(records.db.manager);
  const above = `case "$*" in *-nrpso*data-root) cat ${PRINTED}/lsblk-above-root.txt ;; *-nrpso*) echo "$3 part" ;; *) cat ${PRINTED}/lsblk.txt ;; esac`;
  const cryptsetup = `case "$1 $2" in 'status /dev/mapper/cryptdata') cat ${PRINTED}/status.txt ;; 'luksDump /dev/nvme0n1p3') cat ${PRINTED}/luksDump.txt ;; *) exit 4 ;; esac`;
  await report(id, { lsblk: above, cryptsetup });
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
  const plain = `case "$*" in *-nrpso*) echo "$3 part" ;; *) echo '/dev/vda1 0 0 /' ;; esac`;
  await report(id, { lsblk: plain, cryptsetup: 'exit 4' });
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

it('the shell reporter sends nothing when a look fails half-way', async () => {
  const { id } = await aDevice(records.db.manager);
  const failing = `case "$*" in *-nrpso*) exit 1 ;; *) echo '/dev/vda1 0 0 /' ;; esac`;
  await expect(report(id, { lsblk: failing, cryptsetup: 'exit 4' })).rejects.toThrow('Command failed');
  expect(await known(id)).toMatchObject({ answer: null, askedInVain: null });
});
