import canonicalize from 'canonicalize';

/** What of an entry is sealed: all of it but the personal fields, of which it holds commitments. */
export interface LeafRow {
  id: string;
  /** In UTC with microseconds, as PostgreSQL keeps it. */
  at: string;
  action: string;
  actorKind: string;
  actorId: string;
  subjectKind: string | null;
  subjectId: string | null;
  caseId: string | null;
  stepId: string | null;
  facts: Record<string, unknown>;
  commitments: Record<string, string>;
  context: AuditContext | null;
  /** Which form was sealed; null is 1, which knows no context. */
  leafVersion: number | null;
}

/** What surrounds an act; nothing in it names a person. */
export interface AuditContext {
  via?: string | undefined;
  requestId?: string | undefined;
  /** Of an HR system; a person's is a personal field. */
  address?: string | undefined;
  approvalId?: string | undefined;
  /** What changed, by the same names in both. */
  before?: Record<string, unknown> | undefined;
  after?: Record<string, unknown> | undefined;
}

/** The action of the entry that tells from which place on entries are kept: `facts.keptFrom`. */
export const ENTRIES_DROPPED = 'audit.entries-dropped';

/** The form in which new entries are sealed. */
export const LEAF_VERSION = 2;

/** The columns of `audit_entries` that make a `LeafRow`, for a SELECT. */
export const LEAF_COLUMNS = `
  id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, action, actor_kind AS "actorKind",
  actor_id AS "actorId", subject_kind AS "subjectKind", subject_id AS "subjectId", case_id AS "caseId", step_id AS "stepId",
  facts, commitments, context, leaf_version AS "leafVersion"`;

/**
 * The leaf's data: JSON in the canonical form of RFC 8785, so that the same entry gives the same bytes wherever it is
 * written down.
 */
export function leafText(entry: object): string {
  const text = canonicalize(entry);
  if (text === undefined) throw new Error('an audit entry has no canonical form');
  return text;
}

export function leafOf({ id, at, action, facts, commitments, ...row }: LeafRow): object {
  const version = row.leafVersion ?? 1;
  return {
    version,
    id,
    at,
    action,
    actor: { kind: row.actorKind, id: row.actorId },
    subject: row.subjectKind === null ? null : { kind: row.subjectKind, id: row.subjectId },
    caseId: row.caseId,
    stepId: row.stepId,
    facts,
    commitments,
    ...(version > 1 && { context: row.context }),
  };
}
