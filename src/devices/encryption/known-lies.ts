import type { EncryptionState, VolumeSeen } from './encryption-states.js';

export const PLATFORMS = ['macos', 'windows', 'linux'] as const;
export type Platform = (typeof PLATFORMS)[number];

/** The program that looked. */
export interface Agent {
  /** `osquery` */
  name: string;
  version?: string;
  platform?: Platform;
}

/** What some versions of an agent say although it isn't so. */
interface KnownLie {
  agent: string;
  platform: Platform;
  /** The first version that is to be believed; null: none is yet. */
  honestFrom: string | null;
  says: EncryptionState;
  /** Where it lies; without it, everywhere. */
  of?: (seen: VolumeSeen) => boolean;
  because: string;
}

const KNOWN_LIES: readonly KnownLie[] = [
  {
    agent: 'osquery',
    platform: 'windows',
    // Merged on 2026-06-24, after 5.23.1 was made; the next release is the first that can have it.
    honestFrom: '5.24.0',
    says: 'encrypted',
    because:
      'this version of osquery may report a BitLocker protection that was switched off long ago (osquery pull request 8931)',
  },
  {
    agent: 'osquery',
    platform: 'linux',
    honestFrom: null,
    says: 'not_encrypted',
    // Who doesn't say which device it is, as Fleet doesn't, may mean a mapped one.
    of: ({ device }) => device === undefined || /^\/dev\/(mapper\/|dm-)/.test(device),
    because: 'osquery misses LUKS below LVM and newer LUKS formats (osquery issues 7314, 7889, 8112, 8402 and 8639)',
  },
];

/** Why what an agent says of a volume isn't to be believed; null: nothing is known against it. */
export function whyNotBelieved(agent: Agent | undefined, seen: VolumeSeen): string | null {
  const lie = KNOWN_LIES.find(
    ({ agent: name, platform, says, of, honestFrom }) =>
      agent?.name.toLowerCase() === name &&
      // Whoever doesn't say what they run on may run on anything.
      (agent.platform ?? platform) === platform &&
      seen.state === says &&
      (of?.(seen) ?? true) &&
      (honestFrom === null || isBefore(agent.version, honestFrom)),
  );
  return lie?.because ?? null;
}

/** A version that isn't told, or that nobody can read, is before every other. */
function isBefore(version: string | undefined, other: string): boolean {
  const parts = partsOf(version ?? '');
  if (!parts) return true;
  const others = partsOf(other) ?? [];
  const differing = parts.findIndex((part, index) => part !== others[index]);
  return differing !== -1 && (parts[differing] ?? 0) < (others[differing] ?? 0);
}

/** Of `5.13.0-5-g12e588c9c`: 5, 13 and 0. */
function partsOf(version: string): number[] | null {
  const match = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(version.trim());
  return match ? match.slice(1).map((part) => Number(part ?? 0)) : null;
}
