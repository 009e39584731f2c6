import type { EncryptionState, Protector, VolumeRole, VolumeSeen } from '../devices/encryption/encryption-states.js';
import type { DiskReport } from '../devices/encryption/judge-report.js';
import type { Platform } from '../devices/encryption/known-lies.js';
import type { Row, RowRead } from './read-rows.js';

/** What an agent's answer about disks shows. A bad row loses only itself: it is a volume of which nothing is known. */
export function readDisks(platform: Platform, rows: readonly RowRead[], enrolledVersion: string | null): DiskReport {
  const good = rows.flatMap((read) => ('row' in read ? [read.row] : []));
  const bad = rows.flatMap((read, index) => ('row' in read ? [] : [unreadable(index, read.unreadable)]));
  const version = good.find(({ osquery_version: told }) => told)?.['osquery_version'] ?? enrolledVersion;
  const { volumes, why } = READERS[platform](good);
  return {
    agent: { name: 'osquery', platform, ...(version !== null && { version }) },
    volumes: [...volumes, ...bad],
    ...(why !== undefined && { why }),
  };
}

function unreadable(index: number, why: string): VolumeSeen {
  return { volume: `row ${index + 1}`, role: 'internal', state: 'unknown', why: `this row can't be read: ${why}` };
}

type Reader = (rows: readonly Row[]) => { volumes: VolumeSeen[]; why?: string };

const READERS: Record<Platform, Reader> = { macos: readFileVault, windows: readBitLocker, linux: readLuks };

/**
 * `filevault_status` alone says whether something has to be known to open a Mac: every APFS volume of one with a security
 * chip is `encrypted` in hardware (osquery issues 5223 and 6718, pull request 6823). It is told of each volume; people's
 * data is on the data volume, or on the root volume of a system without one. Where neither tells, a volume that has a user
 * and for which it is on shows that it is on, as Fleet asks for it (`usesMacOSDiskEncryptionQuery`).
 */
function readFileVault(rows: readonly Row[]): ReturnType<Reader> {
  const at = (path: string): Row | undefined => rows.find((row) => row['path'] === path);
  const own = at('/System/Volumes/Data') ?? at('/');
  const elsewhere = rows.find(
    (row) => row['filevault_status'] === 'on' && row['user_uuid'] && !row['path']?.startsWith('/Volumes/'),
  );
  const row = ['on', 'off'].includes(own?.['filevault_status'] ?? '') ? own : (elsewhere ?? own);
  if (!row) return { volumes: [], why: 'osquery told of no system volume' };
  const state = FILEVAULT_STATES[row['filevault_status'] ?? ''] ?? 'unknown';
  return {
    volumes: [
      {
        volume: row['path'] || '/',
        role: 'system',
        state,
        ...(state === 'unknown' && { why: 'osquery doesn’t tell whether FileVault is on' }),
        // That is what FileVault is: a user's password, or the recovery key, opens the volume and nothing else does.
        ...(state === 'encrypted' && { protectors: ['user_password'] as const }),
        ...deviceOf(row['name']),
        ...methodOf(row['type']),
        raw: row,
      },
    ],
  };
}

const FILEVAULT_STATES: Readonly<Record<string, EncryptionState>> = { on: 'encrypted', off: 'not_encrypted' };

/** Win32_EncryptableVolume.GetKeyProtectorType, by number or in osquery's words (pull requests 8654 and 8873). */
const BITLOCKER_PROTECTORS: Readonly<Record<string, Protector>> = {
  '1': 'tpm',
  '2': 'startup_key',
  '3': 'recovery_password',
  '4': 'tpm_pin',
  '5': 'tpm_startup_key',
  '6': 'tpm_pin_startup_key',
  '7': 'certificate',
  '8': 'passphrase',
  '9': 'certificate',
  TPM: 'tpm',
  EXTERNAL_KEY: 'startup_key',
  NUMERIC_PASSWORD: 'recovery_password',
  NUMERICAL_PASSWORD: 'recovery_password',
  TPM_AND_PIN: 'tpm_pin',
  TPM_AND_STARTUP_KEY: 'tpm_startup_key',
  TPM_AND_PIN_AND_STARTUP_KEY: 'tpm_pin_startup_key',
  PUBLIC_KEY: 'certificate',
  PASSPHRASE: 'passphrase',
  TPM_CERTIFICATE: 'certificate',
};

