import { Problem } from '../platform/errors/problem.js';

export const DEVICE_STATES = [
  'ordered',
  'in_stock',
  'reserved',
  'assigned',
  'in_repair',
  'lost',
  'stolen',
  'found',
  'retired',
  'disposed',
] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/**
 * Where a device may go from where it is; the database keeps to the same list. A theft is reported as a loss first, so
 * that access is cut. What was lost and found goes to the shelf or the workshop before anybody has it again.
 */
export const NEXT_DEVICE_STATES = {
  ordered: ['in_stock', 'retired'],
  in_stock: ['reserved', 'assigned', 'in_repair', 'lost', 'retired'],
  reserved: ['in_stock', 'assigned', 'in_repair', 'lost'],
  assigned: ['in_stock', 'in_repair', 'lost'],
  in_repair: ['in_stock', 'lost', 'retired'],
  lost: ['in_stock', 'stolen', 'found', 'retired'],
  stolen: ['found', 'retired'],
  found: ['in_stock', 'in_repair', 'lost', 'retired'],
  retired: ['disposed'],
  disposed: [],
} as const satisfies Record<DeviceState, readonly DeviceState[]>;

/** Where somebody may put one by hand; giving out, keeping for somebody, and losing are decisions of their own. */
export const CHANGED_STATES = [
  'in_stock',
  'in_repair',
  'stolen',
  'found',
  'retired',
  'disposed',
] as const satisfies readonly DeviceState[];

/** In these a device is out of our hands or just back, and still tells who had it last. */
export const KEEPS_ITS_HOLDER: ReadonlySet<DeviceState> = new Set(['assigned', 'lost', 'stolen', 'found']);

/** Out of our hands: somebody else may have it, and what was on it. */
export function isAway(state: DeviceState): boolean {
  return state === 'lost' || state === 'stolen';
}

export function mayBecome(from: DeviceState, to: DeviceState): boolean {
  return (NEXT_DEVICE_STATES[from] as readonly DeviceState[]).includes(to);
}

/** @throws Problem `conflict` that names both states. */
export function refuseUnless(from: DeviceState, to: DeviceState): void {
  if (!mayBecome(from, to))
    throw new Problem('conflict', `A device that is ${inWords(from)} can’t become ${inWords(to)}.`);
}

function inWords(state: DeviceState): string {
  return state.replace('_', ' ');
}
