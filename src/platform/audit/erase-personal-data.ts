import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import type { Actor } from '../sign-in/actor.js';
import type { AuditService } from './audit.service.js';

/** Whose, or how old; or of which things, as somebody told them who acted for nobody but themselves. */
export type ErasureWish =
  | { personId: string; caseIds: readonly string[] }
  | { before: Date }
  | { subjectKind: string; subjectIds: readonly string[] };

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
  const { isMeant, parameters } = meantBy(wish);
  const [erased] = await queryRows<Erasure>(
    tx,
    `WITH erased AS (
       DELETE FROM audit_personal_fields f USING audit_entries e WHERE e.id = f.entry_id AND ${isMeant} RETURNING f.entry_id
     ) SELECT count(*)::int AS fields, count(DISTINCT entry_id)::int AS entries FROM erased`,
    parameters,
  );
  if (!erased || erased.fields === 0) return { fields: 0, entries: 0 };
  await audit.record(tx, actor, 'audit.personal-data-erased', {
    ...('personId' in wish && { subject: { kind: 'person', id: wish.personId } }),
    facts: {
      ...erased,
      ...('before' in wish && { before: wish.before.toISOString() }),
      ...('subjectKind' in wish && { subjectKind: wish.subjectKind, subjects: wish.subjectIds.length }),
    },
  });
  return erased;
}

/** From where, and on whose behalf, tells of whoever acted: an erasure about somebody else leaves it. */
const ABOUT_OTHERS = `f.name NOT IN ('address', 'onBehalfOf')`;

/** SQL, of a field `f` of an entry `e`. */
function meantBy(wish: ErasureWish): { isMeant: string; parameters: unknown[] } {
  if ('before' in wish) return { isMeant: 'e.at < $1', parameters: [wish.before] };
  if ('personId' in wish) {
    return {
      isMeant: `((e.subject_kind = 'person' AND e.subject_id = $1) OR e.case_id = ANY($2::uuid[])) AND ${ABOUT_OTHERS}`,
      parameters: [wish.personId, wish.caseIds],
    };
  }
  return {
    isMeant: `e.subject_kind = $1 AND e.subject_id = ANY($2::text[])
      AND (${ABOUT_OTHERS} OR e.actor_id = e.subject_kind || ':' || e.subject_id)`,
    parameters: [wish.subjectKind, wish.subjectIds],
  };
}
