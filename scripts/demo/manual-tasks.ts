import { z } from 'zod';
import type { CaseSeen, StepSeen } from './api-shapes.js';
import { followCase } from './follow-case.js';
import type { Stage } from './stage.js';

/** The admin does what waits for a person, one task after the other, until the case is closed. */
export async function doManualTasks(stage: Stage, seen: CaseSeen, note: string): Promise<CaseSeen> {
  let now = seen;
  for (let task = openTask(now); task; task = openTask(now)) {
    await stage.admin.post(`/v1/steps/${task.id}/complete`, { note }, z.unknown());
    now = await followCase(stage, seen.id, now);
  }
  stage.report.prove(
    'the case is closed: every step confirmed by its tool, or attested by a named person',
    isClosed(now),
    {
      state: now.state,
      open: now.steps.filter(({ state }) => state !== 'done').map(({ act, state }) => `${act} ${state}`),
    },
  );
  return now;
}

export function openTask({ steps }: CaseSeen): StepSeen | undefined {
  return steps.find(({ state }) => state === 'needs_human');
}

function isClosed({ state, steps }: CaseSeen): boolean {
  return state === 'closed' && steps.length > 0 && steps.every((step) => step.state === 'done');
}
