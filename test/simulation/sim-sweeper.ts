import { LONE_CRASHES } from '../../src/cases/engine/after-worker.js';
import { CRASHES_BEFORE_ALONE } from '../../src/cases/engine/claim.js';
import { FINISHED } from '../../src/cases/step-states.js';
import type { SimCases } from './sim-cases.js';
import { letGo } from './sim-settlement.js';
import { leaseEnd } from './sim-workers.js';
import type { SimWorld } from './sim-world.js';
import type { SimWorker } from './tables.js';

/** Sweeper.sweep: puts back what dead or lapsed workers held, and answers how much. */
export function sweep(world: SimWorld, cases: SimCases): number {
  let released = 0;
  for (const worker of world.workers) {
    if (worker.seenGone && !worker.buried) released += bury(world, worker);
  }
  released += releaseLapsed(world) + handBackDropped(world);
  quarantine(world, cases);
  return released;
}

function bury(world: SimWorld, worker: SimWorker): number {
  worker.buried = true;
  const held = [...worker.holding];
  // What it was on counts as well, though its lease lapsed long ago.
  const struck = new Set(held);
  for (const { attempts } of world.people) {
    for (const attempt of attempts) {
      if (attempt.worker !== worker || attempt.outcome !== null || attempt.abandonedAt !== null) continue;
      attempt.abandonedAt = world.now;
      struck.add(attempt.step);
    }
  }
  for (const step of struck) {
    if (FINISHED.includes(step.state)) continue;
    if (step.crashes >= CRASHES_BEFORE_ALONE) step.loneCrashes += 1;
    step.crashes += 1;
  }
  for (const step of held) {
    letGo(step);
    if (step.state === 'running') world.move(step, world.rules.afterDeath(step.effect));
    step.dueAt = world.now;
  }
  return held.length;
}

function quarantine(world: SimWorld, cases: SimCases): void {
  for (const { steps } of world.tools) {
    for (const step of steps) {
      const waits = step.state === 'ready' || step.state === 'confirming';
      if (!waits || step.owner !== null || step.loneCrashes < LONE_CRASHES || world.mayStillLand(step)) continue;
      cases.giveToHuman(step);
    }
  }
}

function releaseLapsed(world: SimWorld): number {
  let released = 0;
  for (const { steps } of world.tools) {
    for (const step of steps) {
      if (step.owner === null || leaseEnd(world, step) >= world.now) continue;
      if (step.state === 'running') {
        const next = world.rules.afterLapse(step.effect);
        if (next === 'running') continue;
        letGo(step);
        world.move(step, next);
      } else letGo(step);
      step.dueAt = world.now;
      released += 1;
    }
  }
  return released;
}

/** LeaseKeeper, once a second in each worker: what it dropped although it lives on. */
function handBackDropped(world: SimWorld): number {
  let released = 0;
  for (const worker of world.workers) {
    if (!worker.alive || worker.frozen) continue;
    for (const step of worker.dropped) {
      if (leaseEnd(world, step) >= world.now || !world.rules.handsBack) continue;
      for (const attempt of step.case.person.attempts) {
        if (attempt.step === step && attempt.outcome === null) attempt.abandonedAt ??= world.now;
      }
      letGo(step);
      if (step.state === 'running') world.move(step, world.rules.afterDeath(step.effect));
      step.dueAt = world.now;
      released += 1;
    }
  }
  return released;
}
