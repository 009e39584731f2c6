import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ReturnRecords, type KnownReturn } from '../devices/returns/return-records.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import type { Position } from '../platform/http/page.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Alert } from './alert.entity.js';
import { Attempt } from './attempt.entity.js';
import { Case } from './case.entity.js';
import { SecondPerson } from './second-person.service.js';
import { StepNeed } from './step-need.entity.js';
import { Step } from './step.entity.js';
import type { CaseKind, Lane, StepState } from './step-states.js';

interface Newest {
  /** Only what was recorded before this id: ids are ordered by time. */
  before: string | null;
  limit: number;
}

export interface CasesFilter {
  kind?: CaseKind | undefined;
  state?: 'open' | 'closed' | undefined;
  personId?: string | undefined;
}

export interface StepsFilter {
  state?: StepState | undefined;
  lane?: Lane | undefined;
  toolId?: string | undefined;
  personId?: string | undefined;
  caseId?: string | undefined;
  owner?: string | undefined;
}

export interface AlertsFilter {
  state?: 'open' | 'resolved' | undefined;
  about?: 'step' | 'other' | undefined;
}

export interface CaseInFull {
  case: Case;
  steps: (Step & { toolName: string; needs: string[]; mayConfirm: boolean; attemptsMade: Attempt[] })[];
  /** Of a leave: each device that is to come back. It holds up no step. */
  returns: KnownReturn[];
}

/** Reads cases, steps and alerts for the doors. */
@Injectable()
export class CasesReader {
  constructor(
    private readonly db: DataSource,
    private readonly returns: ReturnRecords,
    private readonly secondPerson: SecondPerson,
  ) {}

  async list(actor: Actor, filter: CasesFilter, page: Newest): Promise<Case[]> {
    const query = this.db.manager.createQueryBuilder(Case, 'c').orderBy('c.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'case');
    if (page.before) query.andWhere('c.id < :before', { before: page.before });
    if (filter.kind) query.andWhere('c.kind = :kind', { kind: filter.kind });
    if (filter.state) query.andWhere('c.state = :state', { state: filter.state });
    if (filter.personId) query.andWhere('c.person_id = :personId', { personId: filter.personId });
    return query.getMany();
  }

  /** @throws Problem `not-found` */
  async inFull(actor: Actor, id: string): Promise<CaseInFull> {
    await requireWithin(this.db.manager, actor, 'case', id);
    const found = await this.db.manager.findOneBy(Case, { id });
    if (!found) throw new Problem('not-found', 'There is no case with this id.');
    const itsSteps = this.db.manager
      .createQueryBuilder(Step, 's')
      .where('s.case_id = :id', { id })
      .orderBy('s.position');
    keepWithin(itsSteps, actor, 'step');
    const steps = await itsSteps.getMany();
    const stepIds = steps.map((step) => step.id);
    const attempts = await this.db.manager
      .createQueryBuilder(Attempt, 'a')
      .where('a.step_id = ANY(:stepIds)', { stepIds })
      .orderBy('a.number')
      .getMany();
    const needs = await this.db.manager
      .createQueryBuilder(StepNeed, 'n')
      .where('n.step_id = ANY(:stepIds)', { stepIds })
      .getMany();
    const tools = await queryRows<{ id: string; name: string }>(
      this.db,
      `SELECT id, name FROM tools WHERE id = ANY($1)`,
      [steps.map(({ toolId }) => toolId)],
    );
    const confirmable = new Set<string>();
    for (const step of steps) {
      if (await this.secondPerson.mayConfirm(this.db.manager, step, actor)) confirmable.add(step.id);
    }
    return {
      case: found,
      returns: found.kind === 'leaver' ? await this.returns.ofCase(this.db.manager, actor, id) : [],
      steps: steps.map((step) =>
        Object.assign(step, {
          toolName: tools.find((tool) => tool.id === step.toolId)?.name ?? '',
          mayConfirm: confirmable.has(step.id),
          needs: needs.filter(({ stepId }) => stepId === step.id).map(({ needsStepId }) => needsStepId),
          attemptsMade: attempts.filter(({ stepId }) => stepId === step.id),
        }),
      ),
    };
  }

  async steps(actor: Actor, filter: StepsFilter, page: Newest): Promise<Step[]> {
    const query = this.db.manager.createQueryBuilder(Step, 's').orderBy('s.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'step');
    if (page.before) query.andWhere('s.id < :before', { before: page.before });
    for (const [column, value] of [
      ['state', filter.state],
      ['lane', filter.lane],
      ['tool_id', filter.toolId],
      ['person_id', filter.personId],
      ['case_id', filter.caseId],
      ['owner', filter.owner],
    ] as const) {
      if (value !== undefined) query.andWhere(`s.${column} = :${column}`, { [column]: value });
    }
    return query.getMany();
  }

  /** Steps that need a person, the one that is due first before the others; each with its deadline as the database has it. */
  async duties(actor: Actor, page: { after: Position | null; limit: number }): Promise<(Step & { due: string })[]> {
    const query = this.db.manager
      .createQueryBuilder(Step, 's')
      .addSelect(`to_char(s.deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, 'due')
      .where(`s.state = 'needs_human'`)
      .orderBy('s.deadline')
      .addOrderBy('s.id')
      .limit(page.limit);
    keepWithin(query, actor, 'step');
    if (page.after) {
      const { key, id } = page.after;
      query.andWhere('(s.deadline, s.id) > (CAST(:due AS timestamptz), CAST(:id AS uuid))', { due: key, id });
    }
    const { entities, raw } = await query.getRawAndEntities<{ due: string }>();
    return entities.map((step, index) => Object.assign(step, { due: raw[index]?.due ?? '' }));
  }

  async alerts(actor: Actor, { state, about }: AlertsFilter, page: Newest): Promise<Alert[]> {
    const query = this.db.manager.createQueryBuilder(Alert, 'a').orderBy('a.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'alert');
    if (page.before) query.andWhere('a.id < :before', { before: page.before });
    if (state !== undefined) query.andWhere(state === 'open' ? 'a.resolved_at IS NULL' : 'a.resolved_at IS NOT NULL');
    if (about !== undefined) query.andWhere(about === 'step' ? 'a.step_id IS NOT NULL' : 'a.step_id IS NULL');
    return query.getMany();
  }
}
