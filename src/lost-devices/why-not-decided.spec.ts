import { expect, it } from 'vitest';
import { COMMAND_STATES } from './command-states.js';
import { whyNotDecided, type EarlierOrder } from './why-not-decided.js';

const GIVEN = new Date('2026-11-23T03:00:00.000Z');
const order = (kind: EarlierOrder['kind'], state: EarlierOrder['state'], givenAt: Date | null = null) => ({
  kind,
  state,
  givenAt,
});

it('takes a wipe back as long as nobody has given it, and says how to end one that was given', () => {
  for (const decision of ['lock', 'leave'] as const) {
    expect(whyNotDecided(decision, order('wipe', 'ordered'))).toBeNull();
    expect(whyNotDecided(decision, order('wipe', 'failed'))).toBeNull();
    for (const state of ['ordered', 'requested', 'delivered', 'acknowledged'] as const) {
      expect(whyNotDecided(decision, order('wipe', state, GIVEN))).toContain(
        'requested at the device manager at 2026-11-23T03:00:00.000Z: cancel it there',
      );
    }
    expect(whyNotDecided(decision, order('wipe', 'verified', GIVEN))).toBe(
      'It was wiped: nothing is left to decide about it.',
    );
  }
});

it('orders nothing twice: the order that there is goes on, until it failed or is over', () => {
  const again = (kind: EarlierOrder['kind']) =>
    COMMAND_STATES.filter((state) => whyNotDecided(kind, order(kind, state)) === null);
  expect(again('lock')).toEqual(['verified', 'failed', 'superseded', 'risk_accepted']);
  expect(again('wipe')).toEqual(['failed', 'superseded', 'risk_accepted']);
});

it('lets a wipe follow a lock, however far that is', () => {
  for (const state of COMMAND_STATES) expect(whyNotDecided('wipe', order('lock', state, GIVEN))).toBeNull();
});
