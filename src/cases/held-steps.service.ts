import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { queryRows } from '../platform/database/query-rows.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { sealPlace, sealStep, takesApproval, type StepApproval, type StepContent } from './approved-step.js';
import { CasesService } from './cases.service.js';
import { Settlement } from './engine/settle.js';
import type { StepPlan } from './step-plan.js';
import { FINISHED, STEP_ACTS, type StepAct, type StepState } from './step-states.js';

interface Dropped {
  stepId: string;
  caseId: string;
  personId: string;
  toolId: string;
  act: StepAct;
  state: StepState;
}

export type HeldStep = Pick<StepPlan, 'act' | 'toolId' | 'accountId'>;

/** What becomes of a case's steps that a brake holds. In the caller's transaction. */
@Injectable()
export class HeldSteps {
  constructor(
    private readonly cases: CasesService,
    private readonly settlement: Settlement,
    private readonly key: InstallationKey,
  ) {}

  async of(tx: EntityManager, caseId: string): Promise<HeldStep[]> {
    const rows = await queryRows<HeldStep & { accountId: string | null }>(
      tx,
      `SELECT act, tool_id AS "toolId", account_id AS "accountId" FROM steps WHERE case_id = $1 AND state = 'held'`,
      [caseId],
    );
    return rows.map(({ act, toolId, accountId }) => ({ act, toolId, ...(accountId !== null && { accountId }) }));
  }

  /**
   * They go on as if they had never been held. Whatever gives access takes the approval along, sealed over what it is at
   * this moment: the worker sends nothing else.
   *
   * @param approved not there when a newer decision lets go what takes access away
   */
  async letGo(
    tx: EntityManager,
    caseId: string,
    approved?: Pick<StepApproval, 'approvalId' | 'planHash'>,
  ): Promise<void> {
    if (approved) await this.seal(tx, caseId, approved);
    // What they wait for is locked first: one that ends at this moment wouldn't see them waiting.
    const needed = await queryRows<{ id: string; state: StepState }>(
      tx,
      `SELECT id, state FROM steps WHERE id IN (
         SELECT n.needs_step_id FROM step_needs n JOIN steps s ON s.id = n.step_id WHERE s.case_id = $1 AND s.state = 'held')
       ORDER BY id FOR SHARE`,
      [caseId],
    );
    await tx.query(
      `UPDATE steps s SET due_at = now(),
         input = CASE WHEN $2 OR s.effect = 'grant' THEN s.input ELSE s.input - 'needsApproval' END,
         state = CASE WHEN EXISTS (SELECT 1 FROM step_needs n WHERE n.step_id = s.id) THEN 'planned' ELSE 'ready' END
       WHERE s.case_id = $1 AND s.state = 'held'`,
      [caseId, approved !== undefined],
    );
    const ended = needed.filter(({ state }) => FINISHED.includes(state)).map(({ id }) => id);
    for (const { stepId, reason } of await this.cases.releaseDependents(tx, ended)) {
      await this.settlement.giveToHuman(tx, stepId, reason);
    }
  }

  /** They won't be done: a named person answers for what isn't taken away, and what isn't given is given up. */
  async drop(tx: EntityManager, caseId: string, actor: Actor, reason: string): Promise<void> {
    const dropped = await queryRows<Dropped>(
      tx,
      `UPDATE steps SET state = CASE effect WHEN 'revoke' THEN 'waived' ELSE 'superseded' END, owner = $2, reason = $3,
         ended_at = now()
       WHERE case_id = $1 AND state = 'held'
       RETURNING id AS "stepId", case_id AS "caseId", person_id AS "personId", tool_id AS "toolId", act, state`,
      [caseId, actor.name, reason],
    );
    for (const how of ['waived', 'superseded'] as const) {
      const ended = dropped.filter(({ state }) => state === how);
      if (ended.length > 0) await this.settlement.end(tx, ended, actor, how, { reason });
    }
  }

  private async seal(
    tx: EntityManager,
    caseId: string,
    approved: Pick<StepApproval, 'approvalId' | 'planHash'>,
  ): Promise<void> {
    const steps = await queryRows<StepContent>(
      tx,
      // Where an account will be that the case makes, nobody knows yet.
      `SELECT s.id AS "stepId", s.person_id AS "personId", s.tool_id AS "toolId", s.account_id AS "accountId", s.act, s.generation,
         COALESCE(a.username, '') AS username, COALESCE(a.mark, '') AS mark,
         CASE WHEN g.id IS NOT NULL THEN jsonb_build_object('kind', g.kind, 'name', g.name) END AS grant,
         CASE WHEN NOT EXISTS (SELECT FROM steps made
           WHERE made.case_id = s.case_id AND made.account_id = s.account_id AND made.act = 'create_account')
         THEN a.external_id END AS "externalId"
       FROM steps s LEFT JOIN accounts a ON a.id = s.account_id LEFT JOIN grants g ON g.id = s.grant_id
       WHERE s.case_id = $1 AND s.state = 'held' AND s.act = ANY($2)`,
      [caseId, STEP_ACTS.filter(takesApproval)],
    );
    for (const step of steps) {
      const { approvalId, planHash } = approved;
      const seal = sealStep(this.key, approved, step);
      const place = sealPlace(this.key, seal, step.externalId);
      const approval: StepApproval = { approvalId, planHash, seal, place };
      await tx.query(`UPDATE steps SET input = input || $2::jsonb WHERE id = $1`, [
        step.stepId,
        JSON.stringify({ approval }),
      ]);
    }
  }
}
