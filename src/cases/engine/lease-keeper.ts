import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import { handBackDropped, renewLeases, type Claim } from './claim.js';
import type { Lease } from './run-step.js';
import { TIMING } from './timing.js';

interface Kept {
  abort: AbortController;
  validUntil: number;
}

/**
 * Renews the leases of all steps that a worker is running, by one statement a second, and tells each step when it lost
 * its own. Validity is reckoned by the monotonic clock from before the renewal was sent: never later than PostgreSQL's.
 */
export class LeaseKeeper {
  private readonly kept = new Map<string, Kept>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: DataSource,
    private readonly workerId: string,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.renew(), TIMING.renewal);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** @param claimedAt When the claim was asked for, by `performance.now()`. */
  async during(claim: Claim, claimedAt: number, run: (lease: Lease) => Promise<void>): Promise<void> {
    const kept: Kept = { abort: new AbortController(), validUntil: claimedAt + TIMING.lease };
    this.kept.set(claim.stepId, kept);
    try {
      await run({ signal: kept.abort.signal, holds: () => performance.now() < kept.validUntil });
    } finally {
      this.kept.delete(claim.stepId);
    }
  }

  private async renew(): Promise<void> {
    // Also when nothing runs: what was dropped last would be nobody's for ever. Failed, it is done the next time.
    await handBackDropped(this.db, this.workerId, [...this.kept.keys()]).catch(() => undefined);
    if (this.kept.size === 0) return;
    const asked = performance.now();
    const before = [...this.kept.entries()];
    // A failed renewal is a lease that runs out: the steps notice by their own clock.
    const ours = await renewLeases(this.db, this.workerId).catch(() => undefined);
    if (!ours) return;
    for (const [stepId, kept] of before) {
      if (ours.has(stepId)) kept.validUntil = asked + TIMING.lease;
      else kept.abort.abort();
    }
  }
}
