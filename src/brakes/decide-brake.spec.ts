import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allowedOf,
  BRAKE_KINDS,
  decideBrake,
  DEFAULT_LIMITS,
  letsMorePass,
  sourceOf,
  type Limit,
  type Volume,
} from './decide-brake.js';

const limits: fc.Arbitrary<Limit> = fc.record({
  atLeast: fc.integer({ min: 0, max: 1_000 }),
  sharePercent: fc.integer({ min: 0, max: 100 }),
});
const volumes: fc.Arbitrary<Volume> = fc.record({
  recent: fc.integer({ min: 0, max: 20_000 }),
  staff: fc.integer({ min: 0, max: 100_000 }),
  standing: fc.boolean(),
  urgent: fc.boolean(),
});

describe('a limit of volume', () => {
  it('lets exactly as many pass as it allows, and never less than its number or its share', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 0, max: 10_000 }), (limit, staff) => {
        const allowed = allowedOf(limit, staff);
        let recent = 0;
        const calm = { staff, standing: false, urgent: false };
        while (recent <= allowed && decideBrake({ ...calm, recent }, limit) === 'pass') recent += 1;
        expect(recent).toBe(allowed);
        expect(allowed).toBeGreaterThanOrEqual(limit.atLeast);
        expect(allowed).toBeGreaterThan((staff * limit.sharePercent) / 100 - 1);
      }),
    );
  });

  it('holds whatever it would hold also when more was done, fewer work here, or a brake stands', () => {
    fc.assert(
      fc.property(volumes, limits, fc.nat(100), (volume, limit, more) => {
        if (decideBrake(volume, limit) === 'pass') return;
        const worse = { ...volume, recent: volume.recent + more, staff: Math.max(0, volume.staff - more) };
        expect(decideBrake(worse, limit)).toBe('hold');
        expect(decideBrake({ ...volume, standing: true }, limit)).toBe('hold');
      }),
    );
  });

  it('of nobody lets the first urgent change of an hour pass, and no other', () => {
    fc.assert(
      fc.property(volumes, (volume) => {
        const decided = decideBrake(volume, { atLeast: 0, sharePercent: 0 });
        expect(decided).toBe(volume.urgent && volume.recent === 0 ? 'pass' : 'hold');
      }),
      { examples: [[{ recent: 0, staff: 0, standing: true, urgent: true }]] },
    );
  });

  it('never holds an urgent change within it, and nothing but an urgent one passes while a brake stands', () => {
    fc.assert(
      fc.property(volumes, limits, (volume, limit) => {
        const isWithin = volume.recent < Math.max(1, allowedOf(limit, volume.staff));
        expect(decideBrake({ ...volume, urgent: true }, limit)).toBe(isWithin ? 'pass' : 'hold');
        expect(decideBrake({ ...volume, standing: true, urgent: false }, limit)).toBe('hold');
      }),
    );
  });

  it('is raised when it lets more pass in a company of some size, and in none when it is not', () => {
    fc.assert(
      fc.property(limits, limits, (before, after) => {
        const sizes = [0, 1_000_000];
        const isRaised = sizes.some((staff) => allowedOf(after, staff) > allowedOf(before, staff));
        expect(letsMorePass(before, after)).toBe(isRaised);
      }),
    );
  });

  it('is safe before anybody sets it: ten leaves pass in a small company, and 200 at once in none of 3,000', () => {
    expect(allowedOf(DEFAULT_LIMITS.leaves, 20)).toBe(10);
    expect(allowedOf(DEFAULT_LIMITS.leaves, 3_000)).toBe(150);
    for (const kind of BRAKE_KINDS) expect(allowedOf(DEFAULT_LIMITS[kind], 0)).toBeGreaterThan(0);
  });
});

it('a person is one source whichever way they come, and no source is another one', () => {
  const actor = { id: '1', name: 'Grace', scopes: [] };
  const user = 'user:01890000-0000-7000-8000-000000000001';
  expect(sourceOf({ ...actor, kind: 'admin' })).toBe(sourceOf({ ...actor, kind: 'admin', id: '2', name: ' grace ' }));
  expect(sourceOf({ ...actor, kind: 'admin', id: user, personId: 'p' })).toBe(user);
  expect(sourceOf({ ...actor, kind: 'service', boundTo: user, personId: 'q' })).toBe(user);
  const sources = (['admin', 'service', 'hr', 'system'] as const).map((kind) => sourceOf({ ...actor, kind }));
  sources.push(user, sourceOf({ ...actor, kind: 'service', personId: 'p' }));
  expect(new Set(sources).size).toBe(6);
});
