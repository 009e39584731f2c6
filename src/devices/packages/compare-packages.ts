import type { Package } from './device-packages.entity.js';

/** A package that is to be there in this version, and the list of the system in which it stands then. */
export type PinnedPackage = Pick<Package, 'name' | 'version' | 'list'>;

export interface PackageComparison {
  missing: PinnedPackage[];
  /** With the versions that are there instead. */
  otherVersion: (PinnedPackage & { installed: string[] })[];
  /** How many are there that nothing pins: an image pins some, and people install others. */
  extra: number;
}

/** What is installed against what is pinned. Of several installed versions of a package one has to be the pinned one. */
export function comparePackages(pinned: readonly PinnedPackage[], installed: readonly Package[]): PackageComparison {
  const key = ({ list, name }: PinnedPackage): string => `${list} ${name}`;
  const versions = Map.groupBy(installed, key);
  const there = pinned.filter((one) => versions.has(key(one)));
  const wanted = new Set(pinned.map(key));
  return {
    missing: pinned.filter((one) => !versions.has(key(one))),
    otherVersion: there.flatMap((one) => {
      const found = (versions.get(key(one)) ?? []).map(({ version }) => version);
      return found.includes(one.version) ? [] : [{ ...one, installed: found }];
    }),
    extra: installed.filter((one) => !wanted.has(key(one))).length,
  };
}
