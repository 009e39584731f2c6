import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import type { AuditRecord } from '../audit/audit-statement.js';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';
import { newId } from '../ids/new-id.js';
import type { Actor, Scope } from '../sign-in/actor.js';
import { identityIdIn } from '../sign-in/principals.js';
import type { HeldRole } from './permit.js';
import { Permits } from './permits.service.js';
import type { Narrowing } from './reach.js';
import { RoleAssignment } from './role-assignment.entity.js';
import { ROLE_DEFINITIONS, ROLES } from './roles.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const NOT_THERE = 'There is no assignment with this id, or it ended before.';

export interface NewAssignment extends HeldRole {
  /** An actor's id: `user:<uuid>`, or an API token's. */
  principal: string;
}

/** Why somebody changes who may do what, and with whose approval. */
type EditReason = Pick<AuditRecord, 'reason' | 'approvalId'>;

export interface AssignmentsFilter {
  principal?: string | undefined;
  /** Those that ended as well. */
  ended?: boolean | undefined;
}

/** The only writer of `role_assignments`. */
@Injectable()
export class RoleAssignments {
  constructor(
    private readonly db: DataSource,
    private readonly permits: Permits,
    private readonly audit: AuditService,
  ) {}

  /** How many people own this installation: who signs in and isn't withdrawn, each counted once. */
  async countOwners(tx: EntityManager): Promise<number> {
    const [owners] = await queryRows<{ count: number }>(
      tx,
      `SELECT count(DISTINCT coalesce(i.person_id, i.id))::int AS count
       FROM role_assignments r JOIN sign_in_identities i ON r.principal = 'user:' || i.id
       WHERE r.role = 'owner' AND r.ended_at IS NULL AND i.withdrawn_at IS NULL`,
    );
    return owners?.count ?? 0;
  }

  /** Whether anybody who signs in may do this everywhere, by a role of theirs. */
  async isHeldEverywhere(tx: EntityManager, scope: Scope): Promise<boolean> {
    const holders = await queryRows(
      tx,
      `SELECT FROM role_assignments r JOIN sign_in_identities i ON r.principal = 'user:' || i.id
       WHERE r.role = ANY($1) AND r.ended_at IS NULL AND i.withdrawn_at IS NULL
         AND r.department IS NULL AND r.location IS NULL AND r.tool_id IS NULL LIMIT 1`,
      [ROLES.filter((role) => ROLE_DEFINITIONS[role].scopes.includes(scope))],
    );
    return holders.length > 0;
  }

  /** As `give`, by somebody who is here. @throws Problem what `requireGivable` and `give` throw */
  async assign(tx: EntityManager, actor: Actor, wish: NewAssignment): Promise<RoleAssignment> {
    await this.requireGivable(tx, wish, await this.permits.everywhere(tx, actor));
    return this.give(tx, actor, wish);
  }

  /**
   * @param held what the giver may do everywhere
   * @throws Problem `invalid-request` for a principal or tool that isn't there or an owner of less than everything;
   * `forbidden` for a role that may do what the giver may not
   */
  async requireGivable(tx: EntityManager, wish: NewAssignment, held: readonly Scope[]): Promise<void> {
    const { principal, role, department, location, toolId } = wish;
    if (role === 'owner' && (department ?? location ?? toolId) !== null) {
      throw invalid('/role', 'An owner owns everything: leave department, location and tool out.');
    }
    await this.refuseUnknown(tx, principal, wish);
    if (ROLE_DEFINITIONS[role].scopes.some((scope) => !held.includes(scope))) {
      throw new Problem(
        'forbidden',
        `Nobody gives away more than they hold: the role ${role} may do what you may not.`,
      );
    }
  }

