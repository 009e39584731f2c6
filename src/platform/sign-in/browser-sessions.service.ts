import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import type { Actor } from './actor.js';
import { knownScopes } from './scopes.js';
import { hashToken, newSecretToken } from './secret-token.js';
import type { LinkHolder } from './sign-in-links.service.js';

export const SESSION_HOURS = 12;

@Injectable()
export class BrowserSessions {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
  ) {}

  /** @returns the token for the cookie. */
  async start(tx: EntityManager, holder: LinkHolder): Promise<string> {
    const id = newId();
    const token = newSecretToken();
    await tx.query(
      `INSERT INTO browser_sessions (id, token_hash, actor_name, scopes, expires_at)
       VALUES ($1, $2, $3, $4, now() + make_interval(hours => $5))`,
      [id, hashToken(token), holder.actorName, holder.scopes, SESSION_HOURS],
    );
    await this.audit.record(tx, adminNamed(holder.actorName, holder.scopes), 'browser-session.started', {
      subject: { kind: 'browser-session', id },
    });
    return token;
  }

  async actorOf(token: string): Promise<Actor | null> {
    const [row] = await queryRows<{ actor_name: string; scopes: string[] }>(
      this.db,
      `SELECT actor_name, scopes FROM browser_sessions
       WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > now()`,
      [hashToken(token)],
    );
    return row ? adminNamed(row.actor_name, row.scopes) : null;
  }
}

function adminNamed(name: string, scopes: readonly string[]): Actor {
  return { kind: 'admin', id: `admin:${name}`, name, scopes: knownScopes(scopes) };
}
