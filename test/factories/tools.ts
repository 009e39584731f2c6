import type { EntityManager } from 'typeorm';
import { newId } from '../../src/platform/ids/new-id.js';
import { divideLimits, DEFAULT_LIMITS, type ToolLimits } from '../../src/tools/tool-budgets.js';
import { ToolBudget } from '../../src/tools/tool-budget.entity.js';
import { Tool } from '../../src/tools/tool.entity.js';

/** An active test tool without secrets, with the default budgets unless limits are given. */
export async function aTool(
  tx: EntityManager,
  with_: Partial<Tool> = {},
  limits: ToolLimits = DEFAULT_LIMITS,
): Promise<Tool> {
  const id = with_.id ?? newId();
  const { settings = { usernameFrom: 'local-part', connector: {} }, ...rest } = with_;
  const key = `tool-${id.slice(-12)}`;
  await tx.insert(Tool, {
    key,
    name: `The tool ${key}`,
    connector: 'fake',
    environment: 'test',
    secretIds: { ids: {}, savedFor: null },
    owners: ['owner@acme.example'],
    ...rest,
    id,
    // TypeORM's partial types can't express `unknown` inside a JSON column.
    settings: settings as object,
  });
  for (const budget of divideLimits(limits))
    await tx.insert(ToolBudget, { ...budget, toolId: id, allowance: budget.burst });
  return tx.findOneByOrFail(Tool, { id });
}
