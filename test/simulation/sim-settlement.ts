import { TIMING } from '../../src/cases/engine/timing.js';
import type { Next, ToolPause } from '../../src/cases/engine/decide.js';
import type { SimCases } from './sim-cases.js';
import { intend } from './sim-claims.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { Claimed, SimStep, SimTool } from './tables.js';

/** Settlement, on the simulation's rows: what an attempt led to, refused when the step was taken over (I5). */
export class SimSettlement {
  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
  ) {}

  /** False: this worker was overtaken; its attempt's outcome alone is kept. */
  settle(claim: Claimed, outcome: string, next: Next, credentialVersion?: string | null): boolean {
    if (!this.accepts(claim, outcome)) return false;
    const { step } = claim;
    if (credentialVersion !== undefined) step.credentialVersion = credentialVersion;
    letGo(step);
    step.dueAt = this.world.now + ('dueIn' in next ? next.dueIn : 0);
    if (next.state === 'ready') step.inProgress = false;
    if (next.state === 'ready' && next.failed) step.failures += 1;
    if (next.state === 'needs_human') this.cases.giveToHuman(step);
    else this.world.move(step, next.state);
    if (next.state === 'done' || next.state === 'superseded') this.cases.end(step);
    return true;
  }

  /** Ends the act's attempt and opens the read-back's: the lease and the fence stay. */
  goOnToReadBack(claim: Claimed, outcome: string, credentialVersion?: string | null): Claimed | null {
    if (!this.accepts(claim, outcome)) return null;
    const { step, worker } = claim;
    if (credentialVersion !== undefined) step.credentialVersion = credentialVersion;
    this.world.move(step, 'confirming');
    step.readBacks += 1;
    step.leaseUntil = this.world.now + TIMING.lease;
    step.callDeadline = this.world.now + TIMING.call;
    const readBack = { ...claim, attempt: intend(step, worker, 'read_back'), readBacks: step.readBacks };
    step.claim = readBack;
    return readBack;
  }

  private accepts(claim: Claimed, outcome: string): boolean {
    const { step, attempt, worker } = claim;
    attempt.outcome ??= outcome;
    if (!this.world.rules.isHolder(step, claim)) {
      this.world.trace(() => `${worker.id} was overtaken at ${nameOf(step)}; its write is refused`);
      return false;
    }
    this.world.check(step.claim === claim, 'I5', () => `${worker.id} wrote ${nameOf(step)} with an old fence`);
    return true;
  }

  pauseTool(tool: SimTool, { lasting, reason }: ToolPause): void {
    tool.pausedUntil = Math.max(tool.pausedUntil, this.world.now + lasting);
    this.world.trace(() => `${tool.id} is paused for ${lasting} ms: ${reason}`);
  }
}

/** The step is nobody's any more. */
export function letGo(step: SimStep): void {
  step.owner?.holding.delete(step);
  step.owner?.dropped.delete(step);
  step.owner = null;
  step.claim = null;
}
