import { describe, expect, it } from 'vitest';
import { purposeOfFound } from '../accounts/doubtful.js';
import { planReset } from './plan-reset.js';

const account = {
  id: 'a',
  toolId: 'tool',
  kind: 'person',
  purpose: 'primary',
  externalId: 'ext',
  observedState: 'active',
} as const;

describe('planReset', () => {
  it('resets each account of the person, one step each', () => {
    expect(planReset([account, { ...account, id: 'b', toolId: 'other' }])).toEqual([
      { key: 'reset:a', act: 'reset_credentials', toolId: 'tool', accountId: 'a' },
      { key: 'reset:b', act: 'reset_credentials', toolId: 'other', accountId: 'b' },
    ]);
  });

  it('resets a suspended one, too, and restores nothing by it', () => {
    expect(planReset([{ ...account, observedState: 'suspended' }]).map(({ act }) => act)).toEqual([
      'reset_credentials',
    ]);
  });

  it.each([
    ['is not a person’s own', { kind: 'service' }],
    ['is shared', { kind: 'shared' }],
    ['may be somebody else’s', { purpose: purposeOfFound('ext', false) }],
    ['was never seen at the tool', { externalId: null, observedState: 'unknown' }],
    ['is gone', { observedState: 'absent' }],
  ] as const)('leaves out one that %s', (_what, with_) => {
    expect(planReset([account])).toHaveLength(1);
    expect(planReset([{ ...account, ...with_ }])).toEqual([]);
  });
});
