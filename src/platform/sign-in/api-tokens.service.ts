import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import type { Actor, Scope } from './actor.js';
import { ApiToken } from './api-token.entity.js';
import { knownScopes } from './scopes.js';
import { hashToken, newSecretToken } from './secret-token.js';

export interface NewApiToken {
  name: string;
  scopes: readonly Scope[];
  /** The person or team that answers for it. */
  owner: string;
  expiresAt: Date | null;
}

/** `qm_`, eight hex digits of the token's id (to find its row when one leaks), 256 random bits. */
const FORMAT = /^qm_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/;

@Injectable()
export class ApiTokens {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
  ) {}

  /** @returns the token itself, which can't be shown again. */
  async create(tx: EntityManager, by: Actor, wish: NewApiToken): Promise<{ id: string; token: string }> {
    const id = newId();
    const token = `qm_${id.slice(-8)}_${newSecretToken()}`;
    await tx.insert(ApiToken, { ...wish, id, scopes: [...wish.scopes], tokenHash: hashToken(token) });
    await this.audit.record(tx, by, 'token.created', {
      subject: { kind: 'token', id },
      facts: { name: wish.name, scopes: wish.scopes, expiresAt: wish.expiresAt },
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

  /** Who calls with this token, or null when it is unknown, revoked or past its time by the database's clock. */
  async actorOf(token: string): Promise<Actor | null> {
    if (!FORMAT.test(token)) return null;
    const [row] = await queryRows<{ id: string; name: string; scopes: string[]; use_is_old: boolean }>(
      this.db,
      `SELECT id, name, scopes, last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS use_is_old
       FROM api_tokens
       WHERE token_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [hashToken(token)],
    );
    if (!row) return null;
    if (row.use_is_old) await this.noteUse(row.id);
    return { kind: 'service', id: row.id, name: row.name, scopes: knownScopes(row.scopes) };
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
