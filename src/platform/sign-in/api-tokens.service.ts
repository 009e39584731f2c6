import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { databaseNow } from '../database/database-now.js';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';
import { newId } from '../ids/new-id.js';
import { Permits } from '../roles/permits.service.js';
import type { Actor, Scope } from './actor.js';
import { ApiToken } from './api-token.entity.js';
import { identityIdIn } from './principals.js';
import { knownScopes } from './scopes.js';
import { hashToken, newSecretToken } from './secret-token.js';
import type { TokenOwner } from './token-owners.service.js';
import { beyondMaker, endOfToken } from './token-terms.js';

export type NewApiToken = TokenOwner & {
  name: string;
  scopes: readonly Scope[];
  /** 90 days from now when it isn't said; a year at most. */
  expiresAt?: Date | undefined;
};

/** `qm_`, eight hex digits of the token's id (to find its row when one leaks), 256 random bits. */
const FORMAT = /^qm_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/;

@Injectable()
export class ApiTokens {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly permits: Permits,
  ) {}

  /**
   * A token that a user makes for a person is bound to that user: it may do what they may still do.
   *
   * @returns the token itself, which can't be shown again
   * @throws Problem `forbidden` for a token as the maker, and for a scope that the maker doesn't hold everywhere;
   * `invalid-request` for an end that is past or too far away
   */
  async create(tx: EntityManager, by: Actor, wish: NewApiToken): Promise<{ id: string; token: string }> {
    await this.refuseMore(tx, by, wish.scopes);
    const expiresAt = await endFor(tx, wish.expiresAt);
    const boundTo = wish.ownerPersonId !== undefined && identityIdIn(by.id) !== null ? by.id : null;
    const id = newId();
    const token = `qm_${id.slice(-8)}_${newSecretToken()}`;
    await tx.insert(ApiToken, {
      ...wish,
      id,
      expiresAt,
      boundTo,
      scopes: [...wish.scopes],
      tokenHash: hashToken(token),
    });
    await this.audit.record(tx, by, 'token.created', {
      subject: { kind: 'token', id },
      facts: {
        name: wish.name,
        scopes: wish.scopes,
        expiresAt,
        ownerPersonId: wish.ownerPersonId ?? null,
        servicePrincipalId: wish.servicePrincipalId ?? null,
      },
      personal: { owner: wish.owner },
    });
    return { id, token };
  }

  async list(tx: EntityManager): Promise<ApiToken[]> {
    return tx.find(ApiToken, { order: { id: 'ASC' } });
  }

  /** From the next request on it opens nothing. @returns false when there is no such token, or it was revoked before. */
  async revoke(tx: EntityManager, by: Actor, id: string): Promise<boolean> {
    const revoked = await queryRows(
      tx,
      `UPDATE api_tokens SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id`,
      [id],
    );
    if (revoked.length === 0) return false;
    await this.audit.record(tx, by, 'token.revoked', { subject: { kind: 'token', id } });
    return true;
  }

  /**
   * Their own tokens end in this transaction. Answers the services that they answer for, whose tokens go on.
   * @param personId of whoever leaves, locked
   */
  async ownerLeft(tx: EntityManager, by: Actor, personId: string): Promise<{ id: string; name: string }[]> {
    const owned = await queryRows<{ kind: 'token' | 'service'; id: string; name: string }>(
      tx,
      `WITH ended AS (
         UPDATE api_tokens SET revoked_at = now() WHERE owner_person_id = $1 AND revoked_at IS NULL RETURNING id, name)
       SELECT 'token' AS kind, id, name FROM ended
       UNION ALL SELECT 'service', id, name FROM service_principals WHERE owner_person_id = $1`,
      [personId],
    );
    const ended = owned.filter(({ kind }) => kind === 'token');
    await this.audit.recordAll(
      tx,
      by,
      'token.revoked',
      ended.map(({ id }) => ({ subject: { kind: 'token', id }, facts: { because: 'its owner leaves' } })),
    );
    return owned.filter(({ kind }) => kind === 'service');
  }

  private async refuseMore(tx: EntityManager, by: Actor, scopes: readonly Scope[]): Promise<void> {
    if (by.kind === 'system') return;
    // One that leaked must not make itself a successor.
    if (by.kind === 'service') throw new Problem('forbidden', 'A token makes no tokens: sign in as a person.');
    const beyond = beyondMaker(scopes, await this.permits.everywhere(tx, by));
    if (beyond.length > 0) {
      throw new Problem('forbidden', `A token may do no more than who makes it; you don't hold ${beyond.join(', ')}.`);
    }
  }

  /**
   * Who calls with this token, or null when it is unknown, revoked or past its time by the database's clock, or while the
   * person whose it is is to be without access.
   */
  async actorOf(token: string): Promise<Actor | null> {
    if (!FORMAT.test(token)) return null;
    const [row] = await queryRows<{
      id: string;
      name: string;
      owner: string;
      scopes: string[];
      bound_to: string | null;
      owner_person_id: string | null;
      use_is_old: boolean;
    }>(
      this.db,
      `SELECT id, name, owner, scopes, bound_to, owner_person_id,
         last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS use_is_old
       FROM api_tokens t
       WHERE token_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
         AND NOT EXISTS (SELECT FROM holds h WHERE h.person_id = t.owner_person_id AND h.released_at IS NULL)`,
      [hashToken(token)],
    );
    if (!row) return null;
    if (row.use_is_old) await this.noteUse(row.id);
    const { id, name, owner, scopes, bound_to: boundTo, owner_person_id: personId } = row;
    return {
      kind: 'service',
      id,
      name,
      scopes: knownScopes(scopes),
      from: { via: 'rest', onBehalfOf: owner },
      ...(boundTo !== null && { boundTo }),
      ...(personId !== null && { personId }),
    };
  }

  /** At most one write a minute, however many requests come at once. */
  private async noteUse(id: string): Promise<void> {
    await this.db.query(
      `UPDATE api_tokens SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [id],
    );
  }
}

async function endFor(tx: EntityManager, wish: Date | undefined): Promise<Date> {
  try {
    return endOfToken(wish, await databaseNow(tx));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Problem('invalid-request', error.message, [{ pointer: '/expiresAt', detail: error.message }]);
  }
}
