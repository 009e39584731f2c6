/** What can be said of a disk. `unknown` is never a "no": nobody could tell, or nobody who can be believed did. */
export const ENCRYPTION_STATES = ['encrypted', 'converting', 'suspended', 'not_encrypted', 'unknown'] as const;
export type EncryptionState = (typeof ENCRYPTION_STATES)[number];

/**
 * Only `system` and `internal` volumes count: what a machine starts or is recovered from is never encrypted (`boot`), and a
 * stick that somebody plugged in says nothing about it.
 */
export const VOLUME_ROLES = ['system', 'internal', 'boot', 'removable'] as const;
export type VolumeRole = (typeof VOLUME_ROLES)[number];

/**
 * What opens a volume. `tpm` alone opens it to whoever switches the machine on. The kinds of BitLocker are those of
 * Win32_EncryptableVolume.GetKeyProtectorType.
 */
export const PROTECTORS = [
  'tpm',
  'tpm_pin',
  'tpm_startup_key',
  'tpm_pin_startup_key',
  'startup_key',
  'certificate',
  'passphrase',
  'user_password',
  'recovery_password',
  'recovery_key',
  'security_key',
  'other',
] as const;
export type Protector = (typeof PROTECTORS)[number];

/** One volume, as somebody saw it. */
export interface VolumeSeen {
  /** As the system names it: `C:`, `/`. */
  volume: string;
  role: VolumeRole;
  /** The block device below it, where that is told: `/dev/mapper/vg-root`. */
  device?: string;
  state: EncryptionState;
  /** Why nothing is known. */
  why?: string;
  method?: string;
  /** How much of it is encrypted, 0 to 100. */
  percentage?: number;
  protectors?: readonly Protector[];
  /** What the agent said, as it said it. */
  raw?: Readonly<Record<string, unknown>>;
}

/**
 * From the weakest to the strongest. A suspended volume has its key in the clear beside the data, so that all of it can
 * be read; of one that is being converted, a part.
 */
const BY_STRENGTH = ['not_encrypted', 'suspended', 'converting', 'encrypted'] as const;

/**
 * A device is as its weakest volume is. One that is known not to be encrypted settles it; else one that nobody knows of
 * leaves all unknown. Without any volume nothing is known.
 */
export function weakestOf(states: readonly EncryptionState[]): EncryptionState {
  if (states.includes('not_encrypted')) return 'not_encrypted';
  if (states.includes('unknown')) return 'unknown';
  return BY_STRENGTH.find((state) => states.includes(state)) ?? 'unknown';
}
