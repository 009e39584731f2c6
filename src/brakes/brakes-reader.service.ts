import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { GrantRef } from '../../connectors/kit/contract.js';
import type { StepAct } from '../cases/step-states.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Brake, type BrakeState } from './brake.entity.js';

/** One step that would be taken; steps of one person stand in the order of their plan. */
export interface HeldPlanStep {
  act: StepAct;
  toolId: string;
  toolName: string;
  accountId: string | null;
  username: string | null;
  grant: GrantRef | null;
}

export interface HeldPerson {
  caseId: string;
  personId: string;
  displayName: string;
  corporateEmail: string;
  /** Of a restoration: the loss whose hold it lifts, and the device that is given out with it. */
  lossCaseId: string | null;
  replacementDeviceId: string | null;
  steps: HeldPlanStep[];
}

/** Shows what brakes hold, for people and for what they approve. */
@Injectable()
export class BrakesReader {
  constructor(private readonly db: DataSource) {}

  async list(
    actor: Actor,
    filter: { state?: BrakeState | undefined },
    page: { before: string | null; limit: number },
  ): Promise<(Brake & { people: number })[]> {
    const query = this.db.manager.createQueryBuilder(Brake, 'b').orderBy('b.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'brake');
    if (page.before) query.andWhere('b.id < :before', { before: page.before });
    if (filter.state) query.andWhere('b.state = :state', { state: filter.state });
    const brakes = await query.getMany();
    const counts = await queryRows<{ id: string; people: number }>(
      this.db,
      `SELECT b.brake_id AS id, count(*)::int AS people FROM braked_cases b JOIN cases c ON c.id = b.case_id
       WHERE b.brake_id = ANY($1) AND b.outcome = 'held' AND c.state = 'open' GROUP BY b.brake_id`,
      [brakes.map(({ id }) => id)],
    );
    return brakes.map((brake) =>
      Object.assign(brake, { people: counts.find(({ id }) => id === brake.id)?.people ?? 0 }),
    );
  }

  /** @throws Problem `not-found` */
  async inFull(tx: EntityManager, brakeId: string): Promise<{ brake: Brake; people: HeldPerson[] }> {
    const brake = await tx.findOneBy(Brake, { id: brakeId });
    if (!brake) throw new Problem('not-found', 'There is no brake with this id.');
    const people = await queryRows<HeldPerson>(
      tx,
      `SELECT b.case_id AS "caseId", b.person_id AS "personId", p.display_name AS "displayName",
         p.corporate_email AS "corporateEmail", CASE c.kind WHEN 'restoration' THEN c.parent_case_id END AS "lossCaseId",
         CASE c.kind WHEN 'restoration' THEN c.device_id END AS "replacementDeviceId", COALESCE((
           SELECT jsonb_agg(jsonb_build_object('act', s.act, 'toolId', s.tool_id, 'toolName', t.name,
             'accountId', s.account_id, 'username', a.username, 'grant', s.input -> 'grant') ORDER BY s.position)
           FROM steps s JOIN tools t ON t.id = s.tool_id LEFT JOIN accounts a ON a.id = s.account_id
           WHERE s.case_id = b.case_id AND s.state = 'held'), '[]') AS steps
       FROM braked_cases b JOIN people p ON p.id = b.person_id JOIN cases c ON c.id = b.case_id
       WHERE b.brake_id = $1 AND b.outcome = 'held' AND c.state = 'open' ORDER BY b.case_id`,
      [brakeId],
    );
    return { brake, people };
  }
}
