import type { DeviceCommand } from '../api/types.js';
import type { Tone } from './step-states.js';

/** How an order to lock, unlock or wipe stands; only what somebody has seen to be done is good. */
export const COMMAND_STATE_LOOKS = {
  ordered: { shape: '○', tone: 'waiting' },
  requested: { shape: '◔', tone: 'busy' },
  delivered: { shape: '◑', tone: 'busy' },
  acknowledged: { shape: '◕', tone: 'busy' },
  verified: { shape: '●', tone: 'good' },
  failed: { shape: '▲', tone: 'bad' },
  superseded: { shape: '⤼', tone: 'over' },
  risk_accepted: { shape: '⊘', tone: 'over' },
} as const satisfies Record<DeviceCommand['state'], { shape: string; tone: Tone }>;

/** What somebody may say that they saw of an order. */
export type SeenState = Exclude<DeviceCommand['state'], 'ordered' | 'superseded'>;

const SEEN = ['requested', 'delivered', 'acknowledged', 'verified', 'failed', 'risk_accepted'] as const;
/** How far each is on the way; one that failed begins again. */
const FAR = { ordered: 0, failed: 0, requested: 1, delivered: 2, acknowledged: 3, risk_accepted: 4, verified: 4 };

/** What an order may become by somebody's word; nothing when it is over. */
export function seenNext(state: DeviceCommand['state']): SeenState[] {
  if (state === 'verified' || state === 'superseded' || state === 'risk_accepted') return [];
  return SEEN.filter((one) => (one === 'failed' ? state !== 'failed' : FAR[one] > FAR[state]));
}
