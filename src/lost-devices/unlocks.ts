import { z } from 'zod';
import { PROTECTORS } from '../devices/encryption/encryption-states.js';
import type { JudgedVolume } from '../devices/encryption/judge-report.js';
import type { MachineKnowledge } from './runbook/propose-containment.js';

/** A volume that counts, as it is frozen in the facts of a case. */
export const FrozenVolume = z.object({
  volume: z.string(),
  state: z.string(),
  method: z.string().nullable(),
  /** Null: whoever looked doesn't tell, which is not "none". */
  protectors: z.array(z.enum(PROTECTORS)).nullable(),
});
export type FrozenVolume = z.infer<typeof FrozenVolume>;

/** What a loss keeps of the volumes that were seen: those of which the device's state was made. */
export function frozenVolumes(volumes: readonly JudgedVolume[]): FrozenVolume[] {
  return volumes
    .filter(({ role }) => role === 'system' || role === 'internal')
    .map(({ volume, state, method, protectors }) => ({
      volume,
      state,
      method: method ?? null,
      protectors: protectors ? [...protectors] : null,
    }));
}

/** Asks for what only a person knows. */
const BEFORE_BOOT: readonly string[] = [
  'tpm_pin',
  'tpm_pin_startup_key',
  'passphrase',
  'user_password',
  // As people write it who tell of the disk as a whole.
  'password',
  'pin',
];

/** Lies somewhere else, for when all others fail. Whether somebody read it is asked apart from this. */
const IN_RESERVE: readonly string[] = ['recovery_password', 'recovery_key'];

/** @param protectors each of them opens the volume by itself; null: nobody told */
export function unlocksBy(protectors: readonly string[] | null): MachineKnowledge['unlocks'] {
  const ways = (protectors ?? []).filter((protector) => !IN_RESERVE.includes(protector));
  if (ways.includes('tpm')) return 'tpm_only';
  // A stick or a card may have been in the same bag, and nobody knows whether it asks for anything.
  return ways.length > 0 && ways.every((way) => BEFORE_BOOT.includes(way)) ? 'before_boot' : 'unknown';
}

/** A device opens as its most open volume does; one that nobody told of leaves it unknown. */
export function unlocksOf(volumes: readonly Pick<FrozenVolume, 'protectors'>[]): MachineKnowledge['unlocks'] {
  const ways = volumes.map(({ protectors }) => unlocksBy(protectors));
  if (ways.includes('tpm_only')) return 'tpm_only';
  return ways.length === 0 || ways.includes('unknown') ? 'unknown' : 'before_boot';
}
