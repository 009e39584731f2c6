import type { ActResult, FoundAccount, ObservedAccount } from '../../connectors/kit/contract.js';
import type { Decision, Failure, Moment } from '../../src/cases/engine/decide.js';
import { TIMING } from '../../src/cases/engine/timing.js';
import type { Refused, WantedAct } from '../model/tool-world.js';
import { checkLanded, checkSent } from './invariants.js';
import type { SimAccess } from './sim-access.js';
import { drawFate, mishap, type Fate, type Weather } from './sim-faults.js';
import type { SimLooks } from './sim-looks.js';
import type { SimSettlement } from './sim-settlement.js';
import { believesItHolds, giveUp, workAfter } from './sim-workers.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { Claimed, SimStep } from './tables.js';

type Answer = { failure: Failure } | { result: ActResult };

/** StepRunner: one claimed step, from the last check to the write, with everything that can come between. */
export class SimRunner {
  constructor(
    private readonly world: SimWorld,
    private readonly access: SimAccess,
    private readonly settlement: SimSettlement,
    private readonly looks: SimLooks,
    private readonly weather: Weather,
  ) {}

  run(claim: Claimed): void {
    if (claim.attempt.kind === 'read_back') this.readBack(claim);
    else if (claim.attempt.kind === 'look') this.look(claim);
    else this.act(claim);
  }

  private act(claim: Claimed): void {
    const { world } = this;
    const { step } = claim;
    this.goOn(claim, this.pause(), () => {
      const refusal = step.effect === 'grant' ? world.refusalOf(step) : null;
      if (refusal !== null) {
        this.goOn(claim, this.pause(), () =>
          this.settlement.settle(claim, 'not_sent', { state: 'superseded', reason: refusal }),
        );
        return;
      }
      const checkedAt = world.now;
      checkSent(world, step);
      // Between the answer of the last check, the lease's own check and the call, a worker may be frozen.
      this.goOn(claim, world.random.int(0, 2), () => {
        if (!believesItHolds(world, claim)) giveUp(world, claim, 'its lease is over');
        else {
          mishap(world, claim.worker, this.weather);
          workAfter(world, claim.worker, world.random.int(0, 1), () => this.send(claim, checkedAt));
        }
      });
    });
  }

  private send(claim: Claimed, checkedAt: number): void {
    const { world, weather } = this;
    const { step } = claim;
    const fate =
      step.tool.kind === 'human'
        ? { latency: 1, result: { outcome: 'action-required', instructions: 'By hand.', sideEffects: [] } as const }
        : drawFate(world, weather, false);
    mishap(world, claim.worker, weather);
    world.trace(() => `${claim.worker.id} sends ${nameOf(step)}${world.now - checkedAt > 10 ? ', late' : ''}`);
    // From here on the call is on its way, whatever becomes of the worker.
    const want = wantOf(step);
    if (want) want.found = world.rules.createLooksFirst && step.tool.world.has(want.mark);
    world.time.after(fate.latency, () => {
      const answer = this.land(claim, want, fate);
      if (!answer) {
        // Silence: the worker sees a time-out, or a broken connection before that.
        const silence = world.random.chance(0.5) ? world.random.int(1, 500) : TIMING.call - fate.latency;
        workAfter(world, claim.worker, silence, () =>
          this.acted(claim, { failure: { kind: 'ambiguous', message: 'No answer.' } }),
        );
      } else workAfter(world, claim.worker, world.random.int(0, 5), () => this.acted(claim, answer));
    });
  }

  private land(claim: Claimed, want: WantedAct | null, fate: Fate): Answer | null {
    const { world } = this;
    if (fate.failure) return { failure: fate.failure };
    if (fate.result) {
      if (fate.result.outcome === 'in-progress' && want) {
        world.time.after(world.random.int(100, 1_900), () => this.carryOut(claim, want));
      }
      return { result: fate.result };
    }
    if (!want) return { failure: { kind: 'not-found', message: 'The account was never seen.' } };
    if (fate.pretended) return { result: { outcome: 'done', value: null, sideEffects: [] } };
    const answer = this.carryOut(claim, want);
    if (fate.answerLost) return null;
    return 'kind' in answer ? { failure: answer } : { result: answer };
  }

  private carryOut(claim: Claimed, want: WantedAct): ActResult | Refused {
    const { world } = this;
    const { step } = claim;
    // A worker that was overtaken, or died, had sent it: nobody waits for it any more.
    if (step.effect === 'revoke' && step.claim !== claim) step.case.person.staleCutAt.set(step.tool.id, world.now);
    const answer = step.tool.world.carryOut(want);
    world.trace(
      () => `${step.tool.id} has carried out ${nameOf(step)}: ${'kind' in answer ? answer.kind : answer.outcome}`,
    );
    checkLanded(world, step);
    return answer;
  }

  private acted(claim: Claimed, answer: Answer): void {
    const { world } = this;
    const { rules } = world;
    if (this.breaks(claim)) return;
    const decision =
      'failure' in answer
        ? rules.decideAfterFailure(soFar(claim), answer.failure, this.moment())
        : rules.decideAfterAct(answer.result);
    const version = 'result' in answer ? versionIn(answer.result) : undefined;
    if ('result' in answer && answer.result.outcome === 'in-progress') claim.step.inProgress = true;
    const outcome = 'failure' in answer ? `failed: ${answer.failure.kind}` : answer.result.outcome;
    if (decision.next.state === 'confirming' && decision.next.dueIn === 0) {
      const readBack = this.settlement.goOnToReadBack(claim, outcome, version);
      if (readBack) this.readBack(readBack);
      return;
    }
    this.settle(claim, outcome, decision, version);
  }

