import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { idsIn, prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { together } from '../platform/database/together.js';
import { newId } from '../platform/ids/new-id.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import { SignInIdentities } from '../platform/sign-in/sign-in-identities.service.js';
import { takesApproval } from './approved-step.js';
import type { StepPlan } from './step-plan.js';
import {
  EFFECT_OF,
  FINISHED,
  SUPERSEDABLE,
  type CaseKind,
  type HoldReason,
  type Lane,
  type StepAct,
} from './step-states.js';

export interface OpenCase {
  kind: CaseKind;
  lane: Lane;
  personId: string;
  deviceId?: string;
  parentCaseId?: string;
  policyVersionId?: string;
  scope?: 'person' | 'device';
  /** The person's newest generation, as the caller just made it. */
  generation: number;
  actor: Actor;
  /** What was known at this moment, frozen. */
  facts?: Record<string, unknown>;
  steps: readonly StepPlan[];
  hold?: HoldReason;
  /** A brake holds it: its steps are planned and none of them runs before `HeldSteps.letGo`. */
  held?: boolean;
}

interface CaseRow {
  id: string;
  personId: string;
  lane: Lane;
  generation: number;
}

// In the text of the statement: with a parameter the plan for any states couldn't use the index of unfinished grants.
const SUPERSEDABLE_STATES = SUPERSEDABLE.map((state) => `'${state}'`).join(', ');

/** Opens cases, lets their plans grow, and closes them. Always in the caller's transaction, with the person locked. */
@Injectable()
export class CasesService {
  constructor(
    private readonly audit: AuditService,
    private readonly identities: SignInIdentities,
  ) {}

  /** Answers the new case's id. A case without any step is closed at once: there was nothing to do. */
  async open(tx: EntityManager, wanted: OpenCase): Promise<string> {
    const id = newId();
    const opening = {
      sql: `INSERT INTO cases (id, kind, person_id, device_id, parent_case_id, policy_version_id, lane, scope, generation, opened_by, facts,
              requested_by, requested_by_kind)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      parameters: [
        id,
        wanted.kind,
        wanted.personId,
        wanted.deviceId ?? null,
        wanted.parentCaseId ?? null,
        wanted.policyVersionId ?? null,
        wanted.lane,
        wanted.scope ?? 'person',
        wanted.generation,
        wanted.actor.name,
        wanted.facts ?? {},
        wanted.actor.id,
        wanted.actor.kind,
      ],
    };
    const { reason, ...facts } = wanted.facts ?? {};
    await together([
      this.audit.recordChange(tx, opening, wanted.actor, 'case.opened', {
        subject: { kind: 'person', id: wanted.personId },
        caseId: id,
        facts: {
          kind: wanted.kind,
          lane: wanted.lane,
          steps: wanted.steps.length,
          ...(wanted.held && { held: true }),
          ...facts,
        },
        ...(typeof reason === 'string' && { reason }),
      }),
      wanted.hold && this.insertHold(tx, id, wanted.hold, wanted),
      this.insertSteps(
        tx,
        { id, personId: wanted.personId, lane: wanted.lane, generation: wanted.generation },
        wanted.steps,
        wanted.held,
      ),
    ]);
    if (wanted.hold) await this.identities.endSessionsOfPerson(tx, wanted.actor, wanted.personId, id);
    if (wanted.steps.length === 0) await this.closeFinished(tx, [id]);
    return id;
  }

  /**
   * More steps for an open case: what a look found. A last look that is still planned at the same tool waits for them,
   * too. Answers the new steps' ids by their keys.
   */
  async grow(tx: EntityManager, caseId: string, plans: readonly StepPlan[]): Promise<ReadonlyMap<string, string>> {
    const [row] = await queryRows<CaseRow>(
      tx,
      `SELECT id, person_id AS "personId", lane, generation FROM cases WHERE id = $1 FOR UPDATE`,
      [caseId],
    );
    if (!row) throw new Error(`case ${caseId} is not there`);
    const lastLooks = await queryRows<{ id: string; toolId: string }>(
      tx,
      `SELECT id, tool_id AS "toolId" FROM steps WHERE case_id = $1 AND act = 'final_look' AND state = 'planned'`,
      [caseId],
    );
    const ids = await this.insertSteps(tx, row, plans);
    for (const { key, toolId, act } of plans) {
      const waiting = lastLooks.find((look) => look.toolId === toolId);
      if (!waiting || act === 'final_look') continue;
      await tx.query(`INSERT INTO step_needs (step_id, needs_step_id) VALUES ($1, $2)`, [waiting.id, ids.get(key)]);
    }
    return ids;
  }

  /** The person must be without access from now on, here as well; `open` does it for a case that isn't held. */
  async placeHold(
    tx: EntityManager,
    caseId: string,
    reason: HoldReason,
    { personId, deviceId, actor }: Pick<OpenCase, 'personId' | 'deviceId' | 'actor'>,
  ): Promise<void> {
    await this.insertHold(tx, caseId, reason, { personId, deviceId });
    await this.identities.endSessionsOfPerson(tx, actor, personId, caseId);
  }

  private async insertHold(
    tx: EntityManager,
    caseId: string,
    reason: HoldReason,
    { personId, deviceId }: Pick<OpenCase, 'personId' | 'deviceId'>,
  ): Promise<void> {
    await tx.query(
      prepared(
        `INSERT INTO holds (id, subject, person_id, device_id, reason, case_id) VALUES ($1, 'person', $2, $3, $4, $5)`,
      ),
      [newId(), personId, deviceId ?? null, reason, caseId],
    );
  }

  private async insertSteps(
    tx: EntityManager,
    row: CaseRow,
    plans: readonly StepPlan[],
    held = false,
  ): Promise<ReadonlyMap<string, string>> {
    const idOf = new Map(plans.map(({ key }) => [key, newId()]));
    if (plans.length === 0) return idOf;
    const unfinished = await this.lockUnfinished(
      tx,
      plans.flatMap(({ needsSteps }) => needsSteps ?? []),
    );
    const needs = plans.flatMap((plan) => [
      ...(plan.needs ?? []).map((key) => ({ step: idOf.get(plan.key), needs: idOf.get(key) })),
      ...(plan.needsSteps ?? [])
        .filter((needed) => unfinished.has(needed))
        .map((needed) => ({ step: idOf.get(plan.key), needs: needed })),
    ]);
    const waiting = new Set(needs.map(({ step }) => step));
    const stateOf = (id: string | undefined) => (held ? 'held' : waiting.has(id) ? 'planned' : 'ready');
    const rows = plans.map((plan) => ({
      id: idOf.get(plan.key),
      tool_id: plan.toolId,
      account_id: plan.accountId ?? null,
      grant_id: plan.grantId ?? null,
      act: plan.act,
      effect: EFFECT_OF[plan.act],
      state: stateOf(idOf.get(plan.key)),
      input: {
        ...(plan.grant && { grant: plan.grant }),
        ...(plan.device !== undefined && { device: plan.device }),
        ...(held && takesApproval(plan.act) && { needsApproval: true }),
      },
    }));
    const steps = tx.query(
      prepared(`INSERT INTO steps (id, case_id, person_id, tool_id, account_id, grant_id, act, effect, state, lane, position, generation, input)
       SELECT r.id, $1, $2, r.tool_id, r.account_id, r.grant_id, r.act, r.effect, r.state, $3,
         (SELECT count(*) FROM steps WHERE case_id = $1) + row_number() OVER (), $4, r.input
       FROM jsonb_to_recordset($5::jsonb) AS r (id uuid, tool_id uuid, account_id uuid, grant_id uuid, act text, effect text, state text, input jsonb)`),
      [row.id, row.personId, row.lane, row.generation, JSON.stringify(rows)],
    );
    const bonds =
      needs.length > 0 &&
      tx.query(
        prepared(
          `INSERT INTO step_needs (step_id, needs_step_id) SELECT r.step, r.needs FROM jsonb_to_recordset($1::jsonb) AS r (step uuid, needs uuid)`,
        ),
        [JSON.stringify(needs)],
      );
    await together([steps, bonds]);
    return idOf;
  }

  /**
   * Those of these steps that still have to end, locked: one that ends at this moment releases whoever it sees waiting
   * for it, and wouldn't see steps that aren't committed yet. They would wait for ever.
   */
  private async lockUnfinished(tx: EntityManager, stepIds: readonly string[]): Promise<Set<string>> {
    if (stepIds.length === 0) return new Set();
    const rows = await queryRows<{ id: string }>(
      tx,
      `SELECT id FROM steps WHERE id = ANY($1) AND state <> ALL($2) ORDER BY id FOR SHARE`,
      [stepIds, FINISHED],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * A newer intention about a person replaces older grants that weren't sent yet. What was sent is read back to its end,
   * and revocations are never touched; those that waited for such a grant go ahead.
   */
  async supersedeGrants(tx: EntityManager, personId: string, reason: string): Promise<void> {
    const superseded = await queryRows<{ caseId: string; id: string }>(
      tx,
      prepared(`UPDATE steps SET state = 'superseded', ended_at = now(), reason = $2, dispatched_until = NULL
       WHERE person_id = $1 AND effect = 'grant' AND state IN (${SUPERSEDABLE_STATES}) AND lease_owner IS NULL
       RETURNING case_id AS "caseId", id`),
      [personId, reason],
    );
    if (superseded.length === 0) return;
    await tx.query(`UPDATE alerts SET resolved_at = now() WHERE step_id = ANY($1) AND resolved_at IS NULL`, [
      superseded.map(({ id }) => id),
    ]);
    await this.releaseDependents(
      tx,
      superseded.map(({ id }) => id),
    );
    await this.closeFinished(tx, [...new Set(superseded.map(({ caseId }) => caseId))]);
  }

  /** Why the person must be without access right now, one entry for each hold that stands. */
  async standingHolds(
    tx: EntityManager,
    personId: string,
  ): Promise<{ id: string; reason: HoldReason; caseId: string }[]> {
    return queryRows(
      tx,
      prepared(
        `SELECT id, reason, case_id AS "caseId" FROM holds WHERE person_id = $1 AND released_at IS NULL ORDER BY placed_at, id`,
      ),
      [personId],
    );
  }

  /** Lifts the named holds and no other; `caseId` is the case that gives access back. */
  async releaseHolds(tx: EntityManager, holdIds: readonly string[], caseId: string, actor: Actor): Promise<void> {
    if (holdIds.length === 0) return;
    const released = await queryRows<{ personId: string; reason: string }>(
      tx,
      `UPDATE holds SET released_at = now(), released_by = $2, released_case_id = $3
       WHERE id = ANY($1) AND released_at IS NULL RETURNING person_id AS "personId", reason`,
      [holdIds, actor.name, caseId],
    );
    for (const { personId, reason } of released) {
      await this.audit.record(tx, actor, 'hold.released', {
        subject: { kind: 'person', id: personId },
        caseId,
        facts: { reason },
      });
    }
  }

  /** Steps that take something away from these accounts and aren't finished yet, by account. */
  async unfinishedRevocations(
    tx: EntityManager,
    personId: string,
  ): Promise<{ stepId: string; accountId: string; act: StepAct }[]> {
    return queryRows(
      tx,
      prepared(`SELECT id AS "stepId", account_id AS "accountId", act FROM steps
       WHERE person_id = $1 AND effect = 'revoke' AND account_id IS NOT NULL AND state NOT IN ('done', 'waived')`),
      [personId],
    );
  }

  /** Grants to the person that were sent, or may be at this moment, and aren't read back to their end. */
  async grantsInTheAir(tx: EntityManager, personId: string): Promise<{ stepId: string; accountId: string }[]> {
    return queryRows(
      tx,
      prepared(`SELECT id AS "stepId", account_id AS "accountId" FROM steps
       WHERE person_id = $1 AND effect = 'grant' AND account_id IS NOT NULL AND state IN ('running', 'confirming')`),
      [personId],
    );
  }

  /**
   * Steps that waited for those that just ended become ready; what was superseded won't happen, and holds up nobody. A
   * look or a revocation also goes ahead after a waiver; a grant doesn't: those are answered, for a person to decide. The rows are locked first, so that of two needs that end
   * at once one sees the other.
   */
  async releaseDependents(
    tx: EntityManager,
    stepIds: readonly string[],
  ): Promise<{ stepId: string; reason: string }[]> {
    if (stepIds.length === 0) return [];
    const dependents = await queryRows<{ id: string }>(
      tx,
      prepared(`SELECT s.id FROM steps s WHERE s.state = 'planned' AND s.id IN (SELECT step_id FROM step_needs WHERE needs_step_id = ANY (${idsIn('$1')}))
       ORDER BY s.id FOR UPDATE`),
      [stepIds],
    );
    if (dependents.length === 0) return [];
    const ids = dependents.map(({ id }) => id);
    await tx.query(
      prepared(`UPDATE steps s SET state = 'ready', due_at = now() WHERE s.id = ANY (${idsIn('$1')}) AND NOT EXISTS (
         SELECT 1 FROM step_needs n JOIN steps needed ON needed.id = n.needs_step_id
         WHERE n.step_id = s.id AND needed.state <> 'done'
           AND needed.state <> 'superseded' AND NOT (s.effect <> 'grant' AND needed.state = 'waived'))`),
      [ids],
    );
    return queryRows(
      tx,
      prepared(`SELECT s.id AS "stepId", 'A step that this one needs was waived: decide whether it may go ahead.' AS reason
       FROM steps s WHERE s.id = ANY (${idsIn('$1')}) AND s.state = 'planned' AND NOT EXISTS (
         SELECT 1 FROM step_needs n JOIN steps needed ON needed.id = n.needs_step_id
         WHERE n.step_id = s.id AND needed.state NOT IN ('done', 'waived', 'superseded'))`),
      [ids],
    );
  }

  /** Closes those of the cases in which nothing is left to do. The case is locked before its steps are counted. */
  async closeFinished(tx: EntityManager, caseIds: readonly string[]): Promise<void> {
    if (caseIds.length === 0) return;
    await tx.query(prepared(`SELECT 1 FROM cases WHERE id = ANY (${idsIn('$1')}) ORDER BY id FOR UPDATE`), [caseIds]);
    const closed = await queryRows<{ id: string; personId: string; kind: string }>(
      tx,
      prepared(`UPDATE cases c SET state = 'closed', closed_at = now(), version = version + 1
       WHERE c.id = ANY (${idsIn('$1')}) AND c.state = 'open' AND NOT EXISTS (
         SELECT 1 FROM steps s WHERE s.case_id = c.id AND s.state NOT IN ('done', 'superseded', 'waived'))
       RETURNING id, person_id AS "personId", kind`),
      [caseIds],
    );
    for (const { id, personId, kind } of closed) {
      await this.audit.record(tx, SYSTEM, 'case.closed', {
        subject: { kind: 'person', id: personId },
        caseId: id,
        facts: { kind },
      });
    }
  }
}
