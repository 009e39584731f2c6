import { TIMING } from '../../src/cases/engine/timing.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { Claimed, SimStep, SimWorker } from './tables.js';

export function addWorker(world: SimWorld, lane: SimWorker['lane']): SimWorker {
  const worker: SimWorker = {
    id: world.newId(`${lane}-worker`),
    lane,
    alive: true,
    seenGone: false,
    buried: false,
    frozen: false,
    renewedAt: null,
    later: [],
    holding: new Set(),
    dropped: new Set(),
  };
  world.workers.push(worker);
  world.trace(() => `${worker.id} starts`);
  return worker;
}

/** Lets a worker do something after a while: never if it is dead by then, and after it wakes up if it is frozen. */
export function workAfter(world: SimWorld, worker: SimWorker, delay: number, work: () => void): void {
  world.time.after(delay, () => {
    if (!worker.alive) return;
    if (worker.frozen) worker.later.push(work);
    else work();
  });
}

export function crash(world: SimWorld, worker: SimWorker, why: string): void {
  if (!worker.alive) return;
  keepLeases(world, worker);
  worker.alive = false;
  world.trace(() => `${worker.id} dies: ${why}`);
  // PostgreSQL lets go of the presence lock when it sees that the connection is gone.
  world.time.after(world.random.chance(0.8) ? 0 : world.random.int(1, 3_000), () => {
    worker.seenGone = true;
  });
}

export function freeze(world: SimWorld, worker: SimWorker, forMs: number): void {
  if (!worker.alive || worker.frozen) return;
  keepLeases(world, worker);
  worker.frozen = true;
  world.trace(() => `${worker.id} is frozen for ${forMs} ms`);
  world.time.after(forMs, () => wake(world, worker, forMs));
}

function wake(world: SimWorld, worker: SimWorker, after: number): void {
  if (!worker.alive) return;
  worker.frozen = false;
  world.trace(() => `${worker.id} wakes up`);
  const goOn = () => {
    const { later } = worker;
    worker.later = [];
    for (const work of later) if (worker.alive) work();
  };
  // What its timers do first is a matter of chance: go on, renew, or end itself for its long silence (I9).
  const mustEnd = after > TIMING.silence;
  if (mustEnd && world.random.chance(0.5)) {
    crash(world, worker, 'it was silent for too long');
    return;
  }
  if (world.random.chance(0.5)) worker.renewedAt = null;
  goOn();
  worker.renewedAt = null;
  if (mustEnd) crash(world, worker, 'it was silent for too long');
}

/** From now on nobody renews: the leases end when they end. */
function keepLeases(world: SimWorld, worker: SimWorker): void {
  if (worker.renewedAt !== null) return;
  const renewedAt = world.now - world.random.int(0, TIMING.renewal);
  for (const step of worker.holding) {
    step.leaseUntil = Math.max(step.leaseUntil, Math.min(renewedAt + TIMING.lease, step.callDeadline));
  }
  worker.renewedAt = renewedAt;
}

/** Until when a step's lease stands in the database: a living worker renews it up to the call's deadline. */
export function leaseEnd(world: SimWorld, step: SimStep): number {
  const { owner, leaseUntil, callDeadline } = step;
  if (!owner || owner.renewedAt !== null) return leaseUntil;
  return Math.max(leaseUntil, Math.min(world.now + TIMING.lease, callDeadline));
}

/** Lease.holds: what the worker itself believes, by its own clock. */
export function believesItHolds(world: SimWorld, { worker, step }: Claimed): boolean {
  if (worker.renewedAt !== null) return world.now < worker.renewedAt + TIMING.lease;
  return step.owner === worker;
}

export function giveUp(world: SimWorld, { worker, step }: Claimed, why: string): void {
  world.trace(() => `${worker.id} gives ${nameOf(step)} up: ${why}`);
  if (step.owner === worker) worker.dropped.add(step);
}
