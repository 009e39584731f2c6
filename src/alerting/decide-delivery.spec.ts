import { describe, expect, it } from 'vitest';
import { decideDelivery, type DeliverySoFar } from './decide-delivery.js';

const NOW = new Date('2026-11-20T03:00:00Z');
const MOMENT = { now: NOW, chance: 0 };
const failed = { outcome: 'failed', why: 'it is away' } as const;
const refused = { outcome: 'refused', why: 'it will not' } as const;

function delivery(so: Partial<DeliverySoFar> = {}): DeliverySoFar {
  return { action: 'trigger', attempts: 1, handedOn: false, createdAt: NOW, ...so };
}

describe('after a try', () => {
  it('what was sent is over', () => {
    expect(decideDelivery(delivery(), { outcome: 'sent' }, MOMENT)).toEqual({
      state: 'sent',
      nextTryIn: 0,
      handOn: false,
    });
  });

  it('what was refused is never tried again, and the next channel is used at once', () => {
    expect(decideDelivery(delivery(), refused, MOMENT)).toEqual({ state: 'refused', nextTryIn: 0, handOn: true });
  });

  it('a failure is tried again with growing pauses, never longer than five minutes', () => {
    const pauses = [1, 2, 3, 4, 20].map((attempts) => decideDelivery(delivery({ attempts }), failed, MOMENT));
    expect(pauses.map(({ nextTryIn }) => nextTryIn)).toEqual([500, 1_000, 2_000, 4_000, 150_000]);
    expect(pauses.every(({ state }) => state === 'waiting')).toBe(true);
  });

  it('the third failure brings in the next channel, once', () => {
    expect(decideDelivery(delivery({ attempts: 2 }), failed, MOMENT).handOn).toBe(false);
    expect(decideDelivery(delivery({ attempts: 3 }), failed, MOMENT).handOn).toBe(true);
    expect(decideDelivery(delivery({ attempts: 4, handedOn: true }), failed, MOMENT).handOn).toBe(false);
  });

  it('a pause that the provider asks for is kept, and a long one brings in the next channel at once', () => {
    const after = (seconds: number) =>
      decideDelivery(delivery(), { ...failed, notBefore: new Date(NOW.getTime() + seconds * 1_000) }, MOMENT);
    expect(after(7)).toEqual({ state: 'waiting', nextTryIn: 7_000, handOn: false });
    expect(after(60)).toEqual({ state: 'waiting', nextTryIn: 60_000, handOn: true });
  });

  it('that something is over is told by the channel that told it, and by no other', () => {
    expect(decideDelivery(delivery({ action: 'resolve', attempts: 9 }), failed, MOMENT).handOn).toBe(false);
    expect(decideDelivery(delivery({ action: 'resolve' }), refused, MOMENT)).toMatchObject({ handOn: false });
  });

  it('after a day it is given up', () => {
    const yesterday = new Date(NOW.getTime() - 25 * 3_600_000);
    expect(decideDelivery(delivery({ attempts: 300, createdAt: yesterday }), failed, MOMENT).state).toBe('refused');
  });
});
