import { expect, it } from 'vitest';
import { planDeviceCut } from './plan-device-cut.js';

const account = (id: string, with_: object = {}) => {
  return {
    id,
    toolId: `tool-${id}`,
    purpose: 'primary',
    kind: 'person',
    externalId: id,
    observedState: 'active',
    ...with_,
  } as const;
};

it('ends one device’s credentials where it has its own, and gives new ones elsewhere', () => {
  const names = new Map([['b', ['C02XL', 'MBP-0192']]]);
  const device = { act: 'revoke_device', toolId: 'tool-b', accountId: 'b' };
  expect(planDeviceCut([account('a'), account('b')], names)).toEqual([
    { key: 'reset:a', act: 'reset_credentials', toolId: 'tool-a', accountId: 'a' },
    { key: 'device:b:C02XL', ...device, device: 'C02XL' },
    { key: 'device:b:MBP-0192', ...device, device: 'MBP-0192' },
  ]);
});

it('leaves nothing out that can sign in, and touches nothing that isn’t proven theirs', () => {
  const accounts = [
    account('suspended', { observedState: 'suspended' }),
    account('gone', { observedState: 'absent' }),
    account('unseen', { externalId: null }),
    account('doubtful', { purpose: 'doubtful:7' }),
    account('robot', { kind: 'service' }),
  ];
  expect(planDeviceCut(accounts, new Map()).map(({ accountId }) => accountId)).toEqual(['suspended']);
});
