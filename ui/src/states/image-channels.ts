import type { ImageMedium, ImageVersion } from '../api/types.js';
import type { Tone } from './step-states.js';

type Channel = ImageVersion['channel'];

export const CHANNEL_LOOKS = {
  draft: { shape: '○', tone: 'waiting' },
  current: { shape: '●', tone: 'good' },
  deprecated: { shape: '⤼', tone: 'over' },
  withdrawn: { shape: '▲', tone: 'bad' },
} as const satisfies Record<Channel, { shape: string; tone: Tone }>;

/** Where a version may go from where it is, as the server has it. */
export const CHANNEL_MOVES = {
  draft: ['current', 'withdrawn'],
  current: ['deprecated', 'withdrawn'],
  deprecated: ['current', 'withdrawn'],
  withdrawn: [],
} as const satisfies Record<Channel, readonly Channel[]>;

export type ChannelMove = (typeof CHANNEL_MOVES)[Channel][number];

/** A stick is good only when what was read back is the image. */
export const MEDIUM_LOOKS = {
  writing: { shape: '◑', tone: 'busy' },
  verified: { shape: '●', tone: 'good' },
  failed: { shape: '▲', tone: 'bad' },
} as const satisfies Record<ImageMedium['state'], { shape: string; tone: Tone }>;
