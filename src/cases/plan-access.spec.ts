import { describe, expect, it } from 'vitest';
import { planAccess, type WantedAccount } from './plan-access.js';
import type { StepPlan } from './step-plan.js';

function wanted(with_: Partial<WantedAccount> = {}): WantedAccount {
  return {
    id: 'account',
    toolId: 'tool',
    observed: 'active',
    externalId: 'ext',
    mustRotate: false,
    grants: [],
    unfinishedRevocations: [],
    grantsInTheAir: [],
    ...with_,
  };
}

const engineers = { id: 'g1', kind: 'group', name: 'engineers' } as const;
const acts = (plans: readonly StepPlan[]) => plans.map(({ act }) => act);

describe('an account that the policy wants', () => {
  it('needs nothing while it is active with all its grants', () => {
    expect(planAccess({ wanted: [wanted({ grants: [{ ...engineers, observed: 'present' }] })] })).toEqual([]);
  });

  it.each([
    ['was never seen', { observed: 'unknown', externalId: null }],
    ['is gone', { observed: 'absent', externalId: 'ext' }],
  ] as const)('is made when it %s, and gets every grant after that, seen before or not', (_when, seen) => {
    const plans = planAccess({
      wanted: [
        wanted({
          ...seen,
          grants: [
            { ...engineers, observed: 'present' },
            { ...engineers, id: 'g2', name: 'everyone', observed: 'unknown' },
          ],
        }),
      ],
    });
    expect(acts(plans)).toEqual(['create_account', 'grant', 'grant']);
    expect(plans[1]).toMatchObject({
      grantId: 'g1',
      grant: { kind: 'group', name: 'engineers' },
      needs: [plans[0]?.key],
    });
    expect(plans[2]?.needs).toEqual([plans[0]?.key]);
  });

  it.each([
    ['is suspended', { observed: 'suspended' }],
    ['was suspended by us since its credentials were last new, though it looks active', { mustRotate: true }],
  ] as const)('gets new credentials first and is restored after, when it %s', (_when, seen) => {
    const [reset, restore, ...rest] = planAccess({ wanted: [wanted(seen)] });
    expect(reset?.act).toBe('reset_credentials');
    expect(restore).toMatchObject({ act: 'restore_account', needs: [reset?.key] });
    expect(rest).toEqual([]);
  });

  it('is not made beside a create that may be on its way already (I2)', () => {
    const account = wanted({ externalId: null, observed: 'unknown', grantsInTheAir: ['create'], grants: [] });
    expect(planAccess({ wanted: [account] })).toMatchObject([{ act: 'create_account', needsSteps: ['create'] }]);
  });

  it('gets its grants only when it is restored', () => {
    const plans = planAccess({
      wanted: [wanted({ observed: 'suspended', grants: [{ ...engineers, observed: 'absent' }] })],
    });
    expect(acts(plans)).toEqual(['reset_credentials', 'restore_account', 'grant']);
    expect(plans[2]?.needs).toEqual([plans[1]?.key]);
  });

  it.each([
    ['created', { observed: 'absent' }],
    ['rotated and restored', { observed: 'suspended' }],
  ] as const)('is %s only after every revocation that is still under way', (_what, seen) => {
    const [first] = planAccess({ wanted: [wanted({ ...seen, unfinishedRevocations: ['r1', 'r2'] })] });
    expect(first?.needsSteps).toEqual(['r1', 'r2']);
  });

  it('gets only the grants that were not seen present', () => {
    const plans = planAccess({
      wanted: [
        wanted({
          grants: [
            { ...engineers, observed: 'present' },
            { ...engineers, id: 'g2', name: 'everyone', observed: 'absent' },
            { ...engineers, id: 'g3', name: 'berlin', observed: 'unknown' },
          ],
        }),
      ],
    });
    expect(plans.map(({ act, grantId }) => [act, grantId])).toEqual([
      ['grant', 'g2'],
      ['grant', 'g3'],
    ]);
  });

  it('gets a grant anew that was seen present while a revocation may yet take it away, and after that one', () => {
    const plans = planAccess({
      wanted: [wanted({ grants: [{ ...engineers, observed: 'present' }], unfinishedRevocations: ['withdrawal'] })],
    });
    expect(acts(plans)).toEqual(['grant']);
    expect(plans[0]?.needsSteps).toEqual(['withdrawal']);
  });
});

describe('what the policy does not want any more', () => {
  it('is taken away without waiting for what is given', () => {
    const plans = planAccess({
      wanted: [wanted({ id: 'new', observed: 'absent' })],
      unwanted: [{ id: 'old', toolId: 'chat', grantsInTheAir: [] }],
      unwantedGrants: [{ ...engineers, accountId: 'kept', toolId: 'mail', grantsInTheAir: [] }],
    });
    const taken = plans.filter(({ act }) => act !== 'create_account');
    expect(taken).toEqual([
      expect.objectContaining({
        act: 'withdraw',
        accountId: 'kept',
        toolId: 'mail',
        grantId: 'g1',
        grant: { kind: 'group', name: 'engineers' },
      }),
      expect.objectContaining({ act: 'suspend_account', accountId: 'old', toolId: 'chat' }),
    ]);
    for (const plan of taken) expect([...(plan.needs ?? []), ...(plan.needsSteps ?? [])]).toEqual([]);
  });

  it('is taken away after what may be on its way already, so that nothing lands behind it', () => {
    const plans = planAccess({
      wanted: [],
      unwanted: [{ id: 'old', toolId: 'chat', grantsInTheAir: ['create'] }],
      unwantedGrants: [{ ...engineers, accountId: 'kept', toolId: 'mail', grantsInTheAir: ['grant'] }],
    });
    expect(plans.map(({ needsSteps }) => needsSteps)).toEqual([['grant'], ['create']]);
  });
});
