import { Problem } from '../platform/errors/problem.js';

export const DEVICE_STATES = ['in_stock', 'assigned', 'lost', 'in_repair', 'retired'] as const;
export type DeviceState = (typeof DEVICE_STATES)[number];

/** Where a device may go from where it is. A retired one stays retired; a lost one that is found goes to the shelf first. */
export const NEXT_DEVICE_STATES = {
  in_stock: ['assigned', 'lost', 'in_repair', 'retired'],
  assigned: ['in_stock', 'lost', 'in_repair'],
  lost: ['in_stock', 'retired'],
  in_repair: ['in_stock', 'lost', 'retired'],
  retired: [],
} as const satisfies Record<DeviceState, readonly DeviceState[]>;

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
