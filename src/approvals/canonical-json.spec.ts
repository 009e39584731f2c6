import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';

const plans = fc.dictionary(
  fc.string(),
  fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
);
const reordered = (plan: Record<string, unknown>) => Object.fromEntries(Object.entries(plan).toReversed());

describe('canonical JSON', () => {
  it('is the same for the same content in any order, and reads back as that content', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        expect(canonicalJson(reordered(plan))).toBe(canonicalJson(plan));
        expect(JSON.parse(canonicalJson(plan))).toEqual(JSON.parse(JSON.stringify(plan)));
      }),
    );
  });

  it('is another for other content', () => {
    fc.assert(
      fc.property(plans, plans, (one, other) => {
        const isSame =
          JSON.stringify(one, Object.keys(one).toSorted()) === JSON.stringify(other, Object.keys(other).toSorted());
        if (!isSame) expect(canonicalJson(one)).not.toBe(canonicalJson(other));
      }),
    );
  });

  it('leaves out what is undefined, as the database does, and refuses what has no one form', () => {
    expect(canonicalJson({ b: 1, a: undefined, c: [{ z: null, y: 'x' }] })).toBe('{"b":1,"c":[{"y":"x","z":null}]}');
    expect(() => canonicalJson({ share: 0.1 })).toThrow(/whole numbers/);
  });
});