  /** The role, to whom it may be given. The same again changes nothing and answers the one that stands. */
  async give(
    tx: EntityManager,
    actor: Actor,
    { principal, role, department, location, toolId }: NewAssignment,
    { id = newId(), ...why }: EditReason & { id?: string } = {},
  ): Promise<RoleAssignment> {
    const inserted = await queryRows<{ id: string }>(
      tx,
      `INSERT INTO role_assignments (id, principal, role, department, location, tool_id, assigned_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
      [id, principal, role, department, location, toolId, actor.name],
    );
    if (inserted.length > 0) {
      await this.audit.record(tx, actor, 'role.assigned', {
        subject: { kind: 'principal', id: principal },
        facts: { assignmentId: id, role, department, location, toolId },
        ...why,
      });
      return tx.findOneByOrFail(RoleAssignment, { id });
    }
    const [standing] = await queryRows<{ id: string }>(
      tx,
      `SELECT id FROM role_assignments WHERE principal = $1 AND role = $2 AND ended_at IS NULL
         AND lower(coalesce(department, '')) = lower(coalesce($3, '')) AND lower(coalesce(location, '')) = lower(coalesce($4, ''))
         AND tool_id IS NOT DISTINCT FROM $5`,
      [principal, role, department, location, toolId],
    );
    if (!standing) throw new Problem('conflict', 'The same role ended at this moment. Assign it again.');
    return tx.findOneByOrFail(RoleAssignment, { id: standing.id });
  }

  /**
   * From the next request on it allows nothing.
   *
   * @throws Problem `not-found` when there is no such assignment or it ended before; `conflict` for the last owner
   */
  async end(tx: EntityManager, actor: Actor, id: string, why: EditReason = {}): Promise<RoleAssignment> {
    // All owners are locked, so that of two that end at once the second sees that it is the last.
    const owners = await queryRows<{ id: string }>(
      tx,
      `SELECT id FROM role_assignments WHERE role = 'owner' AND ended_at IS NULL AND principal LIKE 'user:%' ORDER BY id FOR UPDATE`,
    );
    if (owners.length === 1 && owners[0]?.id === id) {
      throw new Problem('conflict', 'This is the last owner. Make somebody else an owner first.');
    }
    const ended = await queryRows(
      tx,
      `UPDATE role_assignments SET ended_at = now(), ended_by = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id`,
      [id, actor.name],
    );
    if (ended.length === 0) throw new Problem('not-found', NOT_THERE);
    const assignment = await tx.findOneByOrFail(RoleAssignment, { id });
    await this.audit.record(tx, actor, 'role.ended', {
      subject: { kind: 'principal', id: assignment.principal },
      facts: { assignmentId: id, role: assignment.role },
      ...why,
    });
    return assignment;
  }

  /** One that stands. @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<RoleAssignment> {
    const standing = await tx.findOneBy(RoleAssignment, { id, endedAt: IsNull() });
    if (!standing) throw new Problem('not-found', NOT_THERE);
    return standing;
  }

  /** All that they hold ends, for they are let in no more: the last owner's as well. There is always the link. */
  async endAllOf(tx: EntityManager, actor: Actor, principals: readonly string[], because: string): Promise<void> {
    if (principals.length === 0) return;
    const ended = await queryRows<{ id: string; principal: string; role: string }>(
      tx,
      `UPDATE role_assignments SET ended_at = now(), ended_by = $2 WHERE principal = ANY($1) AND ended_at IS NULL
       RETURNING id, principal, role`,
      [principals, actor.name],
    );
    await this.audit.recordAll(
      tx,
      actor,
      'role.ended',
      ended.map(({ id, principal, role }) => ({
        subject: { kind: 'principal', id: principal },
        facts: { assignmentId: id, role, because },
      })),
    );
  }

  /** By id, which is the order in which they were made. @param page.after the last id of the page before */
  async list(filter: AssignmentsFilter, page: { after: string | null; limit: number }): Promise<RoleAssignment[]> {
    const query = this.db.manager.createQueryBuilder(RoleAssignment, 'r').orderBy('r.id').limit(page.limit);
    if (page.after) query.andWhere('r.id > :after', { after: page.after });
    if (filter.principal) query.andWhere('r.principal = :principal', { principal: filter.principal });
    if (!filter.ended) query.andWhere('r.ended_at IS NULL');
    return query.getMany();
  }

  private async refuseUnknown(tx: EntityManager, principal: string, { toolId }: Narrowing): Promise<void> {
    const isToken = UUID.test(principal);
    const identityId = identityIdIn(principal);
    if (!isToken && identityId === null) {
      throw invalid('/principal', 'This has to be user:<id> of somebody who signs in, or the id of an API token.');
    }
    if (isToken) {
      const there = await queryRows(tx, `SELECT FROM api_tokens WHERE id = $1 AND revoked_at IS NULL`, [principal]);
      if (there.length === 0) throw invalid('/principal', 'There is no API token with this id, or it was revoked.');
    }
    if (identityId !== null) {
      // Held: whoever withdraws them at this moment ends this role as well, or comes first and is seen.
      const there = await queryRows(
        tx,
        `SELECT FROM sign_in_identities WHERE id = $1 AND withdrawn_at IS NULL FOR SHARE`,
        [identityId],
      );
      if (there.length === 0)
        throw invalid('/principal', 'Nobody of this id is admitted: see `quartermaster sign-in list`.');
    }
    if (toolId !== null) {
      const there = await queryRows(tx, `SELECT FROM tools WHERE id = $1`, [toolId]);
      if (there.length === 0) throw invalid('/toolId', 'There is no tool with this id.');
    }
  }
}

function invalid(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer, detail }]);
}
