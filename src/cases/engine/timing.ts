/** The engine's times, in milliseconds, in one place: they depend on one another. */
export const TIMING = {
  /** A lease is short, so that lapsed work is seen soon; it is renewed while the call runs, up to the call's deadline. */
  lease: 3_000,
  renewal: 1_000,
  /** One external call, from connecting to the last byte of the answer. */
  call: 10_000,
  /** A step handed to Redis and not claimed by then is handed over again: an emptied Redis costs this long. */
  handedOver: 3_000,
  sweep: 500,
  /** How often a lane looks for work without being told. */
  poll: 250,
  /** How long steps that end are gathered before their successors are handed to Redis. */
  gather: 10,
  heartbeat: 1_000,
  /** Without a sign of life for this long a worker ends itself (I9). */
  silence: 10_000,
  /** How long a stopping worker waits for its calls. */
  farewell: 5_000,
  /** A look that has to wait for a call still in the air tries again after this. */
  settle: 500,
  /** A tool whose credentials broke is tried again after this; it resumes with the first call that succeeds. */
  probe: 60_000,
} as const;

const FIRST_RETRY = 500;
const LONGEST_RETRY = 60_000;

/** Exponential with full jitter above the half, so that a storm's retries spread. `chance` is uniform in [0, 1). */
export function backoff(failures: number, chance: number): number {
  const ceiling = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** Math.max(0, failures - 1));
  return Math.round(ceiling * (0.5 + chance / 2));
}
