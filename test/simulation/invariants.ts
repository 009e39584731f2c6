import { FINISHED } from '../../src/cases/step-states.js';
import { entitledAt } from '../model/entitlements.js';
import { isUsable, type WorldAccount } from '../model/tool-world.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { SimCase, SimPerson, SimStep, SimTool, SimWorker } from './tables.js';
import { busyAt, filled, isDue, takesCalls } from './tool-load.js';

const isCut = ({ kind }: SimCase) => kind === 'leaver' || kind === 'lost_device';

/** I10, I4: asked in the moment of the last check before a grant is sent. */
export function checkSent(world: SimWorld, step: SimStep): void {
  if (step.effect !== 'grant') return;
  const { person } = step.case;
  world.check(!person.expected.isHeld, 'I10', () => `${nameOf(step)} is sent while a hold stands`);
  world.check(person.generation === step.generation, 'I4', () => `${nameOf(step)} is sent, and a newer one has spoken`);
}

/** After a call landed: no doubles, and nothing that gives access while nobody would look for it any more. */
export function checkLanded(world: SimWorld, step: SimStep): void {
  const { tool, effect, act } = step;
  const { person } = step.case;
  if (act === 'create_account') {
    const doubles = tool.world.accounts.filter(({ mark }) => mark === person.mark);
    world.check(doubles.length <= 1, 'I2', () => `${person.id} has ${doubles.length} accounts at ${tool.id}`);
  }
  if (effect !== 'grant' || !person.expected.isHeld) {
    if (effect === 'revoke') checkTheirs(world, step);
    return;
  }
  const isLookedFor = world.cases.some(
    (one) =>
      one.person === person &&
      one.open &&
      isCut(one) &&
      one.steps.some((other) => other.tool === tool && !FINISHED.includes(other.state)),
  );
  world.check(isLookedFor || tool.kind === 'human', 'I4', () => `${nameOf(step)} landed, and no last look will see it`);
}

/** An account is never matched by its address alone: it is cut only when a person said so. */
function checkTheirs(world: SimWorld, step: SimStep): void {
  const { account, tool, case: one } = step;
  const real = tool.world.accounts.find(({ externalId }) => externalId === account?.externalId);
  if (step.act !== 'suspend_account' || !real) return;
  const theirs = tool.world.of(one.person).includes(real);
  world.check(
    theirs || step.case.person.steps.some((other) => other.account === account && other.approved),
    'nobody else’s account is cut',
    () => `${nameOf(step)}: nothing proves that ${real.externalId} is theirs, and nobody said so`,
  );
}

/** I1: a leave or a loss closes only when nothing of the person works any more, or a person answers for what does. */
export function checkClosed(world: SimWorld, one: SimCase): void {
  if (!isCut(one) || one.person.generation > one.generation) return;
  for (const tool of world.tools) {
    for (const account of tool.world.of(one.person)) {
      if (!isUsable(account) || isAnsweredFor(one.person, tool, account)) continue;
      if (account.outsiderAt !== null && account.outsiderAt >= (one.lookedAt.get(tool.id) ?? 0)) continue;
      world.check(false, 'I1', () => `${one.id} is closed, and ${account.externalId} of ${one.person.id} still works`);
    }
  }
}

/** `failed_visible`: somebody waived a step for it, or it waits for them. */
function isAnsweredFor(person: SimPerson, tool: SimTool, account: WorldAccount): boolean {
  return person.steps.some(
    (step) =>
      step.tool === tool &&
      (step.state === 'waived' || step.state === 'needs_human') &&
      (step.effect !== 'revoke' ||
        step.account?.externalId === account.externalId ||
        step.account?.mark === account.mark),
  );
}

/** After routine lanes took steps: they keep to their own share, and both together to the tool's limits. */
export function checkAdmission(world: SimWorld, tool: SimTool): void {
  const { emergency, other } = busyAt(tool);
  const { shared, reserved } = tool;
  world.check(
    other <= shared.concurrency,
    'admission',
    () => `${other} routine steps at ${tool.id} use the reserved share`,
  );
  world.check(
    emergency + other <= shared.concurrency + reserved.concurrency,
    'admission',
    () => `${emergency + other} steps at once at ${tool.id}`,
  );
  world.check(shared.allowance >= 0 && reserved.allowance >= 0, 'admission', () => `${tool.id} is asked too often`);
}

