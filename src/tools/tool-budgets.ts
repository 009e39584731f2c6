import type { BudgetShare } from './tool-budget.entity.js';

/** What a tool can bear altogether. */
export interface ToolLimits {
  /** Calls at the same time; 1 or more. */
  maxConcurrency: number;
  /** Above 0; below 1 means less than one call a second. */
  callsPerSecond: number;
}

export const DEFAULT_LIMITS: ToolLimits = { maxConcurrency: 8, callsPerSecond: 20 };

export interface BudgetRow {
  share: BudgetShare;
  concurrency: number;
  callsPerSecond: number;
  /** Calls that may come at once after a quiet time. */
  burst: number;
}

const RESERVED_PART = 0.25;
const LEAST_RESERVED_CALLS = 2;

/**
 * Divides what a tool can bear. The emergency lane's share is a quarter of it, and two calls at least; it comes out of
 * the whole, so that both lanes together stay within the limits. Where the limits are too small for that, the share
 * for all others is left one call, and the reserve comes on top: a lost laptop is worth a call too many.
 */
export function divideLimits({ maxConcurrency, callsPerSecond }: ToolLimits): BudgetRow[] {
  const reserved = Math.max(LEAST_RESERVED_CALLS, Math.ceil(maxConcurrency * RESERVED_PART));
  const shared = Math.max(1, maxConcurrency - reserved);
  const reservedRate = callsPerSecond * RESERVED_PART;
  const sharedRate = callsPerSecond - reservedRate;
  return [
    { share: 'shared', concurrency: shared, callsPerSecond: sharedRate, burst: Math.max(1, sharedRate) },
    // An emergency begins with several calls at once: as many as may run must not wait for the rate.
    { share: 'reserved', concurrency: reserved, callsPerSecond: reservedRate, burst: Math.max(reserved, reservedRate) },
  ];
}

/** The limits that were divided into these rows. */
export function limitsOf(rows: readonly Pick<BudgetRow, 'concurrency' | 'callsPerSecond'>[]): ToolLimits {
  return {
    maxConcurrency: rows.reduce((sum, row) => sum + row.concurrency, 0),
    callsPerSecond: rows.reduce((sum, row) => sum + row.callsPerSecond, 0),
  };
}
