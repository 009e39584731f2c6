import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import type { Lane } from '../step-states.js';
import { claimDue, CRASHES_BEFORE_ALONE, type Claim } from './claim.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { TIMING } from './timing.js';

export interface LaneOptions {
  db: DataSource;
  workerId: string;
  lanes: readonly Lane[];
  /** Steps at the same time. */
  slots: number;
  leases: LeaseKeeper;
  run: (claim: Claim, lease: Parameters<Parameters<LeaseKeeper['during']>[2]>[0]) => Promise<void>;
  onError: (error: unknown) => void;
}

/**
 * Takes steps straight from PostgreSQL: the emergency lane always, the others when there is no Redis. Woken by NOTIFY,
 * by a step that just ended (its followers may be due), and by a short poll.
 */
export class DirectLane {
  private readonly underWay = new Set<Promise<void>>();
  private alone: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private taking = false;
  private again = false;
  private stopped = false;

  constructor(private readonly options: LaneOptions) {}

  start(): void {
    this.timer = setInterval(() => this.wake(), TIMING.poll);
    this.wake();
  }

  wake(): void {
    if (this.stopped) return;
    if (this.taking) {
      this.again = true;
      return;
    }
    this.taking = true;
    void this.take()
      .catch(this.options.onError)
      .finally(() => {
        this.taking = false;
        if (this.again) {
          this.again = false;
          this.wake();
        }
      });
  }

  private async take(): Promise<void> {
    const { db, workerId, lanes, slots } = this.options;
    const free = slots - this.underWay.size;
    if (free <= 0 || this.alone) return;
    const claimedAt = performance.now();
    const claims = await claimDue(db, workerId, lanes, free);
    const suspects = claims.filter(({ crashes }) => crashes >= CRASHES_BEFORE_ALONE);
    for (const claim of claims) {
      if (!suspects.includes(claim)) this.begin(claim, claimedAt);
    }
    if (suspects.length > 0) this.alone = this.runAlone(suspects, claimedAt).finally(() => (this.alone = undefined));
    if (claims.length === free) this.again = true;
  }

  private begin(claim: Claim, claimedAt: number): void {
    const { leases, run, onError } = this.options;
    const running = leases
      .during(claim, claimedAt, (lease) => run(claim, lease))
      .catch(onError)
      .finally(() => {
        this.underWay.delete(running);
        this.wake();
      });
    this.underWay.add(running);
  }

  /** One after another, with nothing beside it: if the worker dies now, it is known of what. */
  private async runAlone(suspects: readonly Claim[], claimedAt: number): Promise<void> {
    const { leases, run, onError } = this.options;
    await Promise.allSettled(this.underWay);
    for (const claim of suspects) {
      await leases.during(claim, claimedAt, (lease) => run(claim, lease)).catch(onError);
    }
    this.wake();
  }

  /** Takes nothing more and waits for what runs, but not for ever. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await Promise.race([
      Promise.allSettled([...this.underWay, this.alone]),
      new Promise((resolve) => setTimeout(resolve, TIMING.farewell)),
    ]);
  }
}
