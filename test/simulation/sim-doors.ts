import type { Position, Story } from '../model/expected-access.js';
import type { SimAccess } from './sim-access.js';
import type { SimCases } from './sim-cases.js';
import type { SimWorld } from './sim-world.js';
import type { SimCase, SimEmployment, SimPerson } from './tables.js';

/** What comes in: HrEventsService, DueEmployments, and the commands that start a case. The model is told the same. */
export class SimDoors {
  private readonly held = new Map<string, Position>();
  private readonly bodies = new Set<string>();

  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
    private readonly access: SimAccess,
  ) {}

  hear(person: SimPerson, story: Story): void {
    const { world } = this;
    // What comes in the very instant of an end comes after it, as the model has it.
    for (const one of person.employments) if ((one.endsAt ?? Infinity) <= world.now) this.applyDue(person, one);
    const expected = person.expected.tell(story, world.now);
    const outcome = this.apply(person, story);
    world.trace(() => `HR: ${story.kind} ${story.employee} ${story.department} (${story.body}): ${outcome}`);
    world.check(outcome === expected, 'events count by their own time', () => {
      return `${story.body} was ${outcome}, and ought to be ${expected}`;
    });
  }

  private apply(person: SimPerson, story: Story): string {
    const { world } = this;
    const employment = person.employments.find(({ id }) => id === story.employee);
    const newest = this.newest(employment, story.employee);
    const seenBefore = this.bodies.has(story.body);
    this.bodies.add(story.body);
    if (newest) {
      const order = world.rules.orderOf(asEvent(story), asEvent(newest));
      if (order === 'outdated') return 'outdated';
      if (order === 'tie') return seenBefore ? 'duplicate' : this.hold(story);
    }
    const applied = { at: story.at, sequence: story.sequence };
    switch (story.kind) {
      case 'joined':
      case 'changed':
        return this.hire(person, story, employment, applied);
      case 'left':
        if (!employment || (employment.endApplied && (story.endsAt ?? 0) > world.now)) return this.hold(story);
        this.setEnd(person, employment, story.endsAt ?? world.now, applied);
        this.applyDue(person, employment);
        return 'applied';
      case 'cancelled':
        if (!employment || employment.endApplied) return this.hold(story);
        this.setEnd(person, employment, null, applied);
        return 'applied';
    }
  }

  private hire(person: SimPerson, story: Story, before: SimEmployment | undefined, applied: Position): string {
    const employment = before ?? {
      id: story.employee,
      department: story.department,
      endsAt: null,
      startApplied: false,
      endApplied: false,
      applied,
    };
    if (!before) person.employments.push(employment);
    const { endApplied, startApplied, department } = employment;
    employment.department = story.department;
    employment.applied = applied;
    if (story.kind === 'joined') this.setEnd(person, employment, null, applied);
    const isBack = story.kind === 'joined' && before !== undefined && (endApplied || person.status === 'left');
    if (isBack) [employment.startApplied, employment.endApplied] = [false, false];
    if (!isBack && startApplied && !endApplied && before && department !== story.department) this.move(person);
    else this.applyDue(person, employment);
    return 'applied';
  }

  private setEnd(person: SimPerson, employment: SimEmployment, endsAt: number | null, applied: Position): void {
    if (employment.endsAt !== endsAt) employment.endApplied = false;
    employment.endsAt = endsAt;
    employment.applied = applied;
    if (endsAt !== null && endsAt > this.world.now) this.world.time.at(endsAt, () => this.applyDue(person, employment));
  }

  /** DueEmployments.applyOne */
  private applyDue(person: SimPerson, employment: SimEmployment): void {
    const { now } = this.world;
    const ended = employment.endsAt !== null && employment.endsAt <= now;
    if (ended && !employment.endApplied) {
      [employment.startApplied, employment.endApplied] = [true, true];
      const others = person.employments.some(({ endsAt }) => endsAt === null || endsAt > now);
      if (others) this.move(person);
      else this.leave(person);
    } else if (!ended && !employment.startApplied) this.begin(person, employment);
  }

  private hold({ employee, at, sequence }: Story): string {
    const position = { at, sequence };
    const before = this.held.get(employee);
    if (!before || this.world.rules.orderOf(asEvent(position), asEvent(before)) === 'newer') {
      this.held.set(employee, position);
    }
    return 'held';
  }

  private newest(employment: SimEmployment | undefined, employee: string): Position | undefined {
    const held = this.held.get(employee);
    if (!employment) return held;
    if (!held) return employment.applied;
    return this.world.rules.orderOf(asEvent(held), asEvent(employment.applied)) === 'newer' ? held : employment.applied;
  }

  private raise(person: SimPerson): void {
    person.decidedAt = this.world.now;
    person.generation = this.world.rules.generationAfter(person.generation, 0);
  }

  /** JoinersService.begin */
  private begin(person: SimPerson, employment: SimEmployment): void {
    const start = this.world.rules.planStart({ status: person.status, holds: person.holds });
    employment.startApplied = true;
    this.cases.supersedeGrants(person);
    this.raise(person);
    person.status = 'active';
    const steps = start.mayGrant ? this.access.plan(person) : [];
    this.cases.open({ kind: start.kind, lane: 'standard', person, steps });
    this.cases.releaseHolds(person, start.release);
  }

  /** MoversService.apply */
  private move(person: SimPerson): void {
    if (person.status !== 'active' || person.holds.length > 0) return;
    this.cases.supersedeGrants(person);
    this.raise(person);
    this.cases.open({ kind: 'mover', lane: 'standard', person, steps: this.access.plan(person) });
  }

  /** LeaversService.begin */
  private leave(person: SimPerson): void {
    if (person.holds.some(({ reason }) => reason === 'leaver')) return;
    this.cases.supersedeGrants(person);
    this.raise(person);
    person.status = 'left';
    const steps = this.access.planCut(person);
    this.cases.open({ kind: 'leaver', lane: 'standard', person, hold: 'leaver', steps });
  }

  leaveNow(person: SimPerson): void {
    if (person.employments.length === 0) return;
    person.expected.leaveNow(this.world.now);
    this.leave(person);
  }

  /** LostDevicesService.report */
  lose(person: SimPerson): SimCase {
    this.cases.supersedeGrants(person);
    this.raise(person);
    const steps = this.access.planCut(person);
    const loss = this.cases.open({ kind: 'lost_device', lane: 'emergency', person, hold: 'lost_device', steps });
    person.expected.lose(loss.id);
    return loss;
  }

  /** LostDevicesService.restore */
  giveBack(loss: SimCase): void {
    const { person } = loss;
    const { release, mayGrant } = this.world.rules.planRestoration({
      lossCaseId: loss.id,
      status: person.status,
      holds: person.holds,
    });
    if (release.length === 0) return;
    person.expected.giveBack(loss.id);
    this.cases.supersedeGrants(person);
    this.raise(person);
    const steps = mayGrant ? this.access.plan(person) : [];
    this.cases.open({ kind: 'restoration', lane: 'standard', person, steps });
    this.cases.releaseHolds(
      person,
      release.map(({ id }) => id),
    );
  }

  /** CredentialResetsService.start */
  reset(person: SimPerson): void {
    const steps = this.world.rules.planReset(
      person.accounts.map(({ id, toolId, purpose, externalId, observed }) => ({
        id,
        toolId,
        purpose,
        kind: 'person',
        externalId,
        observedState: observed,
      })),
    );
    if (steps.length > 0) this.cases.open({ kind: 'credential_reset', lane: 'emergency', person, steps });
  }
}

function asEvent({ at, sequence }: Position) {
  return { at: new Date(at), sequence };
}
