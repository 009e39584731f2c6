import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, charge, type ToolLoad } from './admission.js';

function aLoad(with_: Partial<ToolLoad> = {}): ToolLoad {
  return {
    toolId: 'tool',
    shared: { concurrency: 4, allowance: 100 },
    reserved: { concurrency: 2, allowance: 100 },
    busy: { emergency: 0, other: 0 },
    ...with_,
  };
}

const room = (load: ToolLoad, lane: 'emergency' | 'standard' | 'bulk'): number => {
  const { fromReserved, fromShared } = admit(load, lane);
  return fromReserved + fromShared;
};

describe('admit', () => {
  it('keeps routine work out of the reserved share, even when the shared one is used up', () => {
    const load = aLoad({ busy: { emergency: 0, other: 4 } });
    expect(room(load, 'standard')).toBe(0);
    expect(room(load, 'bulk')).toBe(0);
    expect(admit(load, 'emergency')).toEqual({ toolId: 'tool', fromReserved: 2, fromShared: 0 });
  });

  it('lets an emergency in while the routine has used up its rate, too', () => {
    const load = aLoad({ shared: { concurrency: 4, allowance: 0 } });
    expect(room(load, 'standard')).toBe(0);
    expect(room(load, 'emergency')).toBe(2);
  });

  it('lets many emergencies overflow into the shared share, and counts them there', () => {
    expect(admit(aLoad(), 'emergency')).toMatchObject({ fromReserved: 2, fromShared: 4 });
    const busy = aLoad({ busy: { emergency: 5, other: 0 } });
    expect(admit(busy, 'emergency')).toMatchObject({ fromReserved: 0, fromShared: 1 });
    expect(admit(busy, 'standard')).toMatchObject({ fromReserved: 0, fromShared: 1 });
  });

  it('starts whole calls only, and none on credit', () => {
    expect(room(aLoad({ shared: { concurrency: 4, allowance: 2.9 } }), 'standard')).toBe(2);
    expect(room(aLoad({ shared: { concurrency: 4, allowance: 0.9 } }), 'standard')).toBe(0);
    expect(room(aLoad({ shared: { concurrency: 4, allowance: -3 } }), 'standard')).toBe(0);
  });

  it('never admits more than either share can bear, whatever came and went before', () => {
    const share = fc.record({
      concurrency: fc.integer({ min: 1, max: 8 }),
      allowance: fc.integer({ min: 0, max: 12 }),
    });
    const event = fc.record({
      lane: fc.constantFrom('emergency' as const, 'standard' as const, 'bulk' as const),
      wanted: fc.integer({ min: 0, max: 10 }),
      ended: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(share, share, fc.array(event, { maxLength: 40 }), (shared, reserved, events) => {
        const busy = { emergency: 0, other: 0 };
        const left = { shared: shared.allowance, reserved: reserved.allowance };
        for (const { lane, wanted, ended } of events) {
          const kind = lane === 'emergency' ? 'emergency' : 'other';
          const admission = admit(
            {
              toolId: 'tool',
              shared: { ...shared, allowance: left.shared },
              reserved: { ...reserved, allowance: left.reserved },
              busy: { ...busy },
            },
            lane,
          );
          expect(admission.fromReserved).toBeGreaterThanOrEqual(0);
          expect(admission.fromShared).toBeGreaterThanOrEqual(0);
          if (kind === 'other') expect(admission.fromReserved).toBe(0);
          const started = Math.min(wanted, admission.fromReserved + admission.fromShared);
          const cost = charge(admission, started);
          left.reserved -= cost.reserved;
          left.shared -= cost.shared;
          busy[kind] += started;
          // Neither the calls under way nor the calls that were started go over what a share has.
          expect(left.reserved).toBeGreaterThanOrEqual(0);
          expect(left.shared).toBeGreaterThanOrEqual(0);
          expect(busy.other).toBeLessThanOrEqual(shared.concurrency);
          expect(busy.emergency + busy.other).toBeLessThanOrEqual(shared.concurrency + reserved.concurrency);
          busy[kind] = Math.max(0, busy[kind] - ended);
        }
      }),
    );
  });

  it('always has room for an emergency while none is under way and the reserved rate is not used up', () => {
    fc.assert(
      fc.property(
        fc.record({ concurrency: fc.integer({ min: 1, max: 8 }), allowance: fc.integer({ min: -5, max: 20 }) }),
        fc.record({ concurrency: fc.integer({ min: 1, max: 8 }), allowance: fc.integer({ min: 1, max: 20 }) }),
        fc.integer({ min: 0, max: 10_000 }),
        (shared, reserved, other) => {
          expect(
            room({ toolId: 'tool', shared, reserved, busy: { emergency: 0, other } }, 'emergency'),
          ).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('charge', () => {
  it('takes from the reserved share first, and all that started in sum', () => {
    const admission = { toolId: 'tool', fromReserved: 2, fromShared: 4 };
    expect(charge(admission, 0)).toEqual({ reserved: 0, shared: 0 });
    expect(charge(admission, 1)).toEqual({ reserved: 1, shared: 0 });
    expect(charge(admission, 5)).toEqual({ reserved: 2, shared: 3 });
  });
});
