import type { GrantRef } from '../../connectors/kit/contract.js';
import type { StepAct } from './step-states.js';

/** One step as a planner wants it; the case service gives it an id, a lane and a state. */
export interface StepPlan {
  /** Unique within the plan; other steps name it in `needs`. */
  key: string;
  act: StepAct;
  toolId: string;
  accountId?: string;
  grantId?: string;
  grant?: GrantRef;
  /** What the tool knows the device by whose credentials end. */
  device?: string;
  /** Keys of steps of the same plan that must be done first. */
  needs?: readonly string[];
  /** Steps of other cases that must be done first: a restore waits for every revocation still under way. */
  needsSteps?: readonly string[];
}