function readBitLocker(rows: readonly Row[]): ReturnType<Reader> {
  if (rows.length === 0) return { volumes: [], why: 'osquery told of no volume that BitLocker could protect' };
  const volumes = rows.map((row): VolumeSeen => {
    const percentage = numberIn(row['percentage_encrypted'], 0, 100);
    const protectors = row['protector_types']?.split(',').map((type) => BITLOCKER_PROTECTORS[type.trim()] ?? 'other');
    return {
      volume: row['drive_letter'] || row['device_id'] || 'a volume without a name',
      role: driveRole(row),
      ...bitLockerState(row, percentage),
      ...methodOf(row['encryption_method']),
      ...(percentage !== null && { percentage }),
      ...(protectors && { protectors }),
      raw: row,
    };
  });
  return { volumes };
}

function driveRole(row: Row): VolumeRole {
  // Recovery and system partitions have no letter; nobody's data is there.
  if (!row['drive_letter']) return 'boot';
  if (row['boot_partition'] === '1') return 'system';
  return /removable|cd-rom/i.test(row['drive_description'] ?? '') ? 'removable' : 'internal';
}

/**
 * `conversion_status` 0 decrypted, 1 encrypted, 2 and 4 on the way there, 3 and 5 on the way back; `protection_status` 0 off,
 * 1 on, 2 unknown (Win32_EncryptableVolume.GetConversionStatus and GetProtectionStatus). −1: the method failed.
 */
function bitLockerState(row: Row, percentage: number | null): { state: EncryptionState; why?: string } {
  const unknown = (why: string): { state: EncryptionState; why: string } => ({ state: 'unknown', why });
  const conversion = numberIn(row['conversion_status'], 0, 5);
  const protection = numberIn(row['protection_status'], 0, 2);
  if (conversion === null || protection === null) return unknown('BitLocker didn’t tell its state');
  if (row['lock_status'] === '1') return unknown('the volume is locked');
  if (protection === 2) return unknown('BitLocker doesn’t know whether it protects it');
  if (conversion === 0 && (protection === 1 || (percentage ?? 0) > 0)) {
    return unknown('it is said to be decrypted and protected at once');
  }
  if (conversion === 1 && (percentage ?? 100) < 100) return unknown('it is said to be encrypted wholly and in part');
  if (conversion === 0) return { state: 'not_encrypted' };
  if (conversion === 1) return { state: protection === 1 ? 'encrypted' : 'suspended' };
  return { state: 'converting' };
}

/** Where a system keeps what it starts from; it is plain nearly everywhere. */
const BOOT = /^\/(boot|efi|recovery)(\/|$)/;
/** Where a desktop mounts what is plugged in; osquery tells of nothing better. What somebody mounts below /mnt is theirs. */
const REMOVABLE = /^\/(media|run\/media)\//;

function readLuks(rows: readonly Row[]): ReturnType<Reader> {
  // A snap or an image in a file is on one of the other volumes.
  const mounted = rows.filter(({ path, name }) => path && !name?.startsWith('/dev/loop'));
  const volumes = mounted.map((row): VolumeSeen => {
    const path = row['path'] ?? '';
    const role: VolumeRole =
      path === '/' ? 'system' : BOOT.test(path) ? 'boot' : REMOVABLE.test(path) ? 'removable' : 'internal';
    const state = luksState(row);
    return {
      volume: path,
      role,
      state,
      ...(state === 'unknown' && { why: 'osquery doesn’t tell whether it is encrypted' }),
      ...deviceOf(row['device'] || row['name']),
      ...methodOf(row['type']),
      raw: row,
    };
  });
  if (volumes.some(({ role }) => role === 'system')) return { volumes };
  // Without the root volume nothing is known, whatever the others are.
  const why = 'osquery didn’t tell of the root volume: it does so as root only, and of block devices only';
  return { volumes: [...volumes, { volume: '/', role: 'system', state: 'unknown', why }] };
}

/** `encryption_status` is `encrypted`, `not encrypted` or `undefined`; agents before it had it say `encrypted` 1 or 0 only. */
function luksState({ encryption_status: status, encrypted }: Row): EncryptionState {
  if (status === 'encrypted' || (status === undefined && encrypted === '1')) return 'encrypted';
  return status === 'not encrypted' || (status === undefined && encrypted === '0') ? 'not_encrypted' : 'unknown';
}

function deviceOf(device: string | undefined): { device?: string } {
  return device ? { device } : {};
}

function methodOf(method: string | undefined): { method?: string } {
  return method && method !== 'None' && method !== 'UNKNOWN' ? { method } : {};
}

/** A whole number within these bounds, or null for anything else. */
function numberIn(text: string | undefined, from: number, to: number): number | null {
  const number = /^\d{1,4}$/.test(text ?? '') ? Number(text) : Number.NaN;
  return number >= from && number <= to ? number : null;
}
