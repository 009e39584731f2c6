import type { Observation } from '../../api/types.js';
import type { Tone } from '../../states/step-states.js';
import { text, wordFor } from '../../text/text.js';

const LOOKS: Readonly<Record<string, { shape: string; tone: Tone }>> = {
  encrypted: { shape: '●', tone: 'good' },
  encrypting: { shape: '◑', tone: 'busy' },
  converting: { shape: '◑', tone: 'busy' },
  suspended: { shape: '▲', tone: 'bad' },
  not_encrypted: { shape: '▲', tone: 'bad' },
};
const UNKNOWN = { shape: '○', tone: 'waiting' } as const;

export function encryptionWord(value: string): string {
  return wordFor(text.devices.encryption, value);
}

/** What is known of a disk: by the newest observation, or that nobody ever looked. */
export function encryptionLooks(observation: Pick<Observation, 'value'> | undefined): {
  shape: string;
  tone: Tone;
  word: string;
} {
  if (!observation) return { ...UNKNOWN, word: text.devices.neverSeen };
  return { ...(LOOKS[observation.value] ?? UNKNOWN), word: encryptionWord(observation.value) };
}
