import { FINISHED, STEP_TRANSITIONS, type CaseKind, type StepState } from '../../src/cases/step-states.js';
import type { Random } from './random.js';
import type { Rules } from './rules.js';
import type { SimCase, SimPerson, SimStep, SimTool, SimWorker } from './tables.js';
import { Timeline } from './timeline.js';

/** Something that must never be so. The message starts with the invariant's name. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export type Mover = 'engine' | 'people';

/** How often each transition was taken, and by whom. */
export type Coverage = Map<string, { engine: number; people: number }>;

/** One simulated installation: its rows, its clock, its chance and its rules. */
export class SimWorld {
  readonly time = new Timeline();
  readonly tools: SimTool[] = [];
  readonly people: SimPerson[] = [];
  readonly workers: SimWorker[] = [];
  readonly cases: SimCase[] = [];
  /** From here on nothing breaks any more: everything has to come to its end. */
  calm = false;
  private ids = 0;

  constructor(
    readonly random: Random,
    readonly rules: Rules,
    readonly coverage: Coverage,
    /** Absent: nobody reads the trace, so nothing is written. */
    private readonly lines?: string[],
  ) {}

  get now(): number {
    return this.time.now;
  }

  newId(kind: string): string {
    this.ids += 1;
    return `${kind}${this.ids}`;
  }

  /** Why a grant may not be sent any more, by the engine's own rows. */
  refusalOf({ case: { person }, generation }: SimStep): string | null {
    const held = person.holds.length > 0;
    return this.rules.whyNotSent({ held, outdated: person.generation > generation, closed: false });
  }

  /** in-the-air.ts: stepMayLand */
  mayStillLand(step: SimStep): boolean {
    const { attempts } = step.case.person;
    return attempts.some((one) => one.step === step && this.rules.mayLand(one, this.now));
  }

  /** A line for people; `tell` is asked only when somebody reads. */
  trace(tell: () => string): void {
    this.lines?.push(`${(this.now / 1000).toFixed(3).padStart(8)} s  ${tell()}`);
  }

  check(isSo: boolean, invariant: string, what: () => string): void {
    if (!isSo) throw new Violation(`${invariant}: ${what()}`);
  }

  /** The only place where a case's state changes; what the database's triggers say of it is kept here. */
  close(one: SimCase): void {
    this.check(one.open, 'a closed case stays closed', () => one.id);
    this.check(
      one.steps.every(({ state }) => FINISHED.includes(state)),
      'a case with unfinished steps is not closed',
      () => one.id,
    );
    this.count(caseTransition(one.kind), 'engine');
    one.open = false;
    this.trace(() => `${one.id}: ${one.kind} of ${one.person.id} closed`);
  }

  private count(transition: string, by: Mover): void {
    const taken = this.coverage.get(transition) ?? { engine: 0, people: 0 };
    taken[by] += 1;
    this.coverage.set(transition, taken);
  }

  /** The only place where a step's state changes. The table and the database's own checks are kept here. */
  move(step: SimStep, to: StepState, by: Mover = 'engine'): void {
    const from = step.state;
    if (from === to) return;
    const allowed: readonly StepState[] = STEP_TRANSITIONS[from];
    this.check(allowed.includes(to), 'no transition outside the table', () => `${nameOf(step)} from ${from} to ${to}`);
    this.check(
      !(to === 'superseded' && step.effect === 'revoke'),
      'no revocation is superseded',
      () => `${nameOf(step)} from ${from}`,
    );
    this.count(`${from} > ${to}`, by);
    step.state = to;
    this.trace(() => `${nameOf(step)}: ${from} > ${to}`);
  }
}

/** Cases are open, and then closed; counted for each kind. */
export function caseTransition(kind: CaseKind): string {
  return `${kind}: open > closed`;
}

export function nameOf({ id, act, tool, account, case: { kind, person } }: SimStep): string {
  return `${id} ${act} of ${person.id} at ${tool.id}${account ? ` (${account.id})` : ''} [${kind}]`;
}
