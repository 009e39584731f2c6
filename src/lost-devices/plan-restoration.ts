import type { HoldReason } from '../cases/step-states.js';
import type { PersonStatus } from '../people/person.entity.js';

interface StandingHold {
  id: string;
  reason: HoldReason;
  caseId: string;
}

/** What giving access back after a loss lifts: this loss's own hold and no other. Access is given when none is left. */
export function planRestoration<Hold extends StandingHold>(input: {
  lossCaseId: string;
  status: PersonStatus;
  holds: readonly Hold[];
}): { release: Hold[]; stillHeld: HoldReason[]; mayGrant: boolean } {
  const release = input.holds.filter(({ caseId }) => caseId === input.lossCaseId);
  const others = input.holds.filter((hold) => !release.includes(hold));
  return {
    release,
    stillHeld: others.map(({ reason }) => reason),
    mayGrant: others.length === 0 && input.status === 'active',
  };
}
