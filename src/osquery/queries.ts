import type { Platform } from '../devices/encryption/known-lies.js';

/** What an answer tells of. */
export type Subject = 'disk_encryption' | 'image_version' | 'os_version' | 'packages';

export interface AgentQuery {
  subject: Subject;
  platform: Platform;
  /** Which list of packages it reads. */
  list?: string;
  sql: string;
}

/** osquery's own names of platforms, in a schedule and in `os_version`. */
const OSQUERY_PLATFORM = { macos: 'darwin', windows: 'windows', linux: 'linux' } as const;

/** Seconds between two looks. An agent that is away looks when it is back. */
const INTERVALS: Record<Subject, number> = {
  disk_encryption: 3_600,
  image_version: 21_600,
  os_version: 86_400,
  packages: 86_400,
};

/** An agent may have been brought up to date since it enrolled; whether it lies depends on the version that looked. */
const VERSION = '(SELECT version FROM osquery_info) AS osquery_version';

/**
 * By name. Nothing is filtered on the device: `disk_encryption` answers wrongly as soon as its rows are asked for one by
 * one (osquery issues 7314 and 7889). A CROSS JOIN, and a LEFT one, keep SQLite from doing that ("Manual Control Of Query
 * Plans Using CROSS JOIN", sqlite.org/optoverview.html). `b.*` because a column that an older agent doesn't have would fail the whole query.
 */
export const QUERIES = {
  qm_disk_encryption_macos: {
    subject: 'disk_encryption',
    platform: 'macos',
    sql: `SELECT de.*, m.path, m.type AS file_system, ${VERSION} FROM disk_encryption de LEFT JOIN mounts m ON m.device_alias = de.name`,
  },
  qm_disk_encryption_windows: {
    subject: 'disk_encryption',
    platform: 'windows',
    sql: `SELECT b.*, l.description AS drive_description, l.boot_partition, ${VERSION} FROM bitlocker_info b LEFT JOIN logical_drives l ON l.device_id = b.drive_letter`,
  },
  qm_disk_encryption_linux: {
    subject: 'disk_encryption',
    platform: 'linux',
    sql: `SELECT de.*, m.path, m.device, m.type AS file_system, ${VERSION} FROM disk_encryption de CROSS JOIN mounts m ON m.device_alias = de.name`,
  },
  qm_image_macos: {
    subject: 'image_version',
    platform: 'macos',
    sql: `SELECT key AS name, value FROM plist WHERE path = '/Library/Preferences/org.quartermaster.image.plist'`,
  },
  qm_image_windows: {
    subject: 'image_version',
    platform: 'windows',
    sql: `SELECT name, data AS value FROM registry WHERE key = 'HKEY_LOCAL_MACHINE\\SOFTWARE\\Quartermaster\\Image'`,
  },
  qm_image_linux: {
    subject: 'image_version',
    platform: 'linux',
    sql: `SELECT label AS name, value FROM augeas WHERE path = '/etc/os-release' AND label IN ('IMAGE_ID', 'IMAGE_VERSION')`,
  },
  qm_os_macos: { subject: 'os_version', platform: 'macos', sql: `SELECT name, version FROM os_version` },
  qm_os_windows: { subject: 'os_version', platform: 'windows', sql: `SELECT name, version FROM os_version` },
  qm_os_linux: { subject: 'os_version', platform: 'linux', sql: `SELECT name, version FROM os_version` },
  qm_packages_macos: {
    subject: 'packages',
    platform: 'macos',
    list: 'macos-app',
    sql: `SELECT bundle_identifier AS name, bundle_short_version AS version FROM apps WHERE path LIKE '/Applications/%' AND bundle_identifier != ''`,
  },
  qm_packages_windows: {
    subject: 'packages',
    platform: 'windows',
    list: 'windows-program',
    sql: `SELECT name, version FROM programs WHERE name != ''`,
  },
  qm_packages_deb: {
    subject: 'packages',
    platform: 'linux',
    list: 'deb',
    sql: `SELECT name, version FROM deb_packages WHERE status = 'install ok installed'`,
  },
  qm_packages_rpm: {
    subject: 'packages',
    platform: 'linux',
    list: 'rpm',
    sql: `SELECT name, version || '-' || release AS version FROM rpm_packages`,
  },
} as const satisfies Record<string, AgentQuery>;

export type QueryName = keyof typeof QUERIES;

/** The query of this name, or undefined: somebody else's, or an earlier version's. */
export function queryNamed(name: string): AgentQuery | undefined {
  return Object.hasOwn(QUERIES, name) ? QUERIES[name as QueryName] : undefined;
}

/** osquery's configuration, the same for every agent: each runs what is for its platform. */
export function agentConfig(): {
  schedule: Record<string, { query: string; interval: number; platform: string; snapshot: true }>;
} {
  const schedule = Object.entries<AgentQuery>(QUERIES).map(([name, { subject, platform, sql }]) => [
    name,
    // A snapshot tells all that there is; the differences between two answers tell nothing when one was lost.
    { query: sql, interval: INTERVALS[subject], platform: OSQUERY_PLATFORM[platform], snapshot: true },
  ]);
  return { schedule: Object.fromEntries(schedule) as ReturnType<typeof agentConfig>['schedule'] };
}

/** What is asked at once. An agent runs those whose discovery query finds something: those for its platform. */
export function urgentQueries(): { queries: Record<string, string>; discovery: Record<string, string> } {
  const urgent = Object.entries<AgentQuery>(QUERIES).filter(
    ([, { subject }]) => subject === 'disk_encryption' || subject === 'image_version',
  );
  const platform = {
    macos: `platform = 'darwin'`,
    windows: `platform = 'windows'`,
    linux: `platform NOT IN ('darwin', 'windows')`,
  };
  return {
    queries: Object.fromEntries(urgent.map(([name, { sql }]) => [name, sql])),
    discovery: Object.fromEntries(
      urgent.map(([name, query]) => [name, `SELECT 1 FROM os_version WHERE ${platform[query.platform]}`]),
    ),
  };
}
