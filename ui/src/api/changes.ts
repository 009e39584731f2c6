import type { Query, QueryKey } from '@tanstack/react-query';

/** As the change feed tells it: what changed, never what is in it. */
export interface Change {
  kind: string;
  id: string;
}

/** What else is to be read again, because it is told of cases: what workers do changes these without a word of its own. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  case: ['account', 'step', 'alert', 'brake', 'hr-event', 'figures'],
  brake: ['approval'],
  approval: ['brake'],
  'loss-report': ['alert'],
};

/** Whether a change makes what was read under this key old. */
export function makesOld(changes: readonly Change[], [kind, form, id]: QueryKey): boolean {
  if (form === 'endless') return false;
  return changes.some(
    (change) =>
      (change.kind === kind && (form === 'list' || id === change.id)) || BESIDE[change.kind]?.includes(String(kind)),
  );
}

/** Of a query, for `invalidateQueries`. */
export function isMadeOldBy(changes: readonly Change[]): (query: Query) => boolean {
  return ({ queryKey }) => makesOld(changes, queryKey);
}

/** @param data of an event: JSON of ours, or whatever a proxy made of it */
export function readChange(data: string): Change | null {
  try {
    const { kind, id } = JSON.parse(data) as Partial<Change>;
    return typeof kind === 'string' && typeof id === 'string' ? { kind, id } : null;
  } catch {
    return null;
  }
}
