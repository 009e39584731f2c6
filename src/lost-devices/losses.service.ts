import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { leafText } from '../platform/audit/leaf.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { together } from '../platform/database/together.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { reaches } from '../platform/roles/within-reach.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import { Case, type CaseScope } from '../cases/case.entity.js';
import { SecondPerson } from '../cases/second-person.service.js';
import { LossTask } from './loss-task.entity.js';
import { Loss, type Assessment } from './loss.entity.js';
import { MachineFacts } from './machine-facts.service.js';
import { proposeContainment, type Proposal } from './runbook/propose-containment.js';
import { secondsOf, type TaskEnding } from './runbook/runbook-schema.js';
import { Runbooks } from './runbook/runbooks.service.js';
import { writeWorksheet, type Worksheet } from './write-worksheet.js';

/** Without a runbook there is still a watch. */
const WATCH_SECONDS = 30 * 86_400;

export type LossWord = Partial<
  Pick<Loss, 'awareAt' | 'awake' | 'legalHold' | 'policeReference' | 'insuranceReference'>
>;

export interface NewLoss {
  caseId: string;
  personId: string;
  deviceId: string;
  scope: CaseScope;
  /** The machine was lost before, and not back since: this is the same loss, reported in another scope or anew. */
  wasAway: boolean;
}

/** The only writer of `losses` and `loss_tasks`. */
@Injectable()
export class Losses {
  constructor(
    private readonly db: DataSource,
    private readonly runbooks: Runbooks,
    private readonly facts: MachineFacts,
    private readonly secondPerson: SecondPerson,
    private readonly audit: AuditService,
  ) {}

  /**
   * In the decision that cuts access: what the runbook asks for from now on. What people said of a machine that is still
   * away stays said, and the clock of the breach assessment goes on from when it began.
   */
  async begin(tx: EntityManager, { caseId, personId, deviceId, scope, wasAway }: NewLoss): Promise<void> {
    const version = await this.runbooks.active(tx);
    // Where only the device was cut, nothing has to be given back.
    const asked = (version?.document.tasks ?? []).filter(
      ({ ends }) => scope === 'person' || ends !== 'give-back-access',
    );
    const tasks = asked.map(({ id, title, owner, within, ends }, position) => ({
      task: id,
      position,
      title,
      owner,
      ends: ends ?? null,
      seconds: secondsOf(within),
    }));
    const watch = tasks.find(({ ends }) => ends === 'watch')?.seconds ?? WATCH_SECONDS;
    await together([
      tx.query(
        prepared(`INSERT INTO losses (case_id, device_id, runbook_version_id, watch_until, reachable, aware_at, awake, legal_hold,
           police_reference, insurance_reference)
         SELECT $1, $2, $3, now() + $4 * interval '1 second', (${REACHABLE}), COALESCE(e.aware_at, now()),
           COALESCE(e.awake, 'unknown'), COALESCE(e.legal_hold, false), e.police_reference, e.insurance_reference
         FROM (SELECT) one LEFT JOIN LATERAL (
           SELECT * FROM losses WHERE device_id = $2 AND $6 ORDER BY case_id DESC LIMIT 1) e ON true`),
        [caseId, deviceId, version?.id ?? null, watch, personId, wasAway],
      ),
      tx.query(
        prepared(`INSERT INTO loss_tasks (case_id, task, position, title, owner, ends, due_at, done_at, done_by)
         SELECT $1, r.task, r.position, r.title, r.owner, r.ends,
           CASE WHEN r.ends = 'assess-breach' THEN l.aware_at ELSE now() END + r.seconds * interval '1 second',
           CASE WHEN r.ends = 'freeze-facts' THEN now() END, CASE WHEN r.ends = 'freeze-facts' THEN $2 END
         FROM losses l CROSS JOIN jsonb_to_recordset($3::jsonb) AS r (task text, position int, title text, owner text, ends text, seconds bigint)
         WHERE l.case_id = $1`),
        [caseId, SYSTEM.name, JSON.stringify(tasks)],
      ),
    ]);
  }

  /** @throws Problem `not-found`, also for a loss that the actor can't see, and for one from before runbooks */
  async get(tx: EntityManager, actor: Actor, caseId: string): Promise<Loss> {
    return this.within(tx, actor, caseId, await tx.findOneBy(Loss, { caseId }));
  }

