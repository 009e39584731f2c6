import type { DataSource } from 'typeorm';
import type { Lane } from '../step-states.js';
import { DirectLane } from './direct-lane.js';
import { LeaseKeeper } from './lease-keeper.js';
import { WorkerPresence } from './presence.js';
import { QueuedLanes } from './queued-lanes.js';
import type { StepRunner } from './run-step.js';
import type { Sweeper } from './sweep.js';
import { TIMING } from './timing.js';
import { startWatchdog } from './watchdog.js';

/** Something that comes due by itself, looked at twice a second by every worker; it keeps doubles out by its own lock. */
export type Chore = () => Promise<unknown>;

interface WorkerOptions {
  db: DataSource;
  databaseUrl: string;
  /** Absent: the standard lanes run on PostgreSQL alone. The emergency lane never uses it. */
  redisUrl: string | undefined;
  lanes: readonly Lane[];
  runner: StepRunner;
  sweeper: Sweeper;
  chores: readonly Chore[];
  onError: (error: unknown) => void;
  onLost: (why: string) => void;
}

const SLOTS: Record<Lane, number> = { emergency: 64, standard: 32, bulk: 32 };

/** One worker process: its presence, its lanes, its leases, and the sweeping that any worker does for all. */
export async function startWorker(options: WorkerOptions): Promise<{ stop(): Promise<void> }> {
  const { db, lanes, redisUrl, runner, onError } = options;
  const queued = redisUrl !== undefined && !lanes.includes('emergency');
  const watchdog = startWatchdog();
  let lane: DirectLane | QueuedLanes | undefined;
  const presence = new WorkerPresence({
    databaseUrl: options.databaseUrl,
    lanes,
    onWake: () => lane?.wake(),
    onLost: options.onLost,
  });
  await presence.announce();
  const leases = new LeaseKeeper(db, presence.workerId);
  const laneOptions = {
    db,
    workerId: presence.workerId,
    lanes,
    slots: Math.max(...lanes.map((one) => SLOTS[one])),
    leases,
    run: runner.run.bind(runner),
    onError,
  };
  lane = queued ? new QueuedLanes({ ...laneOptions, redisUrl, onLost: options.onLost }) : new DirectLane(laneOptions);
  const chores = [() => options.sweeper.sweep(), ...options.chores].map((chore) => keepDoing(chore, onError));
  leases.start();
  lane.start();
  return {
    stop: async () => {
      for (const chore of chores) chore.stop();
      await lane.stop();
      leases.stop();
      await presence.leave();
      await watchdog.stop();
    },
  };
}

/** Each chore by itself: ten thousand contracts that end at midnight must not keep the sweeper from its work. */
function keepDoing(chore: Chore, onError: (error: unknown) => void): { stop(): void } {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void chore()
      .catch(onError)
      .finally(() => (busy = false));
  }, TIMING.sweep);
  return { stop: () => clearInterval(timer) };
}
