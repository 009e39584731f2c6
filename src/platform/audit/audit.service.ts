import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '../sign-in/actor.js';
import { auditStatement, type AuditRecord } from './audit-statement.js';

/** Writes the audit log, always in the transaction of what it tells about: neither is there without the other. */
@Injectable()
export class AuditService {
  /** @param action What was done, as `noun.verb-in-the-past`: `token.created`. */
  async record(tx: EntityManager, actor: Actor, action: string, entry: AuditRecord): Promise<void> {
    const { sql, parameters } = auditStatement(actor, action, entry);
    await tx.query(sql, parameters);
  }
}
