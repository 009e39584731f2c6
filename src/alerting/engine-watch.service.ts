import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { EngineHealth, type OldestDue } from '../cases/engine-health.service.js';
import { LANES, type Lane } from '../cases/step-states.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';

/** Seconds for which an emergency step may be due and not taken. */
const LATE = 5;
/** Seconds: below it the lane has caught up. Between the two nothing changes, so that no alert flickers. */
const CAUGHT_UP = 1;
/** Seconds that a supervisor has for starting a worker anew before people hear of it. */
const GRACE = 10;
const OWNER = 'it-admins';
/** Any fixed number: one process at a time looks. */
const WATCH_LOCK = 7_154_882_032;

/** Looks whether work is being done at all. Every process does it, so that one is left when the workers aren't. */
@Injectable()
export class EngineWatch {
  /** Since when this process has seen a lane without a worker, by its monotonic clock, in milliseconds. */
  private readonly deserted = new Map<Lane, number>();

  constructor(
    private readonly db: DataSource,
    private readonly health: EngineHealth,
    private readonly alerts: AlertsService,
  ) {}

  /** @param now Milliseconds of a monotonic clock. */
  async look(now = performance.now()): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const workers = await this.health.workersByLane(tx);
      this.noteDeserted(workers, now);
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        WATCH_LOCK,
      ]);
      if (!lock?.mine) return;
      await this.tellOfDeserted(tx, workers, now);
      await this.tellOfDead(tx);
      await this.tellOfLate(tx);
      await this.alerts.endOldNews(tx);
    });
  }

  private noteDeserted(workers: ReadonlyMap<Lane, number>, now: number): void {
    for (const lane of LANES) {
      if (workers.get(lane)) this.deserted.delete(lane);
      else if (!this.deserted.has(lane)) this.deserted.set(lane, now);
    }
  }

  private async tellOfDeserted(tx: EntityManager, workers: ReadonlyMap<Lane, number>, now: number): Promise<void> {
    await this.alerts.resolve(
      tx,
      LANES.filter((lane) => workers.get(lane)).map((lane) => `lane_without_worker:${lane}`),
    );
    for (const [lane, since] of this.deserted) {
      if (now - since < GRACE * 1000) continue;
      await this.alerts.raise(tx, {
        dedupKey: `lane_without_worker:${lane}`,
        kind: 'lane_without_worker',
        severity: lane === 'bulk' ? 'error' : 'critical',
        owner: OWNER,
        message: `No worker runs for the ${lane} lane: none of its steps is done until one is started.`,
      });
    }
  }

  private async tellOfDead(tx: EntityManager): Promise<void> {
    const dead = await this.health.deadWorkers(tx, GRACE);
    await this.alerts.keepTo(
      tx,
      'worker_died',
      dead.map(({ id, lanes, host, pid, goneAt }) => ({
        dedupKey: `worker_died:${id}`,
        kind: 'worker_died',
        severity: 'error',
        owner: OWNER,
        message: `The worker for ${lanes.join(' and ')} on ${host} (process ${pid}) died at ${goneAt.toISOString()}, and no new one took its place.`,
      })),
    );
  }

  private async tellOfLate(tx: EntityManager): Promise<void> {
    const due = (await this.health.oldestDue(tx)).filter(({ lane }) => lane === 'emergency');
    const oldest = Math.max(0, ...due.map(({ age }) => age));
    if (oldest < CAUGHT_UP) await this.alerts.resolve(tx, ['emergency_lane_late']);
    if (oldest <= LATE) return;
    await this.alerts.raise(tx, {
      dedupKey: 'emergency_lane_late',
      kind: 'emergency_lane_late',
      severity: 'critical',
      owner: OWNER,
      message: lateMessage(due.filter(({ age }) => age > LATE)),
    });
  }
}

function lateMessage(late: readonly OldestDue[]): string {
  const at = late.map(({ tool, toolPaused }) => (toolPaused ? `${tool} (paused)` : tool));
  return `Emergency steps have been due for more than ${LATE} s and aren't taken, at ${at.join(', ')}.`;
}
