import { describe, expect, it } from 'vitest';
import { judgeReport } from '../devices/encryption/judge-report.js';
import type { Platform } from '../devices/encryption/known-lies.js';
import { usableSerial, usableUuid } from './hardware-ids.js';
import { readDisks } from './read-disks.js';
import { readLog } from './read-log.js';
import { readRows } from './read-rows.js';

const VERSION = '5.24.0';

function judged(platform: Platform, rows: readonly unknown[], version: string | null = VERSION) {
  return judgeReport(readDisks(platform, readRows(rows), version));
}

const drive = (more: Record<string, string>): Record<string, string> => ({
  drive_letter: 'C:',
  conversion_status: '1',
  protection_status: '1',
  percentage_encrypted: '100',
  lock_status: '0',
  boot_partition: '1',
  ...more,
});

describe('BitLocker', () => {
  it.each([
    ['1', '1', '100', 'encrypted'],
    ['1', '0', '100', 'suspended'],
    ['0', '0', '0', 'not_encrypted'],
    ['2', '0', '40', 'converting'],
    ['3', '0', '40', 'converting'],
    ['4', '0', '40', 'converting'],
    ['5', '0', '40', 'converting'],
    // What contradicts itself tells nothing.
    ['0', '1', '0', 'unknown'],
    ['0', '0', '60', 'unknown'],
    ['1', '1', '60', 'unknown'],
    // It doesn't know, or its method failed.
    ['1', '2', '100', 'unknown'],
    ['-1', '1', '100', 'unknown'],
    ['1', '-1', '100', 'unknown'],
    ['', '', '', 'unknown'],
    ['9', '1', '100', 'unknown'],
    // The percentage's method failed, and the rest agrees.
    ['1', '1', '-1', 'encrypted'],
  ])('conversion %s, protection %s, %s %%: %s', (conversion_status, protection_status, percentage_encrypted, state) => {
    const row = drive({ conversion_status, protection_status, percentage_encrypted });
    expect(judged('windows', [row]).state).toBe(state);
  });

  it('of a locked volume tells nothing', () => {
    expect(judged('windows', [drive({ lock_status: '1' })])).toMatchObject({ state: 'unknown', why: /locked/ });
  });

  it('tells what opens a drive, and how it is encrypted', () => {
    const row = drive({ encryption_method: 'XTS_AES_256', protector_types: 'TPM_AND_PIN,NUMERIC_PASSWORD,SID' });
    expect(judged('windows', [row]).volumes).toMatchObject([
      {
        volume: 'C:',
        role: 'system',
        method: 'XTS_AES_256',
        percentage: 100,
        protectors: ['tpm_pin', 'recovery_password', 'other'],
      },
    ]);
    expect(judged('windows', [drive({ protector_types: '1,3' })]).volumes[0]?.protectors).toEqual([
      'tpm',
      'recovery_password',
    ]);
  });

  it('counts internal drives, and neither sticks nor partitions without a letter', () => {
    const stick = drive({
      drive_letter: 'E:',
      boot_partition: '0',
      drive_description: 'Removable Disk',
      conversion_status: '0',
      protection_status: '0',
      percentage_encrypted: '0',
    });
    const recovery = drive({
      drive_letter: '',
      device_id: '\\\\?\\Volume{1}\\',
      boot_partition: '',
      conversion_status: '0',
      protection_status: '0',
      percentage_encrypted: '0',
    });
    expect(judged('windows', [drive({}), stick, recovery]).state).toBe('encrypted');
    const data = drive({ ...stick, drive_letter: 'D:', drive_description: 'Local Fixed Disk' });
    expect(judged('windows', [drive({}), data]).state).toBe('not_encrypted');
  });

  it('isn’t believed when an agent that lies says it is on, by the version that looked', () => {
    const row = drive({ osquery_version: '5.17.0' });
    expect(judged('windows', [row], '5.24.0')).toMatchObject({
      state: 'unknown',
      volumes: [{ claimed: 'encrypted', raw: row }],
    });
    expect(judged('windows', [drive({ osquery_version: '5.24.0' })], '5.17.0').state).toBe('encrypted');
  });
});

