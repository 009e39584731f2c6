import { describe, expect, it } from 'vitest';
import type { Account, Connector, Tool } from '../api/types.js';
import { willCut } from './look-at-loss.js';

const account = (facts: Partial<Account>): Account =>
  ({ toolId: 'chat', desiredState: 'active', observedState: 'active', liveSessions: 1, ...facts }) as Account;
const tools = [
  { id: 'chat', name: 'Chat', connector: 'scim', state: 'active' },
  { id: 'pay', name: 'Payroll', connector: 'manual', state: 'active' },
  { id: 'code', name: 'Code', connector: 'scim', state: 'paused' },
] as Tool[];
const connectors = [
  { id: 'scim', kind: 'api' },
  { id: 'manual', kind: 'human' },
] as Connector[];

describe('what a loss will cut', () => {
  it('counts what is open, and says what isn’t known', () => {
    const accounts = [
      account({ liveSessions: 2 }),
      account({ toolId: 'pay', liveSessions: null }),
      account({ observedState: 'suspended', desiredState: 'suspended' }),
    ];
    expect(willCut(accounts, tools, connectors)).toMatchObject({
      sessions: 2,
      sessionsUnknown: 1,
      byHand: ['Payroll'],
    });
    expect(willCut(accounts, tools, connectors).accounts).toHaveLength(2);
  });

  it('names tools that wait', () => {
    const accounts = [account({ toolId: 'code' }), account({ toolId: 'code', observedState: 'suspended' })];
    expect(willCut(accounts, tools, connectors).paused).toEqual(['Code']);
  });

  it('counts an account that still works though it should not', () => {
    expect(willCut([account({ desiredState: 'suspended' })], tools, connectors).accounts).toHaveLength(1);
  });
});
