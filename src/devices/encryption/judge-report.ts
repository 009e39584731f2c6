import { weakestOf, type EncryptionState, type VolumeSeen } from './encryption-states.js';
import { whyNotBelieved, type Agent } from './known-lies.js';

/** All that was seen of a device's disks at one moment. A volume that isn't named isn't there. */
export interface DiskReport {
  agent?: Agent;
  volumes: readonly VolumeSeen[];
  /** Why there is nothing to tell of: the query failed. */
  why?: string;
}

/** A volume as it is kept: what is believed, and beside it what was claimed when that is something else. */
export interface JudgedVolume extends VolumeSeen {
  claimed?: EncryptionState;
}

export interface JudgedReport {
  /** Of the device. */
  state: EncryptionState;
  /** Why it is unknown; null when it isn't. */
  why: string | null;
  volumes: JudgedVolume[];
}

/** What a report shows. A failed query is no answer, and whoever is known to lie is not believed. */
export function judgeReport({ agent, volumes, why }: DiskReport): JudgedReport {
  const judged = volumes.map((seen): JudgedVolume => {
    const because = whyNotBelieved(agent, seen);
    return because === null ? seen : { ...seen, state: 'unknown', claimed: seen.state, why: because };
  });
  const counting = judged.filter(({ role }) => role === 'system' || role === 'internal');
  const state = weakestOf(counting.map((volume) => volume.state));
  if (state !== 'unknown') return { state, why: null, volumes: judged };
  const unclear = counting.find((volume) => volume.state === 'unknown');
  const reason = unclear
    ? `${unclear.volume}: ${unclear.why ?? 'nobody could tell'}`
    : 'no volume of the device was told of';
  return { state, why: why ?? reason, volumes: judged };
}
