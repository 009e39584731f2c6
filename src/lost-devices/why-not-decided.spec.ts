import { describe, expect, it } from 'vitest';
import { COMMAND_STATES } from './command-states.js';
import { whyNotDecided, type EarlierOrder, type LossStanding } from './why-not-decided.js';

const GIVEN = new Date('2026-11-23T03:00:00.000Z');
const standing = (with_: Partial<LossStanding> = {}): LossStanding => ({
  deviceState: 'lost',
  isTheirs: true,
  isLostAnew: false,
  hasNewer: false,
  caseId: 'this',
  legalHolds: [],
  orders: [],
  ...with_,
});
const order = (kind: EarlierOrder['kind'], state: EarlierOrder['state'], givenAt: Date | null = null) =>
  standing({ deviceState: kind === 'unlock' ? 'found' : 'lost', orders: [{ kind, state, givenAt, caseId: 'this' }] });

it('takes a wipe back as long as nobody has given it, and says how to end one that was given', () => {
  for (const decision of ['lock', 'leave', 'unlock'] as const) {
    const deviceState = decision === 'unlock' ? 'found' : 'lost';
    const wipe = (state: EarlierOrder['state'], givenAt: Date | null = null) =>
      whyNotDecided(decision, { ...order('wipe', state, givenAt), deviceState });
    expect(wipe('ordered')).toBeNull();
    expect(wipe('failed')).toBeNull();
    for (const state of ['ordered', 'requested', 'delivered', 'acknowledged'] as const) {
      expect(wipe(state, GIVEN)).toContain(
        'requested at the device manager at 2026-11-23T03:00:00.000Z: cancel it there',
      );
    }
    expect(wipe('verified', GIVEN)).toBe('It was wiped: nothing is left to decide about it.');
  }
});

it('orders nothing twice: the order that there is goes on, until it failed or is over', () => {
  const again = (kind: EarlierOrder['kind']) =>
    COMMAND_STATES.filter((state) => whyNotDecided(kind, order(kind, state)) === null);
  expect(again('lock')).toEqual(['verified', 'failed', 'superseded', 'risk_accepted']);
  expect(again('unlock')).toEqual(['verified', 'failed', 'superseded', 'risk_accepted']);
  expect(again('wipe')).toEqual(['failed', 'superseded', 'risk_accepted']);
});

it('says of what stands in the way in which report of the loss that is', () => {
  const [wiped] = order('wipe', 'verified').orders;
  expect(wiped && whyNotDecided('lock', standing({ orders: [{ ...wiped, caseId: 'before' }] }))).toBe(
    'It was wiped: nothing is left to decide about it. That is in another report of this loss: before.',
  );
});

it('lets a wipe follow a lock, however far that is', () => {
  for (const state of COMMAND_STATES) expect(whyNotDecided('wipe', order('lock', state, GIVEN))).toBeNull();
});

it('wipes nothing under legal hold, and says in which loss it stands', () => {
  expect(whyNotDecided('wipe', standing({ legalHolds: ['case-1', 'case-2'] }))).toContain(
    'in the loss case-1 and case-2',
  );
  expect(whyNotDecided('lock', standing({ legalHolds: ['case-1'] }))).toBeNull();
});

describe('a machine is unlocked', () => {
  const unlock = (with_: Partial<LossStanding>) => whyNotDecided('unlock', standing(with_));

  it.each(['found', 'in_stock', 'reserved', 'assigned', 'in_repair'] as const)('when it is %s', (deviceState) => {
    expect(unlock({ deviceState })).toBeNull();
    // Whoever has it by now.
    expect(unlock({ deviceState, isTheirs: false })).toBeNull();
  });

  it('while nobody has it in hand never, and in its newest case only', () => {
    for (const deviceState of ['lost', 'stolen'] as const) {
      expect(unlock({ deviceState })).toContain('open to whoever has it');
    }
    for (const deviceState of ['retired', 'disposed', 'ordered'] as const) {
      expect(unlock({ deviceState })).toContain('back in hand');
    }
    expect(unlock({ deviceState: 'found', hasNewer: true })).toContain('later case');
  });
});

it('orders nothing of a machine that was written off, and sends nobody to take it back', () => {
  for (const deviceState of ['retired', 'disposed'] as const) {
    for (const decision of ['lock', 'wipe'] as const) {
      expect(whyNotDecided(decision, standing({ deviceState, isTheirs: false }))).toBe(
        `It is ${deviceState}: by our records nobody looks for it any more.`,
      );
    }
    expect(whyNotDecided('leave', standing({ deviceState, isTheirs: false }))).toBeNull();
  }
});
