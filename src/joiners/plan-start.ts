import type { HoldReason } from '../cases/step-states.js';
import type { PersonStatus } from '../people/person.entity.js';

/** What a start of employment is, and what it may lift: only its own counterpart, the hold of a leave. */
export function planStart({
  status,
  holds,
}: {
  status: PersonStatus;
  holds: readonly { id: string; reason: HoldReason }[];
}): { kind: 'joiner' | 'rehire'; release: string[]; mayGrant: boolean } {
  const release = holds.filter(({ reason }) => reason === 'leaver').map(({ id }) => id);
  return {
    kind: status === 'left' || release.length > 0 ? 'rehire' : 'joiner',
    release,
    mayGrant: release.length === holds.length,
  };
}
