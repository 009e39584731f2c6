import type { Actor } from '../platform/sign-in/actor.js';
import { identityIdIn } from '../platform/sign-in/principals.js';

/**
 * What is counted: people who leave, people from whom a change takes something, people to whom something is given, those
 * whose access is given back after a loss, and those whose credentials somebody has reset.
 */
export const BRAKE_KINDS = ['leaves', 'removals', 'grants', 'restorations', 'resets'] as const;
export type BrakeKind = (typeof BRAKE_KINDS)[number];

/** What has a limit: what brakes hold, and the recovery keys that one person reads alone within a day. */
export const LIMIT_KINDS = [...BRAKE_KINDS, 'reveals'] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** What takes access away: a limit of nobody would make "leave now" a thing that takes two people. */
export const TAKING_KINDS: readonly LimitKind[] = ['leaves', 'removals', 'resets'];

/** How many people a source may change within an hour: the larger one of a number and a share of the active staff. */
export interface Limit {
  atLeast: number;
  /** Of everybody who is active, in percent. */
  sharePercent: number;
}

/** Restorations are the only ones of people who are known to have been in danger: few are normal, many never are. */
export const DEFAULT_LIMITS: Record<LimitKind, Limit> = {
  leaves: { atLeast: 10, sharePercent: 5 },
  removals: { atLeast: 10, sharePercent: 5 },
  grants: { atLeast: 50, sharePercent: 10 },
  restorations: { atLeast: 5, sharePercent: 0 },
  resets: { atLeast: 20, sharePercent: 5 },
  reveals: { atLeast: 3, sharePercent: 0 },
};

/** What a source did within the last hour, or is doing at this moment, and for how large a company. */
export interface Volume {
  recent: number;
  staff: number;
  /** A brake of this kind and source stands already. */
  standing: boolean;
  /** Somebody has to be out at once. */
  urgent: boolean;
}

/** Whether there is a company in which the limit after lets more pass than the one before. Pure. */
export function letsMorePass(before: Limit, after: Limit): boolean {
  return after.atLeast > before.atLeast || after.sharePercent > before.sharePercent;
}

export function allowedOf({ atLeast, sharePercent }: Limit, staff: number): number {
  return Math.max(atLeast, Math.floor((staff * sharePercent) / 100));
}

/**
 * Whether one more change passes. While a brake stands its source isn't believed, but for an urgent change within the
 * limit. Where a source did nothing of its kind within the hour, urgent or not, an urgent one passes whatever the limit is:
 * one person never needs two to have somebody out. Pure.
 */
export function decideBrake({ recent, staff, standing, urgent }: Volume, limit: Limit): 'pass' | 'hold' {
  if (urgent && recent === 0) return 'pass';
  if (standing && !urgent) return 'hold';
  return recent < allowedOf(limit, staff) ? 'pass' : 'hold';
}

/** Who a change comes from. Somebody who signs in is one source, by their browsers and by the tokens that they made. */
export function sourceOf({ kind, id, name, boundTo, personId }: Actor): string {
  switch (kind) {
    case 'hr':
      return `hr:${id}`;
    case 'system':
      return 'schedule';
    case 'admin':
    case 'service':
      if (boundTo !== undefined) return boundTo;
      if (identityIdIn(id) !== null) return id;
      return personId === undefined ? `${kind}:${name.trim().toLowerCase()}` : `person:${personId}`;
  }
}
