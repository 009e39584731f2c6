import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { Config } from '../config/config.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import type { Actor, Origin, Scope } from './actor.js';
import type { LinkHolder } from './browser-sessions.service.js';
import { SignInNews } from './sign-in-news.service.js';
import { hashToken, newSecretToken } from './secret-token.js';

export const LINK_MINUTES = 10;

@Injectable()
export class SignInLinks {
  constructor(
    private readonly audit: AuditService,
    private readonly config: Config,
    private readonly news: SignInNews,
  ) {}

  /** @returns the link, good once and for ten minutes; it can't be shown again. */
  async create(tx: EntityManager, by: Actor, actorName: string, scopes: readonly Scope[]): Promise<string> {
    const id = newId();
    const token = newSecretToken();
    await tx.query(
      `INSERT INTO sign_in_links (id, token_hash, actor_name, scopes, expires_at)
       VALUES ($1, $2, $3, $4, now() + make_interval(mins => $5))`,
      [id, hashToken(token), actorName, scopes, LINK_MINUTES],
    );
    await this.audit.record(tx, by, 'sign-in-link.created', {
      subject: { kind: 'sign-in-link', id },
      facts: { scopes },
      personal: { actorName },
    });
    await this.news.tell(tx, { linkId: id, what: 'link-made', actorName, madeBy: by.name });
    return `${this.config.publicUrl}/sign-in/${token}`;
  }

  /** Looks without using it up: chat apps and mail scanners open each link they see. */
  async holder(tx: EntityManager, token: string): Promise<LinkHolder | null> {
    const [row] = await queryRows<{ actor_name: string; scopes: string[] }>(
      tx,
      `SELECT actor_name, scopes FROM sign_in_links WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()`,
      [hashToken(token)],
    );
    return row ? { actorName: row.actor_name, scopes: row.scopes } : null;
  }

  /** Uses the link up; of two at the same moment only one gets it. */
  async consume(tx: EntityManager, token: string, from: Origin): Promise<LinkHolder | null> {
    const [row] = await queryRows<{ id: string; actor_name: string; scopes: string[] }>(
      tx,
      `UPDATE sign_in_links SET used_at = now()
       WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now() RETURNING id, actor_name, scopes`,
      [hashToken(token)],
    );
    if (!row) return null;
    const { id, actor_name: actorName, scopes } = row;
    const actor: Actor = { kind: 'admin', id: `admin:${actorName}`, name: actorName, scopes: [], from };
    await this.audit.record(tx, actor, 'sign-in-link.used', { subject: { kind: 'sign-in-link', id } });
    await this.news.tell(tx, { linkId: id, what: 'link-used', actorName });
    return { actorName, scopes };
  }
}
