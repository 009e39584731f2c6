import type { Scope } from '../platform/sign-in/actor.js';
import type { Reached } from '../platform/roles/within-reach.js';

/** That something changed: what it is, never what is in it. */
export interface Change {
  kind: ChangeKind;
  id: string;
}

/** What a listener may be told of, and what they need for it: to read the thing, and to reach it. */
export const TOLD = {
  person: { scope: 'people:read', reached: 'person' },
  case: { scope: 'cases:read', reached: 'case' },
  account: { scope: 'accounts:read', reached: 'account' },
  device: { scope: 'devices:read', reached: 'device' },
  tool: { scope: 'tools:read', reached: 'tool' },
  brake: { scope: 'brakes:read', reached: 'brake' },
  approval: { scope: 'approvals:read', reached: 'approval' },
  'loss-report': { scope: 'lost-devices:report', reached: 'loss report' },
} as const satisfies Record<string, { scope: Scope; reached: Reached }>;

export type ChangeKind = keyof typeof TOLD;

/** An audit entry, as far as it says what it is about. */
export interface ToldEntry {
  subjectKind: string | null;
  subjectId: string | null;
  caseId: string | null;
}

const ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** What changed by these entries, each thing once. */
export function changesIn(entries: readonly ToldEntry[]): Change[] {
  const changes = new Map<string, Change>();
  const add = (kind: ChangeKind, id: string): void => void changes.set(`${kind} ${id}`, { kind, id });
  for (const { subjectKind, subjectId, caseId } of entries) {
    if (isTold(subjectKind) && subjectId !== null && ID.test(subjectId)) add(subjectKind, subjectId);
    if (caseId !== null) add('case', caseId);
  }
  return [...changes.values()];
}

function isTold(kind: string | null): kind is ChangeKind {
  return kind !== null && Object.hasOwn(TOLD, kind);
}
