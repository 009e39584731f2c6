import { describe, expect, it } from 'vitest';
import type { VolumeSeen } from '../devices/encryption/encryption-states.js';
import { frozenVolumes, unlocksBy, unlocksOf } from './unlocks.js';

const aVolume = (more: Partial<VolumeSeen> = {}): VolumeSeen => ({
  volume: 'C:',
  role: 'system',
  state: 'encrypted',
  ...more,
});

describe('a volume opens', () => {
  it.each([
    ['tpm_only', ['tpm']],
    ['tpm_only', ['tpm', 'tpm_pin', 'recovery_password']],
    ['before_boot', ['tpm_pin', 'recovery_password']],
    ['before_boot', ['passphrase', 'recovery_key']],
    ['before_boot', ['user_password']],
    ['unknown', ['recovery_password']],
    ['unknown', ['tpm_startup_key']],
    ['unknown', ['tpm_pin', 'startup_key']],
    ['unknown', ['passphrase', 'security_key']],
    ['unknown', ['other']],
    ['unknown', []],
    ['unknown', null],
  ] as const)('%s, by %j', (unlocks, protectors) => {
    expect(unlocksBy(protectors)).toBe(unlocks);
  });
});

describe('a device opens', () => {
  it('as its most open volume, and nobody knows how while nobody told of one of them', () => {
    const [pin, tpm, untold] = [
      { protectors: ['tpm_pin' as const] },
      { protectors: ['tpm' as const] },
      { protectors: null },
    ];
    expect(unlocksOf([pin])).toBe('before_boot');
    expect(unlocksOf([pin, tpm, untold])).toBe('tpm_only');
    expect(unlocksOf([pin, untold])).toBe('unknown');
    expect(unlocksOf([])).toBe('unknown');
  });

  it('by the volumes of which its state is made: no stick, no boot partition', () => {
    const stick = aVolume({ volume: 'E:', role: 'removable', protectors: ['tpm'] });
    const boot = aVolume({ volume: '/boot', role: 'boot', state: 'not_encrypted' });
    expect(frozenVolumes([stick, boot, aVolume({ method: 'XTS_AES_256', protectors: ['tpm_pin'] })])).toEqual([
      { volume: 'C:', state: 'encrypted', method: 'XTS_AES_256', protectors: ['tpm_pin'] },
    ]);
    expect(frozenVolumes([aVolume()])).toMatchObject([{ method: null, protectors: null }]);
  });
});
