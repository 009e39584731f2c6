/** Why it isn't known whether a machine's packages are those of its image. */
export const PACKAGES_UNKNOWN_BECAUSE = [
  /** Nobody recorded which image it has. */
  'not_imaged',
  /** Its image's manifest names no packages. */
  'nothing_pinned',
  'never_reported',
  /** The newest list is from before it was imaged. */
  'reported_before_imaging',
  /** The newest list is older than a week. */
  'stale',
] as const;
export type PackagesUnknownBecause = (typeof PACKAGES_UNKNOWN_BECAUSE)[number];

/** Agents tell once a day. */
const FRESH_SECONDS = 7 * 86_400;

/** The newest list that a machine told. */
export interface PackagesTold {
  observedAt: Date;
  ageSeconds: number;
}

/** What is counted of it against its image. */
export interface PackageCounts {
  missing: number;
  otherVersion: number;
  extra: number;
}

/** @param told null: never. @param imagedAt null: nobody recorded when. @returns null: that list can be compared */
export function whyListSaysNothing(
  told: PackagesTold | null,
  imagedAt: Date | null,
): Extract<PackagesUnknownBecause, 'never_reported' | 'reported_before_imaging' | 'stale'> | null {
  if (told === null) return 'never_reported';
  if (imagedAt !== null && told.observedAt < imagedAt) return 'reported_before_imaging';
  return told.ageSeconds > FRESH_SECONDS ? 'stale' : null;
}
