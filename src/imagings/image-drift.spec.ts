import { describe, expect, it } from 'vitest';
import { driftOf, type DriftFinding, type ImageFacts, type VersionFacts } from './image-drift.js';

const version = (with_: Partial<VersionFacts> = {}): VersionFacts => ({
  id: '1',
  image: 'Debian',
  version: '2026.11',
  channel: 'current',
  ...with_,
});
const old = version({ id: '0', version: '2026.10', channel: 'deprecated' });
const bad = version({ id: 'x', version: '2026.09', channel: 'withdrawn' });
const standard = { id: '1', version: '2026.11' };
const imagedAt = new Date('2026-11-01T12:00:00Z');
const told = (value: string, hour = 13) => ({
  value,
  observedAt: new Date(`2026-11-01T${hour}:00:00Z`),
});
const asItShouldBe: ImageFacts = {
  recorded: version(),
  standard,
  reported: told('Debian 2026.11'),
  reportedVersion: version(),
  imagedAt,
  packages: null,
};
const list = { observedAt: new Date('2026-11-02T12:00:00Z'), ageSeconds: 3_600 };
const same = { missing: 0, otherVersion: 0, extra: 900 };

describe('a machine’s image', () => {
  it.each<[string, Partial<ImageFacts>, DriftFinding[]]>([
    ['is as it should be', {}, []],
    ['is told by its id', { reported: told('1') }, []],
    ['is told with an @', { reported: told('Debian@2026.11') }, []],
    ['is told as os-release has it', { reported: told('debian 2026.11') }, []],
    ['was never recorded', { recorded: null, standard: null, imagedAt: null }, ['not_imaged']],
    [
      'is older than the standard',
      { recorded: old, reported: told('Debian 2026.10'), reportedVersion: old },
      ['outdated'],
    ],
    ['is older, and nothing is current', { recorded: old, standard: null, reported: told('Debian@2026.10') }, []],
    ['was withdrawn', { recorded: bad, reported: told('Debian 2026.09'), reportedVersion: bad }, ['withdrawn']],
    ['is told to be a withdrawn one', { reported: told('x'), reportedVersion: bad }, ['withdrawn', 'reports_other']],
    ['is none of ours', { reported: told('Windows'), reportedVersion: null }, ['reports_other']],
    ['isn’t known: it told nothing', { reported: null, reportedVersion: null }, ['not_reported']],
    [
      'isn’t known: what it told is from before',
      { reported: told('Windows', 11), reportedVersion: bad },
      ['not_reported'],
    ],
    ['has its packages, and others beside them', { packages: { told: list, counts: same } }, []],
    ['lacks a package', { packages: { told: list, counts: { ...same, missing: 1 } } }, ['packages_differ']],
    ['has an older package', { packages: { told: list, counts: { ...same, otherVersion: 1 } } }, ['packages_differ']],
    ['has packages that nobody knows', { packages: { told: null, counts: null } }, ['packages_unknown']],
    ['has packages of another image', { packages: { told: list, counts: null } }, ['packages_unknown']],
    [
      'told its packages before it was imaged',
      {
        packages: { told: { ...list, observedAt: new Date('2026-11-01T11:00:00Z') }, counts: { ...same, missing: 1 } },
      },
      ['packages_unknown'],
    ],
    [
      'told its packages long ago',
      { packages: { told: { ...list, ageSeconds: 8 * 86_400 }, counts: same } },
      ['packages_unknown'],
    ],
    ['was recorded without a time', { imagedAt: null, reported: told('Debian 2026.11', 1) }, []],
  ])('%s', (_what, facts, findings) => {
    expect(driftOf({ ...asItShouldBe, ...facts })).toEqual(findings);
  });
});
