import { TIMING } from '../../src/cases/engine/timing.js';
import type { Lane } from '../../src/cases/step-states.js';
import { checkAdmission, checkNothingUrgentWaits } from './invariants.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { Claimed, SimStep, SimTool, SimWorker } from './tables.js';
import { isDue, loadOf, spend, takesCalls } from './tool-load.js';

const LANES_OF: Record<SimWorker['lane'], readonly Lane[]> = {
  emergency: ['emergency'],
  standard: ['standard', 'bulk'],
};

/** `claimDue`: what is due, shared out among the tools by what they can bear, and taken by lease and fence. */
export function claimDue(world: SimWorld, worker: SimWorker, slots: number): Claimed[] {
  const lanes = LANES_OF[worker.lane];
  const offers = world.tools.flatMap((tool) => {
    const due = dueAt(world, tool, lanes);
    if (due.length === 0) return [];
    const load = loadOf(world, tool, worker.lane === 'emergency');
    const admission = world.rules.admit(load, worker.lane === 'emergency' ? 'emergency' : 'standard');
    const room = admission.fromReserved + admission.fromShared;
    return room > 0 ? [{ tool, admission, due: due.slice(0, room) }] : [];
  });
  const claims: Claimed[] = [];
  for (let turn = 0; claims.length < slots && offers.some(({ due }) => due.length > turn); turn += 1) {
    for (const { due } of offers) {
      const step = due[turn];
      if (step && claims.length < slots) claims.push(take(world, worker, step));
    }
  }
  for (const { tool, admission } of offers) {
    const started = claims.filter(({ step }) => step.tool === tool).length;
    const { reserved, shared } = world.rules.charge(admission, started);
    if (reserved > 0) spend(tool.reserved, world.now, reserved);
    if (shared > 0) spend(tool.shared, world.now, shared);
    checkAdmission(world, tool);
  }
  if (worker.lane === 'emergency' && claims.length < slots) checkNothingUrgentWaits(world, worker);
  return claims;
}

function dueAt(world: SimWorld, tool: SimTool, lanes: readonly Lane[]): SimStep[] {
  if (!takesCalls(world, tool)) return [];
  return tool.steps
    .filter((step) => lanes.includes(step.lane) && isDue(world, step))
    .toSorted((a, b) => lanes.indexOf(a.lane) - lanes.indexOf(b.lane) || a.dueAt - b.dueAt);
}

/** Lease, fence and intent. */
function take(world: SimWorld, worker: SimWorker, step: SimStep): Claimed {
  const kind = step.effect === 'look' ? 'look' : step.state === 'confirming' ? 'read_back' : 'act';
  if (step.state === 'ready') world.move(step, 'running');
  else step.readBacks += 1;
  step.owner = worker;
  step.fence += 1;
  step.leaseUntil = world.now + TIMING.lease;
  step.callDeadline = world.now + TIMING.call;
  worker.holding.add(step);
  const attempt = intend(step, worker, kind);
  const claim: Claimed = {
    step,
    worker,
    fence: step.fence,
    attempt,
    readBacks: step.readBacks,
  };
  step.claim = claim;
  world.trace(() => `${worker.id} claims ${nameOf(step)} to ${kind}, fence ${step.fence}`);
  return claim;
}

export function intend(step: SimStep, worker: SimWorker, kind: Claimed['attempt']['kind']): Claimed['attempt'] {
  const attempt: Claimed['attempt'] = {
    step,
    kind,
    effect: step.effect,
    tool: step.tool,
    worker,
    outcome: null,
    abandonedAt: null,
    callDeadline: step.callDeadline,
  };
  step.case.person.attempts.push(attempt);
  return attempt;
}
