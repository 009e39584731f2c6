import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '../sign-in/actor.js';
import {
  auditStatement,
  auditStatementOfMany,
  type AuditRecord,
  type ImpersonalRecord,
  type SqlStatement,
} from './audit-statement.js';

/** Writes the audit log, always in the transaction of what it tells about: neither is there without the other. */
@Injectable()
export class AuditService {
  /** @param action What was done, as `noun.verb-in-the-past`: `token.created`. */
  async record(tx: EntityManager, actor: Actor, action: string, entry: AuditRecord): Promise<void> {
    const { sql, parameters } = auditStatement(actor, action, entry);
    await tx.query(sql, parameters);
  }

  /** A change and its entry in one statement, for paths that many events take. */
  async recordChange(
    tx: EntityManager,
    change: SqlStatement,
    actor: Actor,
    action: string,
    entry: AuditRecord,
  ): Promise<void> {
    const { sql, parameters } = auditStatement(actor, action, entry, change);
    await tx.query(sql, parameters);
  }

  /** The same of many things at once, in one statement; for entries without personal data. */
  async recordAll(
    tx: EntityManager,
    actor: Actor,
    action: string,
    entries: readonly ImpersonalRecord[],
  ): Promise<void> {
    if (entries.length === 0) return;
    // What a person asked for is little, and tells their address; the engine's own is much, and has none.
    if (actor.from?.address !== undefined || actor.from?.onBehalfOf !== undefined) {
      for (const entry of entries) await this.record(tx, actor, action, entry);
      return;
    }
    const { sql, parameters } = auditStatementOfMany(actor, action, entries);
    await tx.query(sql, parameters);
  }
}
