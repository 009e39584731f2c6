import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCRYPTION_STATES, weakestOf, type EncryptionState, type VolumeSeen } from './encryption-states.js';
import { judgeReport } from './judge-report.js';
import { whyNotBelieved, type Agent } from './known-lies.js';

const aVolume = (state: EncryptionState, more: Partial<VolumeSeen> = {}): VolumeSeen => ({
  volume: 'C:',
  role: 'system',
  state,
  ...more,
});

const states = fc.array(fc.constantFrom(...ENCRYPTION_STATES), { maxLength: 6 });

describe('a device of several volumes', () => {
  it('is encrypted only when every one of them is', () => {
    fc.assert(
      fc.property(states, (some) => {
        const all = some.length > 0 && some.every((state) => state === 'encrypted');
        expect(weakestOf(some) === 'encrypted').toBe(all);
      }),
    );
  });

  it('is not encrypted exactly when one of them is known not to be, whatever else is unknown', () => {
    fc.assert(
      fc.property(states, (some) => {
        expect(weakestOf(some) === 'not_encrypted').toBe(some.includes('not_encrypted'));
      }),
    );
  });

  it('is unknown when one of them is and none is known not to be encrypted', () => {
    expect(weakestOf(['encrypted', 'unknown', 'suspended'])).toBe('unknown');
    expect(weakestOf(['not_encrypted', 'unknown'])).toBe('not_encrypted');
    expect(weakestOf([])).toBe('unknown');
  });

  it('is as its weakest one: suspended before converting', () => {
    expect(weakestOf(['encrypted', 'converting'])).toBe('converting');
    expect(weakestOf(['encrypted', 'converting', 'suspended'])).toBe('suspended');
  });
});

describe('a report', () => {
  it('isn’t weakened by a stick that somebody plugged in, and keeps what was seen of it', () => {
    const stick = aVolume('not_encrypted', { volume: 'E:', role: 'removable' });
    const judged = judgeReport({ volumes: [aVolume('encrypted'), stick] });
    expect(judged).toMatchObject({ state: 'encrypted', why: null });
    expect(judged.volumes).toContainEqual(stick);
    expect(judgeReport({ volumes: [stick] })).toMatchObject({ state: 'unknown' });
  });

  it('of a failed query is no answer, and says why', () => {
    const why = 'the query disk_encryption failed';
    expect(judgeReport({ volumes: [], why })).toEqual({ state: 'unknown', why, volumes: [] });
  });

  it('names the volume that nobody could tell of', () => {
    const judged = judgeReport({ volumes: [aVolume('unknown', { why: 'it is locked' })] });
    expect(judged).toMatchObject({ state: 'unknown', why: 'C:: it is locked' });
  });

  it('of an agent that is known to lie counts as unknown, and keeps the claim and the row', () => {
    const raw = { conversion_status: '0', protection_status: '1' };
    const agent: Agent = { name: 'osquery', version: '5.17.0', platform: 'windows' };
    const judged = judgeReport({ agent, volumes: [aVolume('encrypted', { raw })] });
    expect(judged.state).toBe('unknown');
    expect(judged.why).toContain('8931');
    expect(judged.volumes).toMatchObject([{ state: 'unknown', claimed: 'encrypted', raw }]);
  });
});

describe('an agent', () => {
  const onWindows = (version?: string): Agent => ({
    name: 'osquery',
    platform: 'windows',
    ...(version && { version }),
  });

  it.each([
    ['4.9.0', false],
    ['5.9.1', false],
    ['5.23.9', false],
    ['5.13.0-5-g12e588c9c-dirty', false],
    ['5.24.0', true],
    ['5.24.0-1-gabcdef012', true],
    ['5.100.0', true],
    ['6.0.0', true],
    ['', false],
    ['unknown', false],
  ])('osquery %s that says a BitLocker drive is protected: believed %s', (version, believed) => {
    expect(whyNotBelieved(onWindows(version), aVolume('encrypted')) === null).toBe(believed);
  });

  it('that lies about what is protected is believed when it says that something isn’t', () => {
    for (const state of ['not_encrypted', 'suspended', 'converting'] as const) {
      expect(whyNotBelieved(onWindows('5.0.1'), aVolume(state))).toBeNull();
    }
  });

  it('that doesn’t say on what or in which version it runs is taken for the one that lies', () => {
    expect(whyNotBelieved({ name: 'osquery' }, aVolume('encrypted'))).not.toBeNull();
    expect(whyNotBelieved({ name: 'osquery', version: '5.0.0', platform: 'macos' }, aVolume('encrypted'))).toBeNull();
  });

  it('osquery that sees no LUKS below a mapped device isn’t believed, and about a bare partition it is', () => {
    const agent: Agent = { name: 'osquery', version: '5.24.0', platform: 'linux' };
    const root = (device: string) => aVolume('not_encrypted', { volume: '/', device });
    expect(whyNotBelieved(agent, root('/dev/mapper/vg-root'))).toContain('8639');
    expect(whyNotBelieved(agent, root('/dev/dm-1'))).toContain('8639');
    expect(whyNotBelieved(agent, root('/dev/nvme0n1p2'))).toBeNull();
    expect(whyNotBelieved(agent, aVolume('not_encrypted', { volume: '/' }))).toContain('8639');
  });

  it('whom nobody knows anything against is believed', () => {
    expect(whyNotBelieved(undefined, aVolume('encrypted'))).toBeNull();
    expect(whyNotBelieved({ name: 'shell reporter' }, aVolume('encrypted'))).toBeNull();
  });
});
