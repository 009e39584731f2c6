import type { RecoveryKey } from './recovery-key.entity.js';

export const KEY_FORMATS = ['right', 'wrong'] as const;
export type KeyFormat = (typeof KEY_FORMATS)[number];

/**
 * Whether a key can be one of its kind, as far as that shows. A typing error in BitLocker's always does: each of its
 * eight groups is a number of 16 bits times 11 (Microsoft, "BitLocker recovery password"; libbde, "Recovery password").
 * FileVault's personal recovery key is six groups of four letters and digits (Apple, "FileVault and recovery keys").
 * LUKS takes any passphrase of up to 512 bytes (cryptsetup(8), "Notes on passphrase processing"); one that looks like
 * systemd's recovery keys has to be one: eight groups of eight of its modhex letters (systemd-cryptenroll(1)).
 *
 * @returns null for a kind of which nothing is known
 */
export function formatOf(protects: RecoveryKey['protects'], key: string): KeyFormat | null {
  if (protects === 'other') return null;
  return IS_RIGHT[protects](key) ? 'right' : 'wrong';
}

const IS_RIGHT: Record<Exclude<RecoveryKey['protects'], 'other'>, (key: string) => boolean> = {
  bitlocker: (key) => /^(\d{6}-){7}\d{6}$/.test(key) && key.split('-').every(isTimes11),
  filevault: (key) => /^([A-Z0-9]{4}-){5}[A-Z0-9]{4}$/.test(key),
  luks: (key) => {
    if (/^([a-z]{8}-){7}[a-z]{8}$/.test(key)) return /^[cbdefghijklnrtuv-]+$/.test(key);
    return Buffer.byteLength(key) <= 512 && !/\p{Cc}/u.test(key);
  },
};

function isTimes11(group: string): boolean {
  return Number(group) % 11 === 0 && Number(group) / 11 < 65_536;
}
