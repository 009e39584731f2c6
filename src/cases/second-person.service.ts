import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NOBODY } from '../approvals/may-decide.js';
import { PeopleService } from '../people/people.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { isCalled, isSamePerson, isThisPerson } from '../platform/sign-in/somebody.js';
import { WhoIsWho } from '../platform/sign-in/who-is-who.service.js';
import type { Tool } from '../tools/tool.entity.js';
import { AlertsService } from './alerts.service.js';
import { chooseOwner, dutyTime } from './human-duty.js';
import { Step } from './step.entity.js';

/** Of a step that nobody says is done. */
export const NOT_ATTESTED = { attestedBy: null, attestedById: null, attestedAt: null };

/** Who may decide about a step, and who else has to. Asks another person to confirm what somebody did by hand, at a tool where one person's word isn't enough. */
@Injectable()
export class SecondPerson {
  constructor(
    private readonly people: PeopleService,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly whoIsWho: WhoIsWho,
  ) {}

  /**
   * The name of who did it, for another person who confirms it.
   *
   * @throws Problem `conflict` when nobody said it is done; `forbidden` when it is the same person, or nobody
   */
  async whoDidIt(tx: EntityManager, { attestedBy, attestedById }: Step, actor: Actor): Promise<string> {
    if (attestedBy === null || attestedById === null) {
      throw new Problem('conflict', 'Nobody said yet that this is done: complete it, then another person confirms.');
    }
    const refusal = await this.whyNotConfirmed(tx, { id: attestedById, name: attestedBy }, actor);
    if (refusal !== null) throw new Problem('forbidden', refusal);
    return attestedBy;
  }

  /** @throws Problem `forbidden` for the person whom it is about */
  async refuseSubject(tx: EntityManager, personId: string, actor: Actor, about: 'access' | 'loss'): Promise<void> {
    if (!(await this.isSubject(tx, personId, actor))) return;
    throw new Problem('forbidden', `Nobody decides about their own ${about}.`);
  }

  /** Whether a step waits for another person's confirmation, and this actor could be that person. */
  async mayConfirm(tx: EntityManager, step: Step, actor: Actor): Promise<boolean> {
    const { state, attestedBy: name, attestedById: id } = step;
    if (state !== 'needs_human' || name === null || id === null) return false;
    return (
      (await this.whyNotConfirmed(tx, { id, name }, actor)) === null &&
      !(await this.isSubject(tx, step.personId, actor))
    );
  }

  private async whyNotConfirmed(
    tx: EntityManager,
    whoDidIt: Pick<Actor, 'id' | 'name'>,
    actor: Actor,
  ): Promise<string | null> {
    const second = await this.whoIsWho.of(tx, actor);
    if (!second.isPerson) return NOBODY;
    const isSame = isSamePerson(await this.whoIsWho.of(tx, whoDidIt), second);
    return isSame ? 'Another person than the one who did it has to confirm this.' : null;
  }

  private async isSubject(tx: EntityManager, personId: string, actor: Actor): Promise<boolean> {
    return isThisPerson(await this.whoIsWho.of(tx, actor), await this.people.get(tx, personId));
  }

  /**
   * The step stays with people: the next owner isn't who did it.
   *
   * @throws Problem `conflict` when it is asked already; `forbidden` for a token that is nobody's: whoever made it could
   * be the second person as well
   */
  async ask(tx: EntityManager, step: Step, tool: Tool, note: string, actor: Actor): Promise<void> {
    if (step.attestedBy !== null) {
      throw new Problem(
        'conflict',
        `${step.attestedBy} said already that this is done: confirm it, or have it retried.`,
      );
    }
    const subject = await this.people.get(tx, step.personId);
    const who = await this.whoIsWho.of(tx, actor);
    if (!who.isPerson) throw new Problem('forbidden', NOBODY);
    const others = tool.owners.filter((owner) => !isCalled(who, owner));
    const owner = chooseOwner(others, subject.corporateEmail);
    const reason = `${actor.name} did it: ${note}`;
    await tx.update(
      Step,
      { id: step.id },
      {
        reason,
        owner,
        deadline: () => `now() + ${dutyTime(step.lane, step.effect)} * interval '1 ms'`,
        attestedBy: actor.name,
        attestedById: actor.id,
        attestedAt: () => 'clock_timestamp()',
      },
    );
    await this.audit.record(tx, actor, 'step.attested', {
      subject: { kind: 'person', id: step.personId },
      caseId: step.caseId,
      stepId: step.id,
      facts: { act: step.act, toolId: step.toolId, attestedBy: actor.name, note },
    });
    // One alert a step: whoever is asked now hears of it as the first one did.
    await this.alerts.resolveSteps(tx, [{ stepId: step.id, toolId: step.toolId }]);
    await this.alerts.raise(tx, {
      dedupKey: `needs_human:${step.id}`,
      kind: 'needs_human',
      severity: step.lane === 'emergency' ? 'critical' : 'warning',
      owner,
      message: `${tool.name}, ${subject.displayName}: another person has to see it and confirm. ${reason}`,
      stepId: step.id,
      toolId: step.toolId,
    });
  }
}