/** I8: after the emergency lane took what it could, nothing urgent waits where the reserved share has room. */
export function checkNothingUrgentWaits(world: SimWorld, worker: SimWorker): void {
  for (const tool of world.tools) {
    if (!takesCalls(world, tool)) continue;
    const room = Math.min(
      tool.reserved.concurrency - busyAt(tool).emergency,
      Math.floor(filled(tool.reserved, world.now)),
    );
    const waiting = tool.steps.filter((step) => step.lane === 'emergency' && isDue(world, step));
    world.check(
      room <= 0 || waiting.length === 0,
      'I8',
      () => `${worker.id} left ${waiting.map(nameOf).join()} waiting`,
    );
  }
}

/** When nothing more will happen: every case is closed or somebody’s, and the tools are as they should be. */
export function checkEnd(world: SimWorld): { lateCuts: number } {
  for (const one of world.cases) {
    if (!one.open) continue;
    const stuck = one.steps.filter(
      ({ state, humanOwner }) => !FINISHED.includes(state) && !(state === 'needs_human' && humanOwner !== null),
    );
    const isSomebodys = one.steps.some(({ state }) => !FINISHED.includes(state));
    const isBlocked = stuck.every((step) => step.state === 'planned' && waitsForSomebody(step));
    world.check(isSomebodys && isBlocked, 'every case ends or is somebody’s', () => {
      return `${one.id} is open: ${stuck.map(describe).join('; ')}`;
    });
  }
  let lateCuts = 0;
  for (const person of world.people) {
    for (const tool of world.tools) lateCuts += checkAccess(world, person, tool);
  }
  return { lateCuts };
}

function waitsForSomebody({ needs }: SimStep): boolean {
  return needs.some(
    (needed) => needed.state === 'needs_human' || (needed.state === 'planned' && waitsForSomebody(needed)),
  );
}

function describe(step: SimStep): string {
  return `${nameOf(step)} is ${step.state}${step.owner ? ` with ${step.owner.id}` : ''}`;
}

/** The accounts at a tool against the model. Answers 1 when a revocation landed after access was given again. */
function checkAccess(world: SimWorld, person: SimPerson, tool: SimTool): number {
  const groups = entitledAt(person.expected.entitledBy(world.now), tool.key);
  const accounts = tool.world.of(person);
  const isExcused = person.steps.some(
    (step) =>
      step.tool === tool && (step.state === 'needs_human' || step.state === 'waived' || dependsOnSomebody(step)),
  );
  if (isExcused || accounts.some(({ outsiderAt }) => outsiderAt !== null)) return 0;
  // What nobody made through us is looked for in a leave or a loss, and left alone in a move.
  const working = accounts.filter((one) => isUsable(one) && (person.expected.isHeld || one.mark === person.mark));
  if (groups === null) {
    world.check(
      working.length === 0,
      'desired = actual',
      () => `${person.id} still has access at ${tool.id}: ${JSON.stringify(working)}`,
    );
    return 0;
  }
  const [account] = working.filter(({ mark }) => mark === person.mark);
  const isAsWanted = account !== undefined && account.active && account.grants.toSorted().join() === groups.join();
  const isCutLate = person.staleCutAt.has(tool.id);
  if (!isAsWanted && isCutLate) return 1;
  world.check(isAsWanted, 'desired = actual', () => {
    return `${person.id} should have [${groups.join()}] at ${tool.id}, and has ${JSON.stringify(accounts)}`;
  });
  world.check(
    account?.versionWhenCut == null || account.version > account.versionWhenCut || isCutLate,
    'credentials are new after a cut',
    () => `${person.id} at ${tool.id}`,
  );
  return 0;
}

function dependsOnSomebody({ state, needs }: SimStep): boolean {
  return state === 'planned' && needs.some((needed) => needed.state === 'needs_human' || dependsOnSomebody(needed));
}
