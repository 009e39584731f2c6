import type { Lane } from '../step-states.js';

/** What a tool can bear and how much of it is in use. Two shares: everybody's, and one that only emergencies may use. */
export interface ToolLoad {
  toolId: string;
  shared: Share;
  reserved: Share;
  /** Steps handed over or being worked on. */
  busy: { emergency: number; other: number };
}

export interface Share {
  concurrency: number;
  /** Calls that may start now: the token bucket's content, filled up to this moment. */
  allowance: number;
}

export interface Admission {
  toolId: string;
  fromReserved: number;
  fromShared: number;
}

/**
 * How many steps may start at a tool now. Routine work never touches the reserved share; an emergency uses it first and
 * overflows into the shared one, so that a lost laptop is never behind the routine and many at once still go ahead.
 */
export function admit(load: ToolLoad, lane: Lane): Admission {
  const overflow = Math.max(0, load.busy.emergency - load.reserved.concurrency);
  const sharedRoom = room(load.shared, load.busy.other + overflow);
  if (lane !== 'emergency') return { toolId: load.toolId, fromReserved: 0, fromShared: sharedRoom };
  return {
    toolId: load.toolId,
    fromReserved: room(load.reserved, load.busy.emergency),
    fromShared: sharedRoom,
  };
}

function room({ concurrency, allowance }: Share, busy: number): number {
  return Math.max(0, Math.min(concurrency - busy, Math.floor(allowance)));
}

/** Takes what started from the shares it was admitted from: the reserved one first. */
export function charge({ fromReserved }: Admission, started: number): { reserved: number; shared: number } {
  const reserved = Math.min(started, fromReserved);
  return { reserved, shared: started - reserved };
}
