import { describe, expect, it } from 'vitest';
import type { DeviceStatus } from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { afterFailure, dueIn } from './follow-up.js';
import { judgeCommand, type GivenCommand } from './judge-command.js';
import { judgeVerified } from './judge-verified.js';
import { whyNotGiven } from './why-not-given.js';

const NOW = { takes: 'now' } as const;
const LATER = { takes: 'later', because: 'A lock is pending.' } as const;

const command = (with_: Partial<GivenCommand> = {}): GivenCommand => ({
  kind: 'wipe',
  state: 'ordered',
  tool: 'Fleet',
  serial: 'SN-1',
  assetTag: 'QM-1',
  lastGiven: null,
  whyNot: null,
  ...with_,
});
const seen = (with_: Partial<DeviceStatus> = {}): DeviceStatus => ({
  serial: 'SN-1',
  isOnline: false,
  lastSeenAt: null,
  state: 'unlocked',
  pending: null,
  orders: { lock: NOW, unlock: NOW, wipe: NOW },
  requests: [],
  ...with_,
});
const following = { ...command({ kind: 'lock' }), failures: 0, ageMs: 0 };
const MINUTE = 60_000;

describe('an order', () => {
  it('is given once: not while it is pending or done, nor right after a call that the manager may show late', () => {
    expect(judgeCommand(command(), seen())).toEqual({ next: 'give', act: 'wipe' });
    expect(judgeCommand(command(), seen({ pending: 'wipe' }))).toMatchObject({ next: 'wait', shows: 'requested' });
    expect(judgeCommand(command(), seen({ state: 'wiped' }))).toMatchObject({ next: 'wait', shows: 'acknowledged' });
    const given = (ageMs: number, times = 1) => command({ lastGiven: { act: 'wipe', ageMs, times } });
    expect(judgeCommand(given(59_000), seen())).toMatchObject({ next: 'wait', shows: null, tell: false });
    expect(judgeCommand(given(59_000, 3), seen())).toMatchObject({ next: 'wait', shows: null, tell: true });
    expect(judgeCommand(given(61_000), seen())).toEqual({ next: 'give', act: 'wipe' });
  });

  it('that was asked for is nothing more than that, whoever asked', () => {
    const requests = [{ what: 'wipe', at: new Date(), by: 'ada@acme.example' }] as const;
    const asked = seen({ pending: 'wipe', requests });
    expect(judgeCommand(command({ state: 'requested' }), asked)).toMatchObject({ next: 'wait', shows: null });
    expect(judgeCommand(command({ state: 'requested' }), seen({ requests }))).toMatchObject({ shows: 'failed' });
  });

  it('to wipe waits for a lock that is pending, and unlocks what is locked where the manager can', () => {
    const waits = judgeCommand(command(), seen({ pending: 'lock', orders: { lock: NOW, unlock: LATER, wipe: LATER } }));
    expect(waits).toEqual({ next: 'wait', shows: null, because: LATER.because });
    const locked = (unlock: DeviceStatus['orders']['unlock']) =>
      seen({
        state: 'locked',
        orders: { lock: NOW, unlock, wipe: { takes: 'once-unlocked', because: 'It is locked.' } },
      });
    expect(judgeCommand(command(), locked(NOW))).toEqual({ next: 'give', act: 'unlock' });
    const byHand = judgeCommand(command(), locked({ takes: 'never', because: 'By its PIN.' }));
    expect(byHand).toEqual({ next: 'person', because: 'It is locked.' });
  });

  it('to unlock waits for the lock that was given before it, and is done only when that can’t come any more', () => {
    const unlock = (with_: Partial<GivenCommand> = {}) => command({ kind: 'unlock', ...with_ });
    expect(judgeCommand(unlock(), seen({ state: 'locked' }))).toEqual({ next: 'give', act: 'unlock' });
    const behind = seen({ pending: 'lock', orders: { lock: NOW, unlock: LATER, wipe: LATER } });
    expect(judgeCommand(unlock(), behind)).toEqual({ next: 'wait', shows: null, because: LATER.because });
    const lockedBefore = (ageMs: number) => unlock({ lastGiven: { act: 'lock', ageMs, times: 0 } });
    expect(judgeCommand(lockedBefore(59_000), seen())).toMatchObject({ next: 'wait', shows: null });
    expect(judgeCommand(lockedBefore(61_000), seen())).toMatchObject({ next: 'wait', shows: 'acknowledged' });
    expect(judgeCommand(lockedBefore(1_000), seen({ state: 'locked' }))).toEqual({ next: 'give', act: 'unlock' });
  });

  it('goes to nobody but the machine: another serial number, or none, under its id is a person’s', () => {
    for (const serial of ['SN-2', null]) {
      const judged = judgeCommand(command(), seen({ serial }));
      expect(judged).toMatchObject({ next: 'person', because: expect.stringContaining('QM-1') });
      expect(JSON.stringify(judged)).not.toContain('SN-');
    }
  });

  it('that may not be given any more isn’t, and says so of what is pending already', () => {
    const whyNot = 'It is under legal hold.';
    expect(judgeCommand(command({ whyNot }), seen())).toEqual({ next: 'person', because: whyNot });
    const pending = judgeCommand(command({ whyNot, state: 'requested' }), seen({ pending: 'wipe' }));
    expect(pending).toMatchObject({ next: 'person', because: expect.stringContaining('take it back there') });
  });

  it('is looked at soon at first, and ever more seldom; a person hears of a manager that can’t be asked, and at once of a no', () => {
    const wait = { next: 'wait', shows: null, because: null } as const;
    expect(dueIn(following, wait).ms).toBe(15_000);
    expect(dueIn({ ...following, ageMs: 30 * 24 * 60 * MINUTE }, wait).ms).toBe(15 * MINUTE);
    expect([false, true].map((tell) => dueIn(following, { ...wait, shows: 'failed', tell }).needsPerson)).toEqual([
      false,
      true,
    ]);
    // What somebody cancelled at the manager looks the same: as long as they were promised to decide otherwise.
    const failed = (kind: 'lock' | 'wipe') => dueIn({ ...following, kind }, { ...wait, shows: 'failed' }).ms;
    expect([failed('lock'), failed('wipe')]).toEqual([MINUTE, 10 * MINUTE]);
    const away = new ToolError('transient', 'It did not answer.');
    const after = (failures: number, error = away) => afterFailure({ ...following, failures }, error, new Date(0));
    expect([0, 3, 4].map((failures) => after(failures).needsPerson)).toEqual([false, false, true]);
    expect(after(0).ms).toBeLessThan(after(3).ms);
    const limited = (ms: number) => after(0, new ToolError('rate-limited', 'Too many.', { resetAt: new Date(ms) }));
    expect(limited(90_000)).toMatchObject({ ms: 90_000, needsPerson: false });
    expect(limited(60 * MINUTE)).toMatchObject({ needsPerson: true, problem: expect.stringContaining('by hand') });
    const refused = after(0, new ToolError('forbidden', 'It may not.', { remedy: 'Give it the role.' }));
    expect(refused).toMatchObject({ needsPerson: true, problem: expect.stringContaining('Give it the role.') });
  });
});

