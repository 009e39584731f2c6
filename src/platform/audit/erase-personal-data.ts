import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import type { Actor } from '../sign-in/actor.js';
import type { AuditService } from './audit.service.js';

/** Whose, or how old. */
export type ErasureWish = { personId: string; caseIds: readonly string[] } | { before: Date };

export interface Erasure {
  fields: number;
  entries: number;
}

/**
 * Erases what entries say about people. The entries stay, with their salted commitments, and so do all proofs: nothing
 * that is sealed is touched. That it was done is an entry of its own.
 */
export async function erasePersonalData(
  tx: EntityManager,
  audit: AuditService,
  actor: Actor,
  wish: ErasureWish,
): Promise<Erasure> {
  // From where, and on whose behalf, tells of whoever acted: an erasure about somebody else leaves it.
  const isMeant =
    'before' in wish
      ? 'e.at < $1'
      : `((e.subject_kind = 'person' AND e.subject_id = $1) OR e.case_id = ANY($2::uuid[]))
         AND f.name NOT IN ('address', 'onBehalfOf')`;
  const [erased] = await queryRows<Erasure>(
    tx,
    `WITH erased AS (
       DELETE FROM audit_personal_fields f USING audit_entries e WHERE e.id = f.entry_id AND ${isMeant} RETURNING f.entry_id
     ) SELECT count(*)::int AS fields, count(DISTINCT entry_id)::int AS entries FROM erased`,
    'before' in wish ? [wish.before] : [wish.personId, wish.caseIds],
  );
  if (!erased || erased.fields === 0) return { fields: 0, entries: 0 };
  await audit.record(tx, actor, 'audit.personal-data-erased', {
    ...('personId' in wish && { subject: { kind: 'person', id: wish.personId } }),
    facts: { ...erased, ...('before' in wish && { before: wish.before.toISOString() }) },
  });
  return erased;
}
