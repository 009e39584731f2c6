import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { PeopleService } from '../../people/people.service.js';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import type { Actor, Origin } from '../../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../../platform/sign-in/secret-token.js';
import { ToolsService } from '../../tools/tools.service.js';
import { AlertsService } from '../alerts.service.js';
import { Evidence } from '../evidence.service.js';
import { dutyTime } from '../human-duty.js';
import { StepDecisions } from '../step-decisions.service.js';
import type { StepAct } from '../step-states.js';
import { Step } from '../step.entity.js';
import { TaskLink } from './task-link.entity.js';

/** What whoever holds the link reads. */
export interface Task {
  act: StepAct;
  toolName: string;
  personName: string;
  /** Null: none is known yet. */
  username: string | null;
  reason: string | null;
  deadline: Date | null;
  madeFor: string;
}

export interface AttachedFile {
  name: string;
  content: Buffer;
}

const GONE = 'This link was used, replaced or is too old, or somebody else did it. Ask IT for a new one.';
const GOOD = `l.ended_at IS NULL AND l.expires_at > now() AND s.state = 'needs_human'`;

/** Who is to do a step by hand; and the link by which they do it without a sign-in. The only writer of `task_links`. */
@Injectable()
export class TaskLinks {
  constructor(
    private readonly db: DataSource,
    private readonly decisions: StepDecisions,
    private readonly evidence: Evidence,
    private readonly people: PeopleService,
    private readonly tools: ToolsService,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /**
   * Gives the step to somebody else, who is told as the first one was; their time begins anew, and a link that somebody
   * had stops working.
   *
   * @throws Problem `not-found`; `conflict` when it needs nobody; `forbidden` to whom the step is about
   */
  async assign(stepId: string, owner: string, actor: Actor): Promise<Step> {
    return inTransaction(this.db, async (tx) => {
      await this.give(tx, await this.decisions.lock(tx, stepId, actor), owner, actor);
      return tx.findOneByOrFail(Step, { id: stepId });
    });
  }

  /**
   * As `assign`, with a link that is good for seven days.
   *
   * @param madeFor the address to which it will be sent: their name in the record of the step
   * @throws Problem as `assign`; `conflict` at a tool that wants two people, who have to be signed in
   */
  async create(stepId: string, madeFor: string, actor: Actor): Promise<{ url: string; expiresAt: Date }> {
    return inTransaction(this.db, async (tx) => {
      const step = await this.decisions.lock(tx, stepId, actor);
      const tool = await this.tools.get(tx, step.toolId);
      if (tool.requiresSecondPerson) {
        throw new Problem(
          'conflict',
          `${tool.name} wants two people for what is done by hand, and a link shows nobody who they are: both have to sign in.`,
        );
      }
      await this.give(tx, step, madeFor, actor);
      const token = newSecretToken();
      const id = newId();
      const [made] = await queryRows<{ expiresAt: Date }>(
        tx,
        `INSERT INTO task_links (id, step_id, token_hash, made_for, made_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, now() + interval '7 days') RETURNING expires_at AS "expiresAt"`,
        [id, stepId, hashToken(token), madeFor, actor.name],
      );
      if (!made) throw new Error('the task link is gone');
      await this.audit.record(tx, actor, 'task-link.created', {
        ...aboutStep(step),
        facts: { taskLinkId: id, expiresAt: made.expiresAt.toISOString() },
        personal: { madeFor },
      });
      return { url: `${this.config.publicUrl}/task-links/${token}`, expiresAt: made.expiresAt };
    });
  }

  /** What is to be done, without using the link up. @throws Problem `gone` */
  async look(token: string): Promise<Task> {
    const [task] = await queryRows<Task>(
      this.db.manager,
      `SELECT s.act, t.name AS "toolName", p.display_name AS "personName", a.username, s.reason, s.deadline, l.made_for AS "madeFor"
       FROM task_links l JOIN steps s ON s.id = l.step_id JOIN tools t ON t.id = s.tool_id JOIN people p ON p.id = s.person_id
       LEFT JOIN accounts a ON a.id = s.account_id WHERE l.token_hash = $1 AND ${GOOD}`,
      [hashToken(token)],
    );
    if (!task) throw new Problem('gone', GONE);
    return task;
  }

  /**
   * "I did it", by whoever holds the link, with a file as evidence if they like. Counts as the word of whom it was sent to;
   * a tool that can be asked is asked. The link, the file and the word count together or not at all.
   *
   * @throws Problem `gone`; as `Evidence.add` and `StepDecisions.complete`
   */
  async complete(token: string, note: string, file: AttachedFile | null, from: Origin): Promise<void> {
    const [link] = await queryRows<{ id: string; stepId: string; madeFor: string; madeBy: string }>(
      this.db.manager,
      `SELECT l.id, l.step_id AS "stepId", l.made_for AS "madeFor", l.made_by AS "madeBy"
       FROM task_links l JOIN steps s ON s.id = l.step_id WHERE l.token_hash = $1 AND ${GOOD}`,
      [hashToken(token)],
    );
    if (!link) throw new Problem('gone', GONE);
    const { id, stepId, madeFor, madeBy } = link;
    // Nobody is signed in on this page: who it is, is known only as whom the link was sent to.
    const actor: Actor = { kind: 'system', id: `task-link:${id}`, name: madeFor, scopes: [], from };
    await inTransaction(this.db, async (tx) => {
      // Of two who press at once the second waits here, and finds the step done.
      const step = await this.decisions.lock(tx, stepId, actor);
      const { affected } = await tx.update(TaskLink, { id, endedAt: IsNull() }, { endedAt: () => 'now()' });
      // Meanwhile the step was given to somebody else.
      if (affected !== 1) throw new Problem('gone', GONE);
      if (file) {
        const sha256 = createHash('sha256').update(file.content).digest('hex');
        await this.evidence.addTo(tx, step, { sha256, fileName: file.name, content: file.content }, actor);
      }
      await this.decisions.completeLocked(tx, step, `${note} (by the link that ${madeBy} made for ${madeFor})`, actor);
    });
  }

  private async give(tx: EntityManager, step: Step, owner: string, actor: Actor): Promise<void> {
    const subject = await this.people.get(tx, step.personId);
    if (owner.toLowerCase() === subject.corporateEmail.toLowerCase()) {
      throw new Problem('forbidden', 'Nobody decides about their own access: give it to somebody else.');
    }
    const tool = await this.tools.get(tx, step.toolId);
    await tx.update(TaskLink, { stepId: step.id, endedAt: IsNull() }, { endedAt: () => 'now()' });
    await tx.update(
      Step,
      { id: step.id },
      { owner, deadline: () => `now() + ${dutyTime(step.lane, step.effect)} * interval '1 ms'` },
    );
    await this.audit.record(tx, actor, 'step.assigned', { ...aboutStep(step), personal: { owner } });
    await this.alerts.resolveSteps(tx, [{ stepId: step.id, toolId: step.toolId }]);
    await this.alerts.raise(tx, {
      dedupKey: `needs_human:${step.id}`,
      kind: 'needs_human',
      severity: step.lane === 'emergency' ? 'critical' : 'warning',
      owner,
      message:
        `${tool.name}, ${subject.displayName}: ${actor.name} asks ${owner} to do it by hand. ${step.reason ?? ''}`.trim(),
      stepId: step.id,
      toolId: step.toolId,
    });
  }
}

function aboutStep({ id, caseId, personId }: Step) {
  return { subject: { kind: 'person', id: personId }, caseId, stepId: id };
}
