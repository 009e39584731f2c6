import { TIMING } from '../../src/cases/engine/timing.js';
import { claimDue } from './sim-claims.js';
import type { SimCases } from './sim-cases.js';
import type { SimRunner } from './sim-runner.js';
import { sweep } from './sim-sweeper.js';
import { addWorker } from './sim-workers.js';
import type { SimWorld } from './sim-world.js';
import type { SimWorker } from './tables.js';

type Lane = SimWorker['lane'];

/** The workers' loops: they poll, they are started again when they died, and one of them sweeps. Only when there is reason. */
export class SimDispatch {
  /** Polls and sweeps that found nothing. */
  idle = 0;
  private readonly pollsAt: Record<Lane, number> = { emergency: Infinity, standard: Infinity };
  private sweeps = false;
  private readonly starting = new Set<Lane>();

  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
    private readonly runner: SimRunner,
  ) {}

  start(): void {
    const { world } = this;
    addWorker(world, 'emergency');
    for (let count = world.random.int(1, 2); count > 0; count -= 1) addWorker(world, 'standard');
  }

  keepGoing(): void {
    let [emergency, standard] = [Infinity, Infinity];
    let isHeld = false;
    for (const { steps, pausedUntil } of this.world.tools) {
      for (const step of steps) {
        if (step.owner !== null) isHeld = true;
        else if (step.state === 'ready' || step.state === 'confirming') {
          const at = Math.max(step.dueAt, pausedUntil);
          if (step.lane === 'emergency') emergency = Math.min(emergency, at);
          else standard = Math.min(standard, at);
          // Quarantine is the sweeper's.
          if (step.loneCrashes > 0) isHeld = true;
        }
      }
    }
    this.plan('emergency', emergency);
    this.plan('standard', standard);
    if (isHeld && !this.sweeps) {
      this.sweeps = true;
      this.world.time.after(TIMING.sweep, () => this.sweepOnce());
    }
  }

  private plan(lane: Lane, due: number): void {
    const at = Math.max(due, this.world.now);
    if (at + TIMING.poll >= this.pollsAt[lane] || due === Infinity) return;
    const when = at + this.world.random.int(1, TIMING.poll);
    this.pollsAt[lane] = when;
    this.world.time.at(when, () => this.poll(lane, when));
  }

  private poll(lane: Lane, when: number): void {
    // An earlier one was planned meanwhile, and has done it.
    if (this.pollsAt[lane] !== when) {
      this.idle += 1;
      return;
    }
    this.pollsAt[lane] = Infinity;
    const workers = this.world.workers.filter((worker) => worker.lane === lane && worker.alive && !worker.frozen);
    if (workers.length === 0) {
      this.idle += 1;
      this.startAnother(lane);
      return;
    }
    const worker = this.world.random.pick(workers);
    const claims = claimDue(this.world, worker, this.world.random.pick([1, 8, 8]));
    if (claims.length === 0) this.idle += 1;
    for (const claim of claims) this.runner.run(claim);
  }

  private startAnother(lane: Lane): void {
    if (this.starting.has(lane)) return;
    this.starting.add(lane);
    this.world.time.after(this.world.random.int(100, 2_000), () => {
      this.starting.delete(lane);
      addWorker(this.world, lane);
    });
  }

  private sweepOnce(): void {
    this.sweeps = false;
    if (sweep(this.world, this.cases) === 0) this.idle += 1;
  }
}
