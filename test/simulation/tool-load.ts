import type { ToolLoad } from '../../src/cases/engine/admission.js';
import type { SimWorld } from './sim-world.js';
import type { SimBudget, SimStep, SimTool } from './tables.js';

// What a tool can bear, and how much of it is in use: the readings of claim.ts, on the simulation's rows.

export function isDue(world: SimWorld, { state, owner, dueAt }: SimStep): boolean {
  return (state === 'ready' || state === 'confirming') && owner === null && dueAt <= world.now;
}

export function takesCalls(world: SimWorld, { pausedUntil }: SimTool): boolean {
  return pausedUntil <= world.now;
}

export function loadOf(world: SimWorld, tool: SimTool, isEmergency: boolean): ToolLoad {
  const { shared, reserved } = tool;
  return {
    toolId: tool.id,
    shared: { concurrency: shared.concurrency, allowance: filled(shared, world.now) },
    // Routine lanes never lock the reserved row, and so never see what it has left.
    reserved: { concurrency: reserved.concurrency, allowance: isEmergency ? filled(reserved, world.now) : 0 },
    busy: busyAt(tool),
  };
}

export function busyAt({ steps }: SimTool): { emergency: number; other: number } {
  let [emergency, other] = [0, 0];
  for (const { owner, lane } of steps) {
    if (owner === null) continue;
    if (lane === 'emergency') emergency += 1;
    else other += 1;
  }
  return { emergency, other };
}

export function filled({ burst, allowance, refilledAt, callsPerSecond }: SimBudget, now: number): number {
  return Math.min(burst, allowance + ((now - refilledAt) / 1000) * callsPerSecond);
}

export function spend(budget: SimBudget, now: number, calls: number): void {
  budget.allowance = filled(budget, now) - calls;
  budget.refilledAt = now;
}