  async lock(tx: EntityManager, actor: Actor, caseId: string): Promise<Loss> {
    const loss = await tx.findOne(Loss, { where: { caseId }, lock: { mode: 'pessimistic_write' } });
    return this.within(tx, actor, caseId, loss);
  }

  /** @throws Problem `forbidden` for whoever lost it: another person decides what becomes of it, and who is told */
  async lockToDecide(tx: EntityManager, actor: Actor, caseId: string): Promise<Loss> {
    const loss = await this.lock(tx, actor, caseId);
    const { personId } = await tx.findOneByOrFail(Case, { id: caseId });
    await this.secondPerson.refuseSubject(tx, personId, actor, 'loss');
    return loss;
  }

  /** Locked with all the losses of its machine: what is said in one of them counts in each. */
  async underLegalHold(tx: EntityManager, deviceId: string): Promise<string[]> {
    const losses = await this.lockAllOf(tx, deviceId);
    return losses.filter(({ legalHold }) => legalHold).map(({ caseId }) => caseId);
  }

  async tasks(tx: EntityManager, caseId: string): Promise<LossTask[]> {
    return tx.find(LossTask, { where: { caseId }, order: { position: 'ASC' } });
  }

  /**
   * What people learn of the machine after the report.
   *
   * @throws Problem `conflict` when the clock of the breach assessment would start later than it does
   */
  async note(tx: EntityManager, actor: Actor, caseId: string, word: LossWord): Promise<void> {
    const loss = await this.lock(tx, actor, caseId);
    const before = said(loss);
    if (word.awareAt !== undefined) await this.putBack(tx, loss, word.awareAt);
    await tx.update(Loss, { caseId }, word);
    await this.audit.record(tx, actor, 'loss.noted', {
      subject: { kind: 'device', id: loss.deviceId },
      caseId,
      facts: { ...word },
      before,
      after: { ...before, ...word },
    });
  }

  /** Who became aware earlier has less time: the task is due earlier, too. */
  private async putBack(tx: EntityManager, { caseId, awareAt: before }: Loss, awareAt: Date): Promise<void> {
    if (awareAt > before) {
      const known = before.toISOString();
      throw new Problem('conflict', `It was known at ${known}: the clock of the breach assessment can’t start later.`);
    }
    await tx.query(
      `UPDATE loss_tasks t SET due_at = t.due_at + ($2 - l.aware_at) FROM losses l
       WHERE l.case_id = t.case_id AND t.case_id = $1 AND t.ends = 'assess-breach' AND t.done_at IS NULL`,
      [caseId, awareAt],
    );
  }

  /** What the runbook says of this machine, as it is known now; null: this loss follows none. */
  async proposal(tx: EntityManager, loss: Loss): Promise<Proposal | null> {
    if (loss.runbookVersionId === null) return null;
    const { document } = await this.runbooks.get(tx, loss.runbookVersionId);
    return proposeContainment(document, await this.facts.of(tx, loss));
  }

  async worksheet(tx: EntityManager, loss: Loss): Promise<Worksheet> {
    return writeWorksheet(await this.facts.forAssessment(tx, loss));
  }

