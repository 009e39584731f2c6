import { claimDue, handBackDropped, type Claim } from '../../src/cases/engine/claim.js';
import { WorkerPresence } from '../../src/cases/engine/presence.js';
import { StepRunner } from '../../src/cases/engine/run-step.js';
import { Sweeper } from '../../src/cases/engine/sweep.js';
import { TIMING } from '../../src/cases/engine/timing.js';
import type { Lane } from '../../src/cases/step-states.js';
import type { EngineHarness } from './engine-harness.js';
import { mutation } from './mutations.js';
import type { Fate, ScriptedTool, StoppedCall } from './scripted-tool.js';

export type WorkerLane = 'emergency' | 'standard';
const LANES_OF: Record<WorkerLane, readonly Lane[]> = { emergency: ['emergency'], standard: ['standard', 'bulk'] };

/** Something that a worker has in its hands while it is stopped. */
export interface Stopped {
  worker: WorkerPresence;
  claim: Claim;
  /** Its call, in the moment of sending; undefined when it had none to send. */
  held: StoppedCall | undefined;
  run: Promise<void>;
  isDead: boolean;
  /** Milliseconds of the history since it stopped. */
  since: number;
}

/** Workers as the engine sees them: a presence, claims, runs. They do one thing after another, when they are told. */
export class ModelWorkers {
  readonly stopped: Stopped[] = [];
  private readonly present = new Map<WorkerLane, WorkerPresence>();
  private readonly all: WorkerPresence[] = [];

  constructor(
    private readonly harness: EngineHarness,
    private readonly onClaimed: (lane: WorkerLane, claims: readonly Claim[]) => Promise<void>,
  ) {}

  private async workerOf(lane: WorkerLane): Promise<WorkerPresence> {
    const there = this.present.get(lane);
    if (there) return there;
    const worker = new WorkerPresence({
      databaseUrl: this.harness.databaseUrl,
      lanes: LANES_OF[lane],
      onWake: () => undefined,
      onLost: () => undefined,
    });
    await worker.announce();
    this.present.set(lane, worker);
    this.all.push(worker);
    return worker;
  }

  /** Claims what is due, and runs each claim to its end. Answers how many there were. */
  async work(lane: WorkerLane, slots: number, fates: readonly Fate[] = []): Promise<number> {
    const worker = await this.workerOf(lane);
    const claims = await claimDue(this.harness.db, worker.workerId, LANES_OF[lane], slots);
    await this.onClaimed(lane, claims);
    const chosen = [...fates];
    for (const claim of claims) {
      if (claim.attemptKind === 'act') this.setFate(chosen.shift());
      await this.run(claim);
    }
    return claims.length;
  }

  /** Claims one step and stops in the moment of sending it (or before, when nothing is sent). */
  async stopAtWork(lane: WorkerLane): Promise<Stopped | undefined> {
    const worker = await this.workerOf(lane);
    const [claim] = await claimDue(this.harness.db, worker.workerId, LANES_OF[lane], 1);
    if (!claim) return undefined;
    await this.onClaimed(lane, [claim]);
    // From now on another one does the work of this lane.
    this.present.delete(lane);
    const one: Stopped = { worker, claim, held: undefined, run: Promise.resolve(), isDead: false, since: 0 };
    if (claim.attemptKind === 'act') {
      const tool = await this.toolOf(claim);
      this.setFate('stops', tool);
      one.run = this.run(claim);
      await Promise.race([one.run, tool.untilStopped()]);
      one.held = tool.takeStopped();
    }
    this.stopped.push(one);
    return one;
  }

  /** The process is gone: PostgreSQL lets go of its presence. What it sent may still land. */
  async die(one: Stopped, { isSent }: { isSent: boolean }): Promise<void> {
    one.isDead = true;
    if (!isSent) one.held = undefined;
    await one.worker.leave();
  }

  /** Lets time pass; what a dead worker sent lands within a call's time, or never. */
  async pass(ms: number): Promise<void> {
    for (const one of this.stopped.slice()) {
      one.since += ms;
      if (one.isDead && one.since > TIMING.call / 2) await this.goOn(one);
    }
    await this.harness.pass(ms);
  }

  /** What a dead worker sent lands; a frozen one wakes up and goes on. */
  async goOn(one: Stopped): Promise<void> {
    this.stopped.splice(this.stopped.indexOf(one), 1);
    const { held } = one;
    if (one.isDead) {
      held?.land();
      return;
    }
    if (mutation.name === 'fence ignored') await this.takeTheFenceThatStands(one.claim);
    if (held) held.goOn();
    else if (one.claim.attemptKind !== 'act') await this.run(one.claim);
    await one.run;
    await handBackDropped(this.harness.db, one.worker.workerId, []);
    await one.worker.leave();
  }

  /** A planted bug: what a worker writes names whoever holds the step by now, and not the worker itself. */
  private async takeTheFenceThatStands(claim: Claim): Promise<void> {
    const [row] = await this.harness.rows<{ owner: string | null; fence: number }>(
      'SELECT lease_owner AS owner, fence FROM steps WHERE id = $1',
      [claim.stepId],
    );
    if (row?.owner) Object.assign(claim, { workerId: row.owner, fence: row.fence });
  }

  async sweep(): Promise<number> {
    return this.harness.app.get(Sweeper).sweep();
  }

  async leave(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.leave()));
  }

  private async run(claim: Claim): Promise<void> {
    const lease = { signal: new AbortController().signal, holds: () => true };
    await this.harness.app.get(StepRunner).run(claim, lease);
  }

  private async toolOf({ toolId }: Claim): Promise<ScriptedTool> {
    const [row] = await this.harness.rows<{ key: string }>('SELECT key FROM tools WHERE id = $1', [toolId]);
    return this.harness.tool(row?.key ?? '');
  }

  private setFate(fate: Fate | undefined, tool?: ScriptedTool): void {
    for (const one of tool ? [tool] : this.harness.tools) one.fates = fate === undefined ? [] : [fate];
  }
}
