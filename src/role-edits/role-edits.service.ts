import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget, type Approved } from '../approvals/approvals.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { newId } from '../platform/ids/new-id.js';
import { Permits } from '../platform/roles/permits.service.js';
import type { RoleAssignment } from '../platform/roles/role-assignment.entity.js';
import { RoleAssignments, type NewAssignment } from '../platform/roles/role-assignments.service.js';
import { RoleWish } from '../platform/roles/roles-views.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { WhoIsWho } from '../platform/sign-in/who-is-who.service.js';

/** It is done, or waits for another person. */
export type RoleEdit = { assignment: RoleAssignment; approval?: never } | { approval: Approval; assignment?: never };

/**
 * Who may do what is changed by two people as soon as there are two: with one owner, or none yet, nobody else could
 * approve it.
 */
@Injectable()
export class RoleEdits implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly assignments: RoleAssignments,
    private readonly permits: Permits,
    private readonly approvals: Approvals,
    private readonly whoIsWho: WhoIsWho,
  ) {}

  onModuleInit(): void {
    this.approvals.bind('role.assign', {
      plan: (tx, target) => this.planOf(tx, 'gives', wishIn(target)),
      carryOut: (tx, target, approved, actor) => this.give(tx, target, approved, actor),
    });
    this.approvals.bind('role.end', {
      plan: async (tx, { id }) => this.planOf(tx, 'ends', await this.assignments.get(tx, id)),
      carryOut: async (tx, { id }, { approvalId, reason }, actor) => {
        await this.assignments.end(tx, actor, id, { approvalId, reason });
      },
    });
  }

  /** @throws Problem as `RoleAssignments.assign` */
  async assign(wish: NewAssignment, reason: string, actor: Actor): Promise<RoleEdit> {
    const assignment = await inTransaction(this.db, async (tx) => {
      await this.assignments.requireGivable(tx, wish, await this.permits.everywhere(tx, actor));
      return (await this.takesTwo(tx)) ? null : this.assignments.give(tx, actor, wish, { reason });
    });
    if (assignment) return { assignment };
    // The assignment that will be has its id already: the request is about nothing else.
    return { approval: await this.approvals.request('role.assign', { id: newId(), wish: { ...wish } }, reason, actor) };
  }

  /** @throws Problem as `RoleAssignments.end` */
  async end(id: string, reason: string, actor: Actor): Promise<RoleEdit> {
    const assignment = await inTransaction(this.db, async (tx) =>
      (await this.takesTwo(tx)) ? null : this.assignments.end(tx, actor, id, { reason }),
    );
    return assignment ? { assignment } : { approval: await this.approvals.request('role.end', { id }, reason, actor) };
  }

  private async takesTwo(tx: EntityManager): Promise<boolean> {
    return (await this.assignments.countOwners(tx)) > 1;
  }

  private async planOf(tx: EntityManager, verb: string, wish: NewAssignment): Promise<ActPlan> {
    const { principal, role, department, location, toolId } = wish;
    const { people, ids } = await this.whoIsWho.of(tx, { id: principal, name: principal });
    const within = [department, location, toolId].filter((place) => place !== null).join(', ');
    return {
      summary: `${verb} the role ${role} of ${principal}, ${within === '' ? 'everywhere' : `within ${within}`}`,
      about: { people, principals: ids },
      plan: { principal, role, department, location, toolId },
    };
  }

  /** Whoever asked has to hold what they wanted to give away still. */
  private async give(tx: EntityManager, target: ActTarget, approved: Approved, actor: Actor): Promise<void> {
    const wish = wishIn(target);
    const { requestedById, approvalId, reason } = approved;
    await this.assignments.requireGivable(tx, wish, await this.permits.everywhereStill(tx, requestedById));
    await this.assignments.give(tx, actor, wish, { id: target.id, approvalId, reason });
  }
}

function wishIn({ wish }: ActTarget): NewAssignment {
  return RoleWish.parse(wish);
}
