import { describe, expect, it } from 'vitest';
import type { OutstandingReturn } from '../devices/returns/return-records.service.js';
import { chaseReturn } from './chase-return.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * 86_400_000);

const chase = (with_: Partial<OutstandingReturn>): string[] => {
  const { level, severity, owner } = chaseReturn(
    {
      id: 'r',
      state: 'asked',
      assetTag: 'QM-1',
      askedAt: daysAgo(3),
      receivedAt: null,
      personName: 'Ada Example',
      email: 'ada@acme.example',
      hasLeft: false,
      ...with_,
    },
    NOW,
  );
  return [level, severity, owner];
};

describe('a return that isn’t over', () => {
  it('is told to the person, then to IT, then along the escalation list', () => {
    expect(chase({})).toEqual(['remind', 'warning', 'ada@acme.example']);
    expect(chase({ askedAt: daysAgo(6.9) })).toEqual(['remind', 'warning', 'ada@acme.example']);
    expect(chase({ askedAt: daysAgo(7) })).toEqual(['ask_it', 'warning', 'it-admins']);
    expect(chase({ askedAt: daysAgo(14), state: 'sent' })).toEqual(['escalate', 'error', 'it-admins']);
  });

  it('of somebody who has left is told to IT from the start', () => {
    expect(chase({ hasLeft: true })).toEqual(['ask_it', 'warning', 'it-admins']);
  });

  it('that lies there uninspected is IT’s, and the person is left alone', () => {
    expect(chase({ state: 'received', askedAt: daysAgo(40), receivedAt: daysAgo(3) })).toEqual([
      'ask_it',
      'warning',
      'it-admins',
    ]);
  });
});