describe('FileVault', () => {
  const volume = (path: string, filevault_status?: string, more: Record<string, string> = {}) => ({
    name: '/dev/disk3s5',
    path,
    encrypted: '1',
    type: 'APFS Encryption',
    user_uuid: '',
    ...(filevault_status !== undefined && { filevault_status }),
    ...more,
  });
  const DATA = '/System/Volumes/Data';
  const user = { user_uuid: '76057753-404D-4114-A988-EFCF80779BD3' };

  it('is on or off for the volume that holds people’s data, whatever the chip encrypts by itself', () => {
    const others = [volume('/System/Volumes/Preboot', 'off'), volume('/', 'off'), volume('/Volumes/Stick', 'on', user)];
    expect(judged('macos', [...others, volume(DATA, 'on', user)]).state).toBe('encrypted');
    expect(judged('macos', [...others, volume(DATA, 'off')]).state).toBe('not_encrypted');
    expect(judged('macos', [volume('/', 'on')]).state).toBe('encrypted');
    expect(judged('macos', [volume('/', 'off')]).state).toBe('not_encrypted');
  });

  it('that macOS didn’t tell is unknown, also beside volumes for which it is off; a volume with a user settles it', () => {
    const off = volume('/System/Volumes/VM', 'off');
    expect(judged('macos', [off, volume(DATA, 'unknown')]).state).toBe('unknown');
    expect(judged('macos', [off, volume(DATA)]).state).toBe('unknown');
    expect(judged('macos', [volume(DATA, 'unknown'), volume('', 'on', user)]).state).toBe('encrypted');
    expect(judged('macos', [volume(DATA, 'unknown'), volume('/Volumes/Stick', 'on', user)]).state).toBe('unknown');
    expect(judged('macos', [off])).toMatchObject({ state: 'unknown', why: 'osquery told of no system volume' });
    expect(judged('macos', []).state).toBe('unknown');
  });
});

describe('LUKS', () => {
  const mount = (path: string, device: string, status: string) => ({
    name: device,
    path,
    device,
    encrypted: status === 'encrypted' ? '1' : '0',
    encryption_status: status,
  });
  const root = mount('/', '/dev/mapper/vg-root', 'encrypted');

  it('counts every mounted volume but what the machine starts from and what was plugged in', () => {
    const others = [
      mount('/boot', '/dev/nvme0n1p2', 'not encrypted'),
      mount('/boot/efi', '/dev/nvme0n1p1', 'not encrypted'),
      mount('/media/ada/stick', '/dev/sdb1', 'not encrypted'),
      mount('/snap/core/1', '/dev/loop3', 'not encrypted'),
    ];
    expect(judged('linux', [root, ...others]).state).toBe('encrypted');
    for (const path of ['/srv', '/mnt/data']) {
      const fixed = mount(path, '/dev/sdc1', 'not encrypted');
      expect(judged('linux', [root, ...others, fixed]).state).toBe('not_encrypted');
    }
  });

  it('below LVM isn’t believed when osquery says there is none; of a bare partition it is', () => {
    expect(judged('linux', [mount('/', '/dev/mapper/vg-root', 'not encrypted')]).state).toBe('unknown');
    expect(judged('linux', [mount('/', '/dev/nvme0n1p3', 'not encrypted')]).state).toBe('not_encrypted');
  });

  it('of which nothing is told is unknown: without root, or on file systems that are no block device', () => {
    expect(judged('linux', []).state).toBe('unknown');
    expect(judged('linux', [mount('/home', '/dev/mapper/home', 'encrypted')]).state).toBe('unknown');
    expect(judged('linux', [mount('/', '/dev/mapper/root', 'undefined')]).state).toBe('unknown');
  });
});

describe('a row that can’t be read', () => {
  it('loses only itself, and leaves the device unknown unless another one settles it', () => {
    const report = judged('windows', [drive({}), ['no', 'row'], { drive_letter: { letter: 'D:' } }]);
    expect(report.state).toBe('unknown');
    expect(report.volumes.map(({ state }) => state)).toEqual(['encrypted', 'unknown', 'unknown']);
    expect(report.volumes[2]?.why).toContain('drive_letter');
    const plain = drive({ conversion_status: '0', protection_status: '0', percentage_encrypted: '0' });
    expect(judged('windows', [plain, 7]).state).toBe('not_encrypted');
  });
});

describe('an id of hardware', () => {
  it('that makers leave empty is none', () => {
    for (const serial of [
      '',
      ' ',
      '-1',
      '0',
      'Default string',
      'To be filled by O.E.M.',
      'System Serial Number',
      'None',
      undefined,
    ]) {
      expect({ serial, usable: usableSerial(serial) }).toEqual({ serial, usable: null });
    }
    expect(usableSerial(' C02XL0GWJGH5 ')).toBe('C02XL0GWJGH5');
    for (const uuid of [
      '',
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
      '03000200-0400-0500-0006-000700080009',
      'localhost',
      undefined,
    ]) {
      expect({ uuid, usable: usableUuid(uuid) }).toEqual({ uuid, usable: null });
    }
    expect(usableUuid('4C4C4544-0044-3210-8054-B4C04F4D4E32')).toBe('4c4c4544-0044-3210-8054-b4c04f4d4e32');
  });
});

it('a log brings the newest hundred outcomes of each query, older ones first, and those of others none the less', () => {
  const line = (name: string, unixTime: number) => ({ name, unixTime, snapshot: [] });
  const looks = Array.from({ length: 150 }, (_, second) => line('qm_disk_encryption_linux', 1_000 - second));
  const read = readLog('result', [...looks, line('qm_os_linux', 1)]);
  const times = (subject: string) =>
    read.filter(({ query }) => query.subject === subject).map(({ observedAt }) => observedAt.getTime() / 1_000);
  expect(times('disk_encryption')).toEqual(Array.from({ length: 100 }, (_, index) => 901 + index));
  expect(times('os_version')).toEqual([1]);
});
