import { expect, it } from 'vitest';
import { capabilitiesOf, methodOf, supports } from './capabilities.js';
import type { ToolSession } from './contract.js';

const connector = { capabilities: { grant: { permission: 'write groups' }, check: { permission: 'read' } } };

it('lists what a connector declares in the contract’s order, with its permissions', () => {
  expect(capabilitiesOf(connector)).toEqual([
    { capability: 'check', permission: 'read' },
    { capability: 'grant', permission: 'write groups' },
  ]);
  expect(supports(connector, 'grant')).toBe(true);
  expect(supports(connector, 'withdraw')).toBe(false);
});

it('answers a method that a session doesn’t have with unsupported', async () => {
  class Session implements ToolSession {
    private readonly name = 'service';
    check = async () => ({ principal: this.name, version: null, missing: [] });
    findAccounts = async () => [];
    getAccount = async () => null;
    close = async () => undefined;
  }
  const session = new Session();
  expect(await methodOf(session, 'check')()).toMatchObject({ principal: 'service' });
  expect(() => methodOf(session, 'grant')).toThrow(expect.objectContaining({ kind: 'unsupported' }));
});
