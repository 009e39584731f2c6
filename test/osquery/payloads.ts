/**
 * What agents send, with the source of each. Keys and secrets are put in by the tests, and so are the serials; rows that a
 * source shows as a table are written as osquery sends them, every value a text.
 */

/** osquery, `docs/wiki/deployment/remote.md`, "Remote server API": the shape. Fleet, `cmd/osquery-perf/*.tmpl`: the values. */
export const ENROLL = {
  windows: {
    os_version: {
      build: '22000',
      major: '10',
      minor: '0',
      name: 'Microsoft Windows 11 Enterprise',
      patch: '',
      platform: 'windows',
      platform_like: 'windows',
      version: '10.0.22000',
    },
    osquery_info: {
      build_distro: '10',
      build_platform: 'windows',
      config_valid: '1',
      extensions: 'inactive',
      pid: '9072',
      platform_mask: '2',
      start_time: '1660223255',
      version: '5.4.0',
      watcher: '-1',
    },
    system_info: {
      computer_name: 'surface',
      cpu_brand: 'Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz',
      hardware_model: 'Surface Laptop 2',
      hardware_vendor: 'Microsoft Corporation',
      hardware_version: '-1',
      hostname: 'surface',
      physical_memory: '17179869184',
    },
  },
  linux: {
    os_version: {
      build: '',
      major: '',
      minor: '',
      name: 'Ubuntu 22.4.0',
      patch: '',
      platform: 'ubuntu',
      platform_like: 'ubuntu',
      version: 'Ubuntu 22.4.0',
    },
    osquery_info: { build_platform: 'linux', pid: '12947', platform_mask: '21', version: '4.6.0', watcher: '12946' },
    system_info: { computer_name: 'thinkpad', hostname: 'thinkpad', physical_memory: '17179869184' },
  },
} as const;

/** osquery, `docs/wiki/deployment/logging.md`, "Snapshot format". */
export function aSnapshot(name: string, unixTime: number, rows: readonly unknown[]): object {
  return {
    action: 'snapshot',
    snapshot: rows,
    name,
    hostIdentifier: 'hostname.local',
    calendarTime: 'Mon May  2 22:27:32 2016 UTC',
    unixTime: String(unixTime),
    epoch: '314159265',
    counter: '1',
  };
}

/**
 * A status line: osquery, `plugins/logger/buffered.cpp` (`BufferedLogForwarder::logStatus`) for the shape,
 * `osquery/dispatcher/scheduler.cpp` for what it says of a query that failed.
 */
export function aFailure(name: string, unixTime: number, reason: string): object {
  return {
    severity: 2,
    filename: 'scheduler.cpp',
    line: 128,
    message: `Error executing scheduled query ${name}: ${reason}`,
    hostIdentifier: 'hostname.local',
    calendarTime: 'Mon May  2 22:27:32 2016 UTC',
    unixTime,
    version: '5.24.0',
  };
}

/** osquery pull request 8931, "Reproducer": a decrypted drive on Windows 11 24H2, by an agent before the fix. */
export const STALE_BITLOCKER = {
  drive_letter: 'C:',
  conversion_status: '0',
  protection_status: '1',
  encryption_method: 'None',
};

/** The same pull request: what `manage-bde -status` and an agent with the fix say of that drive. */
export const FRESH_BITLOCKER = { ...STALE_BITLOCKER, protection_status: '0', percentage_encrypted: '0' };

/** The columns of osquery's `specs/windows/bitlocker_info.table`, for a drive that is protected. */
export const PROTECTED_BITLOCKER = {
  device_id: '\\\\?\\Volume{77228a3d-8c0f-4f22-b88a-0e3a4b3f2d11}\\',
  drive_letter: 'C:',
  persistent_volume_id: '{7E3D0F6F-5B1F-4A9F-9B3E-0E9C7F0A1B2C}',
  conversion_status: '1',
  protection_status: '1',
  encryption_method: 'XTS_AES_256',
  version: '2',
  percentage_encrypted: '100',
  lock_status: '0',
  protector_types: 'TPM,NUMERIC_PASSWORD',
};

/**
 * osquery issue 5223: a Mac with a T2 chip and FileVault off. `filevault_status` is what pull request 6823 added for it, with
 * the values that `osquery/tables/system/darwin/disk_encryption.mm` gives to a device that isn't mounted and to one that is.
 */
export const T2_WITHOUT_FILEVAULT = [
  { name: '/dev/disk0', encrypted: '0', encryption_status: 'undefined', filevault_status: 'unknown', type: '' },
  {
    name: '/dev/disk1s1',
    path: '/',
    encrypted: '1',
    encryption_status: 'encrypted',
    filevault_status: 'off',
    type: 'APFS Encryption',
    user_uuid: '',
  },
];

/** osquery issue 8112: Pop!_OS with LUKS, joined to `mounts` as issue 7314 shows them. Unfiltered, so right. */
export const LUKS_UNFILTERED = [
  {
    name: '/dev/nvme0n1p1',
    path: '/boot/efi',
    device: '/dev/nvme0n1p1',
    encrypted: '0',
    encryption_status: 'not encrypted',
  },
  {
    name: '/dev/dm-1',
    path: '/',
    device: '/dev/mapper/data-root',
    encrypted: '1',
    type: 'LUKS2-aes-xts-plain64',
    encryption_status: 'encrypted',
  },
];

/** osquery issue 7314: the same machine when the rows are asked for one by one. */
export const LUKS_FILTERED = LUKS_UNFILTERED.map((row) => ({
  ...row,
  encrypted: '0',
  encryption_status: 'not encrypted',
}));

/** Fleet, `cmd/osquery-perf/agent.go` (`diskEncryptionLinux`), and its test `TestDirectIngestDiskEncryptionLinux`. */
export const FLEET_LINUX = [
  { path: '/boot', encrypted: '0' },
  { path: '/', encrypted: '1' },
];

/** osquery, `docs/wiki/deployment/remote.md`, "Distributed queries": rows, an empty answer and a failure side by side. */
export const WRITTEN = {
  queries: {
    id1: [
      { column1: 'value1', column2: 'value2' },
      { column1: 'value1', column2: 'value2' },
    ],
    id2: [
      { column1: 'value1', column2: 'value2' },
      { column1: 'value1', column2: 'value2' },
    ],
    id3: [],
  },
  statuses: { id1: 0, id2: 0, id3: 2 },
};
