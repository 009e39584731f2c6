import type { StepPlan } from './step-plan.js';

export interface CutAccount {
  id: string;
  toolId: string;
}

export interface CutTool {
  id: string;
  /** `human`: nothing can be looked up there; every known account becomes a task. */
  kind: 'api' | 'human';
}

/**
 * How a person's access is cut, in a leave as in a loss. Known accounts are cut at once, beside the discovery that finds
 * the rest; the last look waits for both, and what it still finds becomes further steps (`grow-plan.ts`).
 */
export function planCut({
  tools,
  accounts,
}: {
  tools: readonly CutTool[];
  accounts: readonly CutAccount[];
}): StepPlan[] {
  return tools.flatMap((tool) => {
    const cuts = accounts
      .filter((account) => account.toolId === tool.id)
      .map((account): StepPlan => ({
        key: `suspend:${account.id}`,
        act: 'suspend_account',
        toolId: tool.id,
        accountId: account.id,
      }));
    if (tool.kind === 'human') return cuts;
    const discover: StepPlan = { key: `discover:${tool.id}`, act: 'discover', toolId: tool.id };
    const lastLook: StepPlan = {
      key: `final:${tool.id}`,
      act: 'final_look',
      toolId: tool.id,
      needs: [discover.key, ...cuts.map((cut) => cut.key)],
    };
    return [...cuts, discover, lastLook];
  });
}