  private settle(claim: Claimed, outcome: string, { next, pauseTool }: Decision, version?: string | null): void {
    if (this.settlement.settle(claim, outcome, next, version) && pauseTool) {
      this.settlement.pauseTool(claim.step.tool, pauseTool);
    }
  }

  private readBack(claim: Claimed): void {
    const { world } = this;
    const { step } = claim;
    this.goOn(claim, this.pause(), () => {
      if (!believesItHolds(world, claim)) return giveUp(world, claim, 'its lease is over');
      const loadedAt = world.now;
      const fate = step.tool.kind === 'human' ? BLIND : drawFate(world, this.weather, true);
      world.time.after(fate.latency, () => {
        const seen = fate.failure ? null : this.seen(step);
        workAfter(world, claim.worker, world.random.int(0, 5), () => {
          if (this.breaks(claim)) return;
          if (fate.failure) {
            const step = { ...soFar(claim), mayStillLand: world.mayStillLand(claim.step) };
            const decision = world.rules.decideAfterFailedLook(step, fate.failure, this.moment());
            this.settle(claim, `failed: ${fate.failure.kind}`, decision);
          } else this.confirm(claim, seen, loadedAt);
        });
      });
    });
  }

  private seen({ tool, account, case: { person } }: SimStep): ObservedAccount | null {
    if (account?.externalId) return tool.world.get(account.externalId);
    const byMark = tool.world
      .find({ mark: account?.mark ?? '', username: account?.username ?? '', email: person.email })
      .find(({ matchedBy }) => matchedBy === 'mark');
    return byMark ? byMark.account : null;
  }

  private confirm(claim: Claimed, seen: ObservedAccount | null, loadedAt: number): void {
    const { step } = claim;
    const { rules } = this.world;
    const verdict = rules.judgeReadBack(
      { act: step.act, credentialVersion: step.credentialVersion, grant: step.grant, device: null },
      seen,
    );
    const soFarNow = { ...soFar(claim), mayStillLand: this.world.mayStillLand(step) };
    const decision = rules.decideAfterReadBack(soFarNow, verdict, this.moment());
    this.world.trace(() => `${claim.worker.id} reads ${nameOf(step)} back: ${verdict.seen}`);
    // In the engine this and the settlement are one transaction: a refused one records nothing.
    if (rules.isHolder(step, claim) && step.account) this.access.record(step.account, seen, loadedAt);
    this.settle(claim, verdict.seen, decision);
  }

  private look(claim: Claimed): void {
    const { world } = this;
    this.goOn(claim, this.pause(), () => {
      if (claim.step.act === 'final_look' && this.looks.mustWait(claim.step)) {
        this.settlement.settle(claim, 'not_sent', {
          state: 'ready',
          dueIn: TIMING.settle,
          failed: false,
          reason: 'Waits for a call that may still land.',
        });
        return;
      }
      if (!believesItHolds(world, claim)) return giveUp(world, claim, 'its lease is over');
      const loadedAt = world.now;
      const known = this.looks.known(claim.step);
      const fate = drawFate(world, this.weather, true);
      world.time.after(fate.latency, () => {
        const found: FoundAccount[] = fate.failure ? [] : this.looks.everywhere(claim.step, known);
        workAfter(world, claim.worker, world.random.int(0, 5), () => {
          if (this.breaks(claim)) return;
          if (fate.failure) {
            const decision = world.rules.decideAfterFailedLook(soFar(claim), fate.failure, this.moment());
            this.settle(claim, `failed: ${fate.failure.kind}`, decision);
          } else this.looks.write(claim, known, found, loadedAt);
        });
      });
    });
  }

  /** The next thing that this worker does for the step, unless PostgreSQL fails it there. */
  private goOn(claim: Claimed, delay: number, work: () => void): void {
    mishap(this.world, claim.worker, this.weather);
    workAfter(this.world, claim.worker, delay, () => {
      if (!this.breaks(claim)) work();
    });
  }

  /** A statement fails for good: the worker drops the step, and goes on with its others. */
  private breaks(claim: Claimed): boolean {
    if (this.world.calm || !this.world.random.chance(0.002)) return false;
    giveUp(this.world, claim, 'PostgreSQL failed');
    return true;
  }

  private pause(): number {
    return this.world.calm || this.world.random.chance(0.98)
      ? this.world.random.int(1, 20)
      : this.world.random.int(100, 4_000);
  }

  private moment(): Moment {
    return { now: new Date(this.world.now), chance: this.world.random.next() };
  }
}

/** A tool without an API can't be looked at. */
const BLIND: Fate = { latency: 1, failure: { kind: 'unsupported', message: 'See for yourself.' } };

function soFar({ step, readBacks }: Claimed) {
  const { act, effect, failures, inProgress } = step;
  return { act, effect, failures, readBacks, inProgress };
}

/** What is sent, as it was loaded before the call; null: the account was never seen, so there is nothing to name. */
function wantOf({ act, account, grant, case: { person } }: SimStep): WantedAct | null {
  if (!account || (act !== 'create_account' && account.externalId === null)) return null;
  return {
    act,
    externalId: account.externalId,
    mark: account.mark ?? '',
    username: account.username,
    email: person.email,
    grant,
    found: false,
  };
}

function versionIn(result: ActResult): string | null | undefined {
  if (result.outcome !== 'done' && result.outcome !== 'already') return undefined;
  const { value } = result;
  if (typeof value !== 'object' || value === null || !('credentialVersion' in value)) return undefined;
  return typeof value.credentialVersion === 'string' ? value.credentialVersion : null;
}
