import { expect, it } from 'vitest';
import { z } from 'zod';
import { done } from './act-results.js';
import { chaotic, type Fault } from './chaos.js';
import type { CallContext, Connector, ToolSession } from './contract.js';
import { callWithin } from './deadline.js';

const ref = { externalId: '1', username: 'ada' };

/** A connector that counts what reached the tool. */
function countingConnector() {
  const reached: string[] = [];
  const base = {
    id: 'fake',
    title: 'Fake',
    kind: 'api',
    settings: z.unknown(),
    secrets: {},
    capabilities: {},
  } as const;
  const session: ToolSession = {
    check: async () => ({ principal: 'service', version: null, missing: [] }),
    findAccounts: async () => [],
    getAccount: async () => (reached.push('look'), null),
    suspendAccount: async () => (reached.push('suspend'), done(null)),
    close: async () => undefined,
  };
  const connector: Connector = { ...base, open: async () => session };
  return { connector, reached };
}

async function openWith(fault: Fault, call: Partial<CallContext> = {}) {
  const { connector, reached } = countingConnector();
  const wrapped = chaotic(connector, ({ before }) => (before === 0 ? fault : undefined));
  const context = {
    ...callWithin(60_000),
    ...call,
  };
  return {
    session: await wrapped.open({ settings: {}, secrets: {}, allowPrivateAddresses: false, call: context }),
    reached,
  };
}

it('loses the answer of an act that was executed', async () => {
  const { session, reached } = await openWith({ fault: 'executed-but-timed-out' });
  await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
  expect(reached).toEqual(['suspend']);
  await expect(session.suspendAccount?.(ref)).resolves.toMatchObject({ outcome: 'done' });
});

it('makes a lost look transient, since asking again is harmless', async () => {
  const { session } = await openWith({ fault: 'executed-but-timed-out' });
  await expect(session.getAccount(ref)).rejects.toMatchObject({ kind: 'transient' });
});

it('answers with 500 without executing', async () => {
  const { session, reached } = await openWith({ fault: 'server-error' });
  await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
  expect(reached).toEqual([]);
});

it.each([undefined, new Date('2030-01-01T00:00:00Z')])('limits the rate until %s', async (resetAt) => {
  const { session, reached } = await openWith({ fault: 'rate-limited', resetAt });
  await expect(session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'rate-limited', resetAt });
  expect(reached).toEqual([]);
});

it('is slow within the deadline, and too late past it', async () => {
  const inTime = await openWith({ fault: 'slow', ms: 5 });
  await expect(inTime.session.suspendAccount?.(ref)).resolves.toMatchObject({ outcome: 'done' });
  const late = await openWith({ fault: 'slow', ms: 5_000 }, { deadline: new Date(Date.now() + 10) });
  await expect(late.session.suspendAccount?.(ref)).rejects.toMatchObject({ kind: 'ambiguous' });
  expect(late.reached).toEqual(['suspend']);
});

it('hangs on a half-open connection until the call is aborted', async () => {
  const aborting = new AbortController();
  const { session, reached } = await openWith({ fault: 'half-open' }, { signal: aborting.signal });
  const suspending = session.suspendAccount?.(ref);
  aborting.abort();
  await expect(suspending).rejects.toMatchObject({ kind: 'ambiguous' });
  expect(reached).toEqual([]);
});

it('claims a success that isn’t', async () => {
  const { session, reached } = await openWith({ fault: 'success-that-is-not' });
  await expect(session.suspendAccount?.(ref)).resolves.toMatchObject({ outcome: 'done' });
  expect(reached).toEqual([]);
});
