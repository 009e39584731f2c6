import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planCut, type CutAccount, type CutTool } from './plan-cut.js';
import { EFFECT_OF } from './step-states.js';

const chat: CutTool = { id: 'chat', kind: 'api' };
const safe: CutTool = { id: 'safe', kind: 'human' };

describe('planCut', () => {
  it('looks at a tool even when no account there is known', () => {
    expect(planCut({ tools: [chat], accounts: [] }).map(({ act }) => act)).toEqual(['discover', 'final_look']);
  });

  it('cuts known accounts at once, beside the discovery, and looks last when both are over', () => {
    const plans = planCut({ tools: [chat], accounts: [{ id: 'a', toolId: 'chat' }] });
    const [cut, discover, lastLook] = plans;
    expect(plans.map(({ act }) => act)).toEqual(['suspend_account', 'discover', 'final_look']);
    expect(cut).toMatchObject({ accountId: 'a', toolId: 'chat' });
    expect(cut?.needs).toBeUndefined();
    expect(discover?.needs).toBeUndefined();
    expect(new Set(lastLook?.needs)).toEqual(new Set([cut?.key, discover?.key]));
  });

  it('makes a known account in a tool without an API a task, and looks for nothing there', () => {
    const plans = planCut({ tools: [safe], accounts: [{ id: 'a', toolId: 'safe' }] });
    expect(plans.map(({ act, accountId }) => [act, accountId])).toEqual([['suspend_account', 'a']]);
    expect(planCut({ tools: [safe], accounts: [] })).toEqual([]);
  });

  it('holds up no tool by another: a step needs steps at its own tool only', () => {
    const tools = [chat, { id: 'mail', kind: 'api' as const }];
    const plans = planCut({
      tools,
      accounts: [
        { id: 'a', toolId: 'chat' },
        { id: 'b', toolId: 'mail' },
      ],
    });
    for (const { toolId, needs = [] } of plans) {
      for (const key of needs) expect(plans.find((plan) => plan.key === key)?.toolId).toBe(toolId);
    }
    expect(plans.filter(({ needs }) => needs)).toHaveLength(2);
  });

  it('cuts each account exactly once, gives nothing, and has a last look wherever one can look', () => {
    const world = fc.uniqueArray(
      fc.record({ id: fc.uuid(), kind: fc.constantFrom('api' as const, 'human' as const) }),
      {
        selector: ({ id }) => id,
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(
        world.chain((tools) =>
          fc.record({
            tools: fc.constant(tools),
            accounts: fc.uniqueArray(
              fc.record({ id: fc.uuid(), toolId: fc.constantFrom(...tools.map(({ id }) => id)) }),
              { selector: ({ id }) => id, maxLength: 10 },
            ),
          }),
        ),
        ({ tools, accounts }: { tools: CutTool[]; accounts: CutAccount[] }) => {
          const plans = planCut({ tools, accounts });
          const cut = plans.filter(({ act }) => act === 'suspend_account').map(({ accountId }) => accountId);
          expect(cut).toHaveLength(accounts.length);
          expect(new Set(cut)).toEqual(new Set(accounts.map(({ id }) => id)));
          expect(plans.some(({ act }) => EFFECT_OF[act] === 'grant')).toBe(false);
          expect(new Set(plans.map(({ key }) => key)).size).toBe(plans.length);
          const looked = plans.filter(({ act }) => act === 'final_look').map(({ toolId }) => toolId);
          expect(looked).toEqual(tools.filter(({ kind }) => kind === 'api').map(({ id }) => id));
        },
      ),
    );
  });
});
