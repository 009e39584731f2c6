import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { proveEntries, type ProvedEntries } from '../platform/audit/prove-entry.js';
import { Problem } from '../platform/errors/problem.js';

export interface AuditFilter {
  caseId?: string | undefined;
  subjectId?: string | undefined;
}

/** Reads the audit log for the door; whoever gets to it sees everything that stands in it. */
@Injectable()
export class AuditLogReader {
  constructor(private readonly db: DataSource) {}

  /** Newest first. @param page.before only what was recorded before this id */
  async list(filter: AuditFilter, page: { before: string | null; limit: number }): Promise<AuditEntry[]> {
    const query = this.db.manager.createQueryBuilder(AuditEntry, 'e').orderBy('e.id', 'DESC').limit(page.limit);
    if (page.before) query.andWhere('e.id < :before', { before: page.before });
    if (filter.caseId) query.andWhere('e.case_id = :caseId', { caseId: filter.caseId });
    if (filter.subjectId) query.andWhere('e.subject_id = :subjectId', { subjectId: filter.subjectId });
    return query.getMany();
  }

  /** @throws Problem `not-found`; `conflict` while it isn't sealed */
  async prove(id: string): Promise<{ key: string; checkpoint: string; entry: ProvedEntries['entries'][number] }> {
    const { key, checkpoint, entries, unsealed } = await proveEntries(this.db, 'id = $1', id);
    const [entry] = entries;
    if (entry) return { key, checkpoint, entry };
    if (unsealed.length > 0) throw new Problem('conflict', 'The entry isn’t sealed yet: ask again in a second.');
    throw new Problem('not-found', 'There is no audit entry with this id, or it was dropped after its time.');
  }
}
