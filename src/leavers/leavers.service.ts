import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Brakes, type HeldCase } from '../brakes/brakes.service.js';
import { HeldWork } from '../brakes/held-work.service.js';
import { CasesService } from '../cases/cases.service.js';
import { CutPlanning } from '../cases/cut-planning.service.js';
import { HeldSteps } from '../cases/held-steps.service.js';
import { ReturnRecords } from '../devices/returns/return-records.service.js';
import { EmploymentsService } from '../people/employments.service.js';
import type { Person } from '../people/person.entity.js';
import { PeopleService } from '../people/people.service.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { missingSteps } from './missing-steps.js';
import { RightsOfLeavers } from './rights-of-leavers.service.js';
import { together } from '../platform/database/together.js';

export interface Leave {
  caseId: string;
  /** A brake holds it: nothing of it is done before two people decide. */
  held: boolean;
}

/** Somebody's last day is over, or they leave at once. */
@Injectable()
export class LeaversService implements OnModuleInit {
  constructor(
    private readonly people: PeopleService,
    private readonly employments: EmploymentsService,
    private readonly cases: CasesService,
    private readonly cut: CutPlanning,
    private readonly rights: RightsOfLeavers,
    private readonly returns: ReturnRecords,
    private readonly brakes: Brakes,
    private readonly heldSteps: HeldSteps,
    private readonly heldWork: HeldWork,
  ) {}

  onModuleInit(): void {
    this.heldWork.register('leaves', (tx, { caseId, personId }, actor) => this.carryOut(tx, caseId, personId, actor));
  }

  /**
   * Revokes everything, and asks for each device that they have, which holds up nothing. A second leave of somebody who has left changes nothing and answers the case that is there.
   * Beyond the limit of its source it is planned and held; an urgent one isn't held by a brake that stands already.
   * @param why for the case's facts, e.g. the employment that ended
   */
  async begin(
    tx: EntityManager,
    personId: string,
    actor: Actor,
    why: Record<string, unknown>,
    { urgent = false }: { urgent?: boolean } = {},
  ): Promise<Leave> {
    await requireWithin(tx, actor, 'whole person', personId);
    const [person, holds] = await together([this.people.lock(tx, personId), this.cases.standingHolds(tx, personId)]);
    const earlier = holds.find(({ reason }) => reason === 'leaver');
    if (earlier) return { caseId: earlier.caseId, held: false };
    const change = { kind: 'leaves', actor, personId, urgent } as const;
    const verdict = await this.brakes.admit(tx, change);
    const heldLeave = verdict.held.find(({ kind }) => kind === 'leaves');
    if (heldLeave && verdict.passes) {
      await this.carryOut(tx, heldLeave.caseId, personId, actor);
      await this.brakes.takenOut(tx, heldLeave);
      return { caseId: heldLeave.caseId, held: false };
    }
    if (heldLeave) return { caseId: heldLeave.caseId, held: true };
    const wanted = { kind: 'leaver', lane: 'standard', personId, actor, facts: why } as const;
    if (!verdict.passes) {
      const steps = await this.cut.preview(tx, personId);
      const caseId = await this.cases.open(tx, { ...wanted, generation: person.generation, steps, held: true });
      await this.brakes.hold(tx, change, caseId);
      return { caseId, held: true };
    }
    const generation = await this.markLeft(tx, person, verdict.held, actor);
    const steps = await this.cut.plan(tx, personId);
    const caseId = await this.cases.open(tx, { ...wanted, generation, hold: 'leaver', steps });
    await this.returns.askLeaver(tx, actor, personId, caseId);
    return { caseId, held: false };
  }

  /** HR says that the end isn't now: what a brake holds of the person's leave is taken out. */
  async cancelHeld(tx: EntityManager, personId: string, actor: Actor, reason: string): Promise<void> {
    await this.people.lock(tx, personId);
    const held = (await this.brakes.heldOf(tx, personId)).find(({ kind }) => kind === 'leaves');
    if (held) await this.brakes.drop(tx, held, actor, reason);
  }

  /** What was held is done now, and to every account that is there now: a revocation takes in what is found later. */
  private async carryOut(tx: EntityManager, caseId: string, personId: string, actor: Actor): Promise<void> {
    const person = await this.people.lock(tx, personId);
    await this.markLeft(tx, person, await this.brakes.heldOf(tx, personId), actor);
    await this.employments.applyHeldEnds(tx, personId);
    await this.cases.placeHold(tx, caseId, 'leaver', { personId, actor });
    const plan = await this.cut.plan(tx, personId);
    const there = await this.heldSteps.of(tx, caseId);
    await this.heldSteps.letGo(tx, caseId);
    await this.cases.grow(tx, caseId, missingSteps(plan, there));
    await this.returns.askLeaver(tx, actor, personId, caseId);
  }

  /** Nothing more is given, and nothing of theirs opens anything here. Answers the new generation. */
  private async markLeft(tx: EntityManager, person: Person, held: readonly HeldCase[], actor: Actor): Promise<number> {
    const [generation] = await together([
      this.people.nextGeneration(tx, person.id),
      this.cases.supersedeGrants(tx, person.id, 'The person leaves.'),
      this.people.update(tx, actor, person, { status: 'left' }),
    ]);
    await this.endHeldChanges(tx, held);
    await this.rights.end(tx, person, actor);
    return generation;
  }

  /** What a held change would take away is taken away, since everything is; what it would give was superseded. */
  private async endHeldChanges(tx: EntityManager, held: readonly HeldCase[]): Promise<void> {
    for (const change of held.filter(({ kind }) => kind !== 'leaves')) {
      await this.heldSteps.letGo(tx, change.caseId);
      await this.brakes.takenOut(tx, change);
    }
  }
}
