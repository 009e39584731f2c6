import type { Lane, StepEffect } from './step-states.js';

const MINUTE = 60_000;
const TEAM = 'it-admins';

/** Who has to act: the tool's first owner who isn't the person the case is about; the team when there is no other. */
export function chooseOwner(owners: readonly string[], subjectEmail: string): string {
  return owners.find((owner) => owner.toLowerCase() !== subjectEmail.toLowerCase()) ?? TEAM;
}

/** By when, in milliseconds from now. A deadline runs on while a tool is paused. */
export function dutyTime(lane: Lane, effect: StepEffect): number {
  if (lane === 'emergency') return 30 * MINUTE;
  return effect === 'grant' ? 24 * 60 * MINUTE : 4 * 60 * MINUTE;
}
