import { isAway, type DeviceState } from '../devices/device-states.js';

/** Where a machine is, as far as an order about its loss stands on that. */
export interface Whereabouts {
  deviceState: DeviceState;
  /** Whoever lost it is whom it still counts as being with. */
  isTheirs: boolean;
  /** It was back since, and was lost again. */
  isLostAnew: boolean;
}

/** Why nothing is ordered of a machine in this case of its loss, in words that say what to do; null: it is away. Pure. */
export function whyNotThere({ deviceState, isTheirs, isLostAnew }: Whereabouts): string | null {
  if (deviceState === 'retired' || deviceState === 'disposed') {
    return `It is ${deviceState}: by our records nobody looks for it any more.`;
  }
  if (!isAway(deviceState)) {
    return `It isn’t lost any more: it is ${deviceState.replace('_', ' ')}. Take it back, and image it anew.`;
  }
  if (!isTheirs) return 'Somebody else had it since, and lost it: decide in the newest case of its loss.';
  return isLostAnew ? 'It was back since, and was lost again: decide in the newest case of its loss.' : null;
}
