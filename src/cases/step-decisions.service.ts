import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ToolsService } from '../tools/tools.service.js';
import { AlertsService } from './alerts.service.js';
import { AttestedWork } from './attested-work.service.js';
import { Settlement } from './engine/settle.js';
import { NOT_ATTESTED, SecondPerson } from './second-person.service.js';
import { Step } from './step.entity.js';

/** What a person decides about a step that needs one. */
@Injectable()
export class StepDecisions {
  constructor(
    private readonly db: DataSource,
    private readonly settlement: Settlement,
    private readonly alerts: AlertsService,
    private readonly attested: AttestedWork,
    private readonly tools: ToolsService,
    private readonly secondPerson: SecondPerson,
  ) {}

  /**
   * "I did it." Where the tool can be asked, it is: the step is read back and is done only when that shows it. A tool
   * without an API is believed on this person's word, which is kept with their name; at some of them another person has
   * to confirm it first.
   */
  async complete(stepId: string, note: string, actor: Actor): Promise<Step> {
    return this.decide(stepId, actor, async (tx, step) => this.completeLocked(tx, step, note, actor));
  }

  /** As `complete`, of a step that `lock` answered in this transaction. */
  async completeLocked(tx: EntityManager, step: Step, note: string, actor: Actor): Promise<void> {
    const { id: stepId, toolId } = step;
    const tool = await this.tools.get(tx, toolId);
    if (this.tools.kindOf(tool) === 'api') {
      await tx.update(Step, { id: stepId }, { state: 'confirming', dueAt: () => 'now()', reason: note, failures: 0 });
      await this.alerts.resolveSteps(tx, [{ stepId, toolId }]);
      return;
    }
    if (tool.requiresSecondPerson) return this.secondPerson.ask(tx, step, tool, note, actor);
    await this.believe(tx, step, note, actor, { attestedBy: actor.name });
  }

  /** "It is as they say, I have seen it." By another person than the one who did it; with that the step is done. */
  async confirm(stepId: string, note: string, actor: Actor): Promise<Step> {
    return this.decide(stepId, actor, async (tx, step) => {
      const attestedBy = await this.secondPerson.whoDidIt(tx, step, actor);
      const said = `${step.reason ?? ''}\nConfirmed by ${actor.name}: ${note}`;
      await this.believe(tx, step, said, actor, { attestedBy, confirmedBy: actor.name });
    });
  }

  /** Nobody will do it: a named person answers for that, with a reason. */
  async waive(stepId: string, reason: string, actor: Actor): Promise<Step> {
    return this.decide(stepId, actor, async (tx, step) => {
      await tx.update(Step, { id: stepId }, { state: 'waived', owner: actor.name, reason, endedAt: () => 'now()' });
      await this.settlement.end(tx, [endOf(step)], actor, 'waived', { reason });
    });
  }

  /** Whatever was in the way is gone: the service tries again, from the start. */
  async retry(stepId: string, actor: Actor): Promise<Step> {
    return this.decide(stepId, actor, async (tx, step) => {
      await tx.update(
        Step,
        { id: stepId },
        {
          state: 'ready',
          dueAt: () => 'now()',
          input: () => `input - 'inProgress'`,
          failures: 0,
          readBacks: 0,
          crashes: 0,
          loneCrashes: 0,
          reason: null,
          owner: null,
          deadline: null,
          ...NOT_ATTESTED,
        },
      );
      if (step.effect === 'grant') await takeOver(tx, step, actor);
      await this.alerts.resolveSteps(tx, [{ stepId, toolId: step.toolId }]);
    });
  }

  /** Done on people's word, at a tool that can't be asked. */
  private async believe(
    tx: EntityManager,
    step: Step,
    reason: string,
    actor: Actor,
    by: { attestedBy: string; confirmedBy?: string },
  ): Promise<void> {
    await tx.update(
      Step,
      { id: step.id },
      {
        state: 'done',
        reason,
        sentAt: () => 'COALESCE(sent_at, now())',
        confirmedAt: () => 'clock_timestamp()',
        endedAt: () => 'clock_timestamp()',
        // Where another person confirmed it, who did it was written down before.
        ...(by.confirmedBy === undefined && {
          attestedBy: by.attestedBy,
          attestedById: actor.id,
          attestedAt: () => 'clock_timestamp()',
        }),
      },
    );
    await this.attested.record(tx, step, Object.values(by).join(' and '));
    await this.settlement.end(tx, [endOf(step)], actor, 'done', { ...by, note: reason });
  }

  private async decide(
    stepId: string,
    actor: Actor,
    act: (tx: EntityManager, step: Step) => Promise<void>,
  ): Promise<Step> {
    return inTransaction(this.db, async (tx) => {
      await act(tx, await this.lock(tx, stepId, actor));
      return tx.findOneByOrFail(Step, { id: stepId });
    });
  }

  /**
   * The step, locked, if it needs a person and this may be the one.
   *
   * @throws Problem `not-found`, `conflict` in another state, `forbidden` for the person whose access it is about
   */
  async lock(tx: EntityManager, stepId: string, actor: Actor): Promise<Step> {
    await requireWithin(tx, actor, 'step', stepId);
    const step = await tx.findOne(Step, { where: { id: stepId }, lock: { mode: 'pessimistic_write' } });
    if (!step) throw new Problem('not-found', 'There is no step with this id.');
    if (step.state !== 'needs_human') {
      throw new Problem('conflict', `This step is ${step.state}; a person decides only about one that needs one.`);
    }
    await this.secondPerson.refuseSubject(tx, step.personId, actor, 'access');
    return step;
  }
}

/** Where somebody asked for a grant, whoever has it tried again answers for it now. What HR told stays HR's. */
async function takeOver(tx: EntityManager, { id, caseId }: Step, actor: Actor): Promise<void> {
  await tx.query(
    `UPDATE steps SET requested_by = $3, requested_by_kind = $4
     WHERE id = $1 AND EXISTS (SELECT FROM cases WHERE id = $2 AND requested_by_kind IN ('admin', 'service'))`,
    [id, caseId, actor.id, actor.kind],
  );
}

function endOf({ id, caseId, personId, toolId, act }: Step) {
  return { stepId: id, caseId, personId, toolId, act };
}