  /** @throws Problem `conflict` when it was decided before */
  async assess(actor: Actor, caseId: string, assessment: Assessment, reason: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const loss = await this.lockToDecide(tx, actor, caseId);
      if (loss.assessment !== null) {
        throw new Problem('conflict', `${loss.assessedBy} decided this before: ${loss.assessment.replace('_', ' ')}.`);
      }
      const worksheet = await this.worksheet(tx, loss);
      await tx.update(
        Loss,
        { caseId },
        // TypeORM's partial types can't express `unknown` inside a JSON column.
        {
          assessment,
          assessmentReason: reason,
          worksheet: worksheet as object,
          assessedBy: actor.name,
          assessedAt: () => 'now()',
        },
      );
      await this.audit.record(tx, actor, 'loss.assessed', {
        subject: { kind: 'device', id: loss.deviceId },
        caseId,
        // It tells whose accounts could be reached, so only the commitment to it stays for good.
        personal: { worksheet: leafText(worksheet) },
        facts: { assessment, encryptionShown: worksheet.encryption.shown },
        reason,
      });
      await this.end(tx, caseId, 'assess-breach', actor.name);
    });
  }

  /** A task that ends by somebody's word. @throws Problem `not-found`; `conflict` when it has another end, or ended */
  async complete(actor: Actor, caseId: string, name: string, note: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const { deviceId } = await this.get(tx, actor, caseId);
      const task = await tx.findOne(LossTask, { where: { caseId, task: name }, lock: { mode: 'pessimistic_write' } });
      if (!task) throw new Problem('not-found', 'The runbook of this loss has no such task.');
      if (task.doneAt !== null) throw new Problem('conflict', `${task.doneBy} ended this task before.`);
      if (task.ends !== null) throw new Problem('conflict', `Nobody’s word ends this task: it ends by ${task.ends}.`);
      await tx.update(LossTask, { caseId, task: name }, { doneAt: () => 'now()', doneBy: actor.name, note });
      await this.audit.record(tx, actor, 'loss-task.completed', {
        subject: { kind: 'device', id: deviceId },
        caseId,
        facts: { task: name },
        reason: note,
      });
    });
  }

  /** What was waited for has happened. */
  async end(tx: EntityManager, caseId: string, ending: TaskEnding, by: string): Promise<void> {
    await tx.query(
      `UPDATE loss_tasks SET done_at = now(), done_by = $3 WHERE case_id = $1 AND ends = $2 AND done_at IS NULL`,
      [caseId, ending, by],
    );
  }

  /** What had happened is to happen anew, and is due as long from now as the runbook says. */
  async reopen(tx: EntityManager, { caseId, runbookVersionId }: Loss, ending: TaskEnding): Promise<void> {
    if (runbookVersionId === null) return;
    const { document } = await this.runbooks.get(tx, runbookVersionId);
    const task = document.tasks.find(({ ends }) => ends === ending);
    if (!task) return;
    await tx.query(
      `UPDATE loss_tasks SET done_at = NULL, done_by = NULL, due_at = now() + $3 * interval '1 second'
       WHERE case_id = $1 AND ends = $2 AND done_at IS NOT NULL`,
      [caseId, ending, secondsOf(task.within)],
    );
  }

  /** What was decided of the machine itself doesn't stand any more: somebody decides anew. */
  async undecide(tx: EntityManager, actor: Actor, caseId: string): Promise<void> {
    const loss = await tx.findOneByOrFail(Loss, { caseId });
    await tx.update(
      Loss,
      { caseId },
      { containment: null, containmentReason: null, proposal: null, containedBy: null, containedAt: null },
    );
    await this.reopen(tx, loss, 'decide-containment');
    await this.audit.record(tx, actor, 'loss.undecided', {
      subject: { kind: 'device', id: loss.deviceId },
      caseId,
      facts: { containment: loss.containment },
    });
  }

  /** In one order, so that no two decisions wait for each other. */
  async lockAllOf(tx: EntityManager, deviceId: string): Promise<Loss[]> {
    return tx.find(Loss, { where: { deviceId }, order: { caseId: 'ASC' }, lock: { mode: 'pessimistic_write' } });
  }

  private async within(tx: EntityManager, actor: Actor, caseId: string, loss: Loss | null): Promise<Loss> {
    const [row] = loss
      ? await queryRows<Pick<Case, 'personId'>>(tx, `SELECT person_id AS "personId" FROM cases WHERE id = $1`, [caseId])
      : [];
    if (!loss || !row || !(await reaches(tx, actor, 'whole person', row.personId))) {
      throw new Problem(
        'not-found',
        'There is no lost-device case with this id, or it was reported before there were runbooks.',
      );
    }
    return loss;
  }
}

/** In the statement that writes it: what is seen of accounts later doesn't change it. */
const REACHABLE = `
  SELECT COALESCE(jsonb_agg(jsonb_build_object(
    'accountId', a.id, 'tool', t.name, 'username', a.username, 'observed', a.observed_state, 'observedAt', a.observed_at,
    'liveSessions', a.live_sessions,
    'credentials', (SELECT COALESCE(jsonb_agg(jsonb_build_object('kind', c.kind, 'ofThisDevice', c.device_id IS NOT DISTINCT FROM $2)), '[]')
                    FROM credentials c WHERE c.account_id = a.id AND c.state <> 'revoked')) ORDER BY t.name, a.username), '[]')
  FROM accounts a JOIN tools t ON t.id = a.tool_id
  WHERE a.person_id = $5 AND a.kind = 'person' AND a.observed_state <> 'absent'`;

function said({ awareAt, awake, legalHold, policeReference, insuranceReference }: Loss): Required<LossWord> {
  return { awareAt, awake, legalHold, policeReference, insuranceReference };
}