it('a wipe stands on its approval, no legal hold and a machine that is still lost; a lock on the last; an unlock on one that is back', () => {
  const wipe = {
    kind: 'wipe',
    deviceState: 'lost',
    isTheirs: true,
    isLostAnew: false,
    legalHold: false,
    containment: 'wipe',
    isAsApproved: true,
    hasNewer: false,
  } as const;
  expect(whyNotGiven(wipe)).toBeNull();
  expect(whyNotGiven({ ...wipe, legalHold: true })).toContain('legal hold');
  expect(whyNotGiven({ ...wipe, isAsApproved: false })).toContain('approved');
  expect(whyNotGiven({ ...wipe, deviceState: 'found' })).toContain('found');
  expect(whyNotGiven({ ...wipe, isTheirs: false })).toContain('Somebody else');
  expect(whyNotGiven({ ...wipe, isLostAnew: true })).toContain('lost again');
  const lock = { ...wipe, kind: 'lock', containment: 'lock', isAsApproved: false } as const;
  expect(whyNotGiven({ ...lock, legalHold: true })).toBeNull();
  expect(whyNotGiven({ ...lock, deviceState: 'in_stock' })).toContain('in stock');
  const unlock = { ...lock, kind: 'unlock', deviceState: 'found' } as const;
  expect(whyNotGiven({ ...unlock, legalHold: true, isTheirs: false })).toBeNull();
  expect(whyNotGiven({ ...unlock, deviceState: 'stolen' })).toContain('open to whoever has it');
  expect(whyNotGiven({ ...unlock, hasNewer: true })).toContain('later case');
});

it('what somebody saw is refused where the manager shows otherwise, and is a word where it shows nothing of it', () => {
  const verified = (kind: 'lock' | 'unlock' | 'wipe', shown: Partial<DeviceStatus>) =>
    judgeVerified({ kind, serial: 'SN-1', tool: 'Fleet' }, seen(shown));
  expect(verified('lock', { state: 'locked' })).toEqual({ by: 'manager' });
  expect(verified('wipe', { state: 'wiped' })).toEqual({ by: 'manager' });
  expect(verified('wipe', { state: 'unlocked' })).toEqual({ by: 'word' });
  expect(verified('lock', { state: 'unknown' })).toEqual({ by: 'word' });
  expect(verified('lock', { state: 'unlocked', serial: 'SN-2' })).toEqual({ by: 'word' });
  expect(verified('lock', { state: 'unlocked' })).toHaveProperty('contradicted');
  expect(verified('unlock', { state: 'unlocked' })).toEqual({ by: 'manager' });
  for (const shown of [{ state: 'locked' }, { pending: 'unlock', state: 'locked' }, { pending: 'lock' }] as const) {
    expect(verified('unlock', shown)).toHaveProperty('contradicted');
  }
  expect(verified('wipe', { state: 'wiped', pending: 'wipe' })).toHaveProperty('contradicted');
});
