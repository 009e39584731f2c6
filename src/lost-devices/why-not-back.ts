import { isAway, type DeviceState } from '../devices/device-states.js';

/** In the company's hands. One that was lost and then retired is in nobody's that we know of. */
const AT_HAND: ReadonlySet<DeviceState> = new Set(['found', 'in_stock', 'reserved', 'assigned', 'in_repair']);

/** Where a machine is, as far as unlocking it stands on that. */
export interface Return {
  deviceState: DeviceState;
  /** There is a later case of its loss. */
  hasNewer: boolean;
}

/** Why a machine isn't unlocked in this case of its loss, in words that say what to do; null: it is back. Pure. */
export function whyNotBack({ deviceState, hasNewer }: Return): string | null {
  if (hasNewer) return 'There is a later case of its loss: decide in that one.';
  if (isAway(deviceState)) {
    return `It is ${deviceState}: unlocked, it would be open to whoever has it. Once you have it in hand, say at the device that it was found.`;
  }
  if (AT_HAND.has(deviceState)) return null;
  return `It is ${deviceState}, and only a machine that is back in hand is unlocked.`;
}
