import { expect, it } from 'vitest';
import type { ToolSession } from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { manualConnector } from './connector.js';
import { MANUAL_ACTS } from './manifest.js';

const ref = { externalId: 'ada', username: 'ada' };
const email = 'ada@corp.example';
const holder = { personId: 'p1', givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace', email };

async function open(
  settings: Partial<{ toolName: string; adminUrl: string; notes: string }> = {},
): Promise<ToolSession> {
  const call = callWithin(1000);
  const named = { toolName: 'Franking machine', adminUrl: 'https://franking.example/admin', notes: 'Key: reception.' };
  return manualConnector.open({ settings: { ...named, ...settings }, secrets: {}, allowPrivateAddresses: false, call });
}

it('answers every act with a task that says what, for whom, where and what to leave as evidence', async () => {
  const session = await open();
  const acts = {
    createAccount: () => session.createAccount?.({ mark: 'm', username: 'ada', holder, password: 'never-shown' }),
    suspendAccount: () => session.suspendAccount?.(ref),
    restoreAccount: () => session.restoreAccount?.(ref),
    removeAccount: () => session.removeAccount?.(ref),
    resetCredentials: () => session.resetCredentials?.(ref, 'never-shown'),
    revokeAccess: () => session.revokeAccess?.(ref),
    revokeDevice: () => session.revokeDevice?.(ref, 'laptop-7'),
    grant: () => session.grant?.(ref, { kind: 'role', name: 'operator' }),
    withdraw: () => session.withdraw?.(ref, { kind: 'role', name: 'operator' }),
  };
  expect(Object.keys(acts)).toEqual([...MANUAL_ACTS]);
  for (const act of Object.values(acts)) {
    const result = await act();
    if (result?.outcome !== 'action-required') throw new Error(`answered ${result?.outcome}`);
    expect(result.instructions).toMatch(/^In Franking machine \(https:\/\/franking\.example\/admin\):\n.*“ada”.*/);
    expect(result.instructions).toMatch(/Leave as evidence: .+\.\nNotes: Key: reception\.$/);
    expect(result.instructions).not.toContain('never-shown');
  }
});

it('names the corporate address for a new account', async () => {
  const session = await open();
  const result = await session.createAccount?.({ mark: 'm', username: 'ada', holder, password: 'never-shown' });
  expect(result).toMatchObject({ instructions: expect.stringContaining('on ada@corp.example, and on no other') });
});

it('never claims to have looked', async () => {
  const session = await open();
  await expect(session.getAccount(ref)).rejects.toMatchObject({ kind: 'unsupported' });
  await expect(session.findAccounts({ mark: 'm', username: 'ada', email })).rejects.toMatchObject({
    kind: 'unsupported',
  });
});

it('refuses settings without the tool’s name', async () => {
  await expect(open({ toolName: '' })).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining('toolName'),
  });
});
