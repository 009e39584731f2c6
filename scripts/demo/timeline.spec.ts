import { expect, it } from 'vitest';
import type { StepSeen } from './api-shapes.js';
import { outOfOrder } from './timeline.js';

const suspension = (times: Partial<StepSeen>): StepSeen => ({
  id: '0198a000-0000-7000-8000-000000000001',
  toolId: '0198a000-0000-7000-8000-000000000002',
  toolName: 'Chat',
  accountId: null,
  act: 'suspend_account',
  state: 'done',
  lane: 'emergency',
  requestedAt: '2026-03-29T01:00:00.000Z',
  sentAt: '2026-03-29T01:00:00.020Z',
  confirmedAt: '2026-03-29T01:00:00.090Z',
  residualUntil: null,
  reason: null,
  owner: null,
  deadline: null,
  attemptsMade: [],
  ...times,
});

it('finds each account that was not requested, then sent, then confirmed', () => {
  const fine = suspension({});
  const unconfirmed = suspension({ confirmedAt: null });
  const neverSent = suspension({ sentAt: null });
  const backwards = suspension({ confirmedAt: '2026-03-29T01:00:00.010Z' });
  expect(outOfOrder([fine, unconfirmed, neverSent, backwards])).toEqual([unconfirmed, neverSent, backwards]);
});
