import type { Mark } from '../../connectors/kit/contract.js';

/** What is written to the tool with a create, so that one whose outcome was lost can be found again. */
export function markOf(personId: string, purpose: string): Mark {
  return `qm:${personId}:${purpose}`;
}

/** Whose a mark is; null: it isn't one of ours. */
export function readMark(mark: Mark | null): { personId: string; purpose: string } | null {
  const parts = /^qm:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(.+)$/.exec(mark ?? '');
  const [, personId, purpose] = parts ?? [];
  return personId && purpose ? { personId, purpose } : null;
}
