import type { HeldStep } from '../cases/held-steps.service.js';
import type { StepPlan } from '../cases/step-plan.js';

/** What of a new plan of the same cut isn't in the case yet: accounts and tools that came after it was planned. */
export function missingSteps(plan: readonly StepPlan[], there: readonly HeldStep[]): StepPlan[] {
  const missing = plan.filter((wanted) => !there.some((step) => isSame(step, wanted)));
  const keys = new Set(missing.map(({ key }) => key));
  return missing.map(({ needs, ...step }) => ({
    ...step,
    ...(needs && { needs: needs.filter((needed) => keys.has(needed)) }),
  }));
}

function isSame(one: HeldStep, other: HeldStep): boolean {
  return one.act === other.act && one.toolId === other.toolId && one.accountId === other.accountId;
}
