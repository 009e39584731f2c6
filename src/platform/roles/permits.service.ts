import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { SCOPES, type Actor, type Scope } from '../sign-in/actor.js';
import { identityIdIn } from '../sign-in/principals.js';
import { knownScopes } from '../sign-in/scopes.js';
import { heldEverywhere, permitFor, type HeldRole, type Permit, type Standing } from './permit.js';
import { isRole } from './roles.js';

/** Looks up what an actor may do; the rules are in `permit.ts`. */
@Injectable()
export class Permits {
  constructor(private readonly db: DataSource) {}

  /** Null: not allowed at all. Whoever holds the scope by their sign-in alone costs no query. */
  async of(actor: Actor, scope: Scope): Promise<Permit | null> {
    if (actor.boundTo === undefined && actor.scopes.includes(scope)) return { scopes: actor.scopes };
    return permitFor(scope, await this.standing(this.db.manager, actor));
  }

  /** All that an actor may do, and where: for what isn't about one scope. */
  async all(actor: Actor): Promise<ReadonlyMap<Scope, Permit>> {
    const standing = await this.standing(this.db.manager, actor);
    return new Map(
      SCOPES.flatMap((scope) => {
        const permit = permitFor(scope, standing);
        return permit ? [[scope, permit] as const] : [];
      }),
    );
  }

  /** All that an actor may do without any narrowing: what they may pass on to others. */
  async everywhere(tx: EntityManager, actor: Actor): Promise<Scope[]> {
    return heldEverywhere(await this.standing(tx, actor));
  }

  /** Of somebody who isn't here to sign in: whether what they asked for may still be done on their word. */
  async ofPrincipal(principal: string, scope: Scope): Promise<Permit | null> {
    return permitFor(scope, await this.standingOf(this.db.manager, principal));
  }

  /** As `of`, of somebody who asked a while ago: what they asked for is done on their word. Null: not any more. */
  async still(tx: EntityManager, principal: string, scope: Scope): Promise<Permit | null> {
    if (isAtServer(principal)) return { scopes: SCOPES };
    return permitFor(scope, await this.standingOf(tx, principal));
  }

  /** As `everywhere`, of somebody who asked a while ago. */
  async everywhereStill(tx: EntityManager, principal: string): Promise<Scope[]> {
    if (isAtServer(principal)) return [...SCOPES];
    return heldEverywhere(await this.standingOf(tx, principal));
  }

  private async standingOf(tx: EntityManager, principal: string): Promise<Standing> {
    if (identityIdIn(principal) !== null) return this.standing(tx, { id: principal, scopes: [] });
    const [token] = await queryRows<{ scopes: string[]; boundTo: string | null }>(
      tx,
      `SELECT scopes, bound_to AS "boundTo" FROM api_tokens WHERE id = $1 AND revoked_at IS NULL`,
      [principal],
    );
    if (!token) return { scopes: [], roles: [] };
    const { boundTo } = token;
    return this.standing(tx, {
      id: principal,
      scopes: knownScopes(token.scopes),
      ...(boundTo !== null && { boundTo }),
    });
  }

  private async standing(
    tx: EntityManager,
    { id, scopes, boundTo }: Pick<Actor, 'id' | 'scopes' | 'boundTo'>,
  ): Promise<Standing> {
    const principal = boundTo ?? id;
    // Whoever is to be without access is so here as well, by a token that they made, too.
    const roles = await queryRows<HeldRole>(
      tx,
      `SELECT role, department, location, tool_id AS "toolId" FROM role_assignments
       WHERE principal = $1 AND ended_at IS NULL AND NOT EXISTS (
         SELECT FROM sign_in_identities i JOIN holds h ON h.person_id = i.person_id
         WHERE i.id = $2::uuid AND h.released_at IS NULL)`,
      [principal, identityIdIn(principal)],
    );
    // A role that was dropped since allows nothing.
    const known = roles.filter(({ role }) => isRole(role));
    return boundTo === undefined ? { scopes, roles: known } : { scopes: [], limitedTo: scopes, roles: known };
  }
}

/** Whoever sits at the server, or came by its link, may everything. */
function isAtServer(principal: string): boolean {
  return /^(terminal|admin):/.test(principal);
}
