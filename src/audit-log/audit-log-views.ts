import { z } from 'zod';
import type { AuditEntry } from '../platform/audit/audit-entry.entity.js';

export const EntriesQueryFilters = {
  caseId: z.uuid().optional(),
  subjectId: z.string().max(200).optional().describe('Of whom or what it is about.'),
};

export const EntryView = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  action: z.string().describe('As `noun.verb-in-the-past`.'),
  actorKind: z.string(),
  actorId: z.string(),
  subjectKind: z.string().nullable(),
  subjectId: z.string().nullable(),
  caseId: z.uuid().nullable(),
  facts: z.record(z.string(), z.unknown()).describe('Without personal data, of which the log holds commitments only.'),
  index: z.int().nullable().describe('Its place in the log; null until it is sealed.'),
});

export function entryView(entry: AuditEntry): z.infer<typeof EntryView> {
  const { id, action, actorKind, actorId, subjectKind, subjectId, caseId, facts } = entry;
  const at = entry.at.toISOString();
  return { id, at, action, actorKind, actorId, subjectKind, subjectId, caseId, facts, index: entry.leafIndex };
}
