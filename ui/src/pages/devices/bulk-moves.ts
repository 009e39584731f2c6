import type { Device } from '../../api/types.js';
import type { Preview } from '../../bulk/bulk-dialog.js';
import { HAND_MOVES, type HandState } from '../../states/device-moves.js';
import { text } from '../../text/text.js';

/** Where many devices are put at once, the most usual one first. What was lost is decided one by one. */
export const BULK_STATES = ['in_stock', 'in_repair', 'retired', 'disposed'] as const satisfies readonly HandState[];

export type BulkState = (typeof BULK_STATES)[number];

const LOST: readonly Device['state'][] = ['lost', 'stolen', 'found'];

/** What comes of putting a device there, as far as the list tells; whether its return is outstanding the server knows. */
export function previewMove({ state, holderId }: Pick<Device, 'state' | 'holderId'>, to: BulkState): Preview {
  const words = text.devices.state;
  if (state === to) return { cannot: text.devices.bulk.already(words[to]) };
  if (LOST.includes(state)) return { cannot: text.devices.bulk.wasLost(words[state]) };
  const moves: readonly HandState[] = HAND_MOVES[state];
  if (!moves.includes(to)) return { cannot: text.devices.bulk.notFrom(words[state], words[to]) };
  const isTakenBack = to === 'in_stock' && holderId !== null;
  return { will: text.devices.bulk.becomes(words[state], words[to], isTakenBack) };
}

/** @param to id of a site, or null for none; undefined while none is chosen */
export function previewSite(
  { state, siteId }: Pick<Device, 'state' | 'siteId'>,
  to: string | null | undefined,
  siteName: (id: string | null) => string,
): Preview {
  if (state === 'disposed') return { cannot: text.devices.bulk.gone };
  if (to === undefined) return { will: text.devices.bulk.isAt(siteName(siteId)) };
  if (to === siteId) return { cannot: text.devices.bulk.isThere(siteName(to)) };
  return { will: text.devices.bulk.goesTo(siteName(siteId), siteName(to)) };
}
