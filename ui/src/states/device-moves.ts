import type { Device } from '../api/types.js';

type State = Device['state'];

/** Where somebody may put a device by hand from where it is, as the server has it. */
export const HAND_MOVES = {
  ordered: ['in_stock', 'retired'],
  in_stock: ['in_repair', 'retired'],
  reserved: ['in_stock', 'in_repair'],
  assigned: ['in_stock', 'in_repair'],
  in_repair: ['in_stock', 'retired'],
  lost: ['in_stock', 'stolen', 'found', 'retired'],
  stolen: ['found', 'retired'],
  found: ['in_stock', 'in_repair', 'retired'],
  retired: ['disposed'],
  disposed: [],
} as const satisfies Record<State, readonly State[]>;

export type HandState = (typeof HAND_MOVES)[State][number];

/** In these a device can be given to somebody. */
export const GIVEN_FROM: readonly State[] = ['in_stock', 'reserved'];

/** In these it can be kept for somebody. */
export const KEPT_FROM: readonly State[] = ['in_stock'];
