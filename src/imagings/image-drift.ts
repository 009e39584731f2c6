import type { ImageChannel } from '../images/image-channels.js';
import { whyListSaysNothing, type PackageCounts, type PackagesTold } from './package-drift.js';

/** In what a machine isn't as it should be, or why that isn't known. */
export const DRIFT_FINDINGS = [
  /** Nobody recorded which image it has. */
  'not_imaged',
  /** What it should have, or reports, was withdrawn. */
  'withdrawn',
  /** There is a newer current version. */
  'outdated',
  /** It reports another version than the one that it was imaged with. */
  'reports_other',
  /** It has reported nothing since it was imaged: what it runs isn't known. */
  'not_reported',
  /** Packages that its image pins are missing, or there in other versions. */
  'packages_differ',
  /** Its image pins packages, and what is installed on it isn't known. */
  'packages_unknown',
] as const;
export type DriftFinding = (typeof DRIFT_FINDINGS)[number];

export interface VersionFacts {
  id: string;
  image: string;
  version: string;
  channel: ImageChannel;
}

/** What is known of a machine's image. */
export interface ImageFacts {
  /** By the record; null: none. */
  recorded: VersionFacts | null;
  /** The current version of the recorded one's image and architecture. */
  standard: Pick<VersionFacts, 'id' | 'version'> | null;
  /** The newest that the machine itself, or its manager, told. */
  reported: { value: string; observedAt: Date } | null;
  /** The version that was reported, where it is one of ours. */
  reportedVersion: VersionFacts | null;
  /** When it was last imaged, as far as it is recorded: what was reported before that says nothing. */
  imagedAt: Date | null;
  /** Of the recorded version; null: it pins no packages. */
  packages: PackageFacts | null;
}

/** What is known of a machine's packages. */
interface PackageFacts {
  /** Null: it never told what is installed. */
  told: PackagesTold | null;
  /** Of that list, against the recorded version; null: it came in while another one was recorded. */
  counts: PackageCounts | null;
}

/** In the order of `DRIFT_FINDINGS`; empty: it is as it should be. */
export function driftOf(facts: ImageFacts): DriftFinding[] {
  const { recorded, standard, reported, reportedVersion, imagedAt, packages } = facts;
  const isOfNow = reported !== null && (imagedAt === null || reported.observedAt >= imagedAt);
  const runs = isOfNow ? reportedVersion : null;
  const isOther = isOfNow && recorded !== null && !reportsOf(recorded).includes(reported.value);
  const counts = packages && whyListSaysNothing(packages.told, imagedAt) === null ? packages.counts : null;
  const found: Record<DriftFinding, boolean> = {
    not_imaged: recorded === null,
    withdrawn: recorded?.channel === 'withdrawn' || runs?.channel === 'withdrawn',
    outdated: recorded?.channel === 'deprecated' && standard !== null,
    reports_other: isOther,
    not_reported: recorded !== null && !isOfNow,
    packages_differ: counts !== null && counts.missing + counts.otherVersion > 0,
    packages_unknown: packages !== null && counts === null,
  };
  return DRIFT_FINDINGS.filter((finding) => found[finding]);
}

/**
 * How a machine may report a version: `Debian workstation 2026.11`, with `@` between them, or its id. The name may be as
 * os-release(5) has identifiers (`debian-workstation`), which is what osquery reads.
 */
export function reportsOf({ id, image, version }: Pick<VersionFacts, 'id' | 'image' | 'version'>): string[] {
  const identifier = image.toLowerCase().replaceAll(/[^a-z0-9._]+/g, '-');
  return [`${image} ${version}`, `${image}@${version}`, `${identifier} ${version}`, id];
}
