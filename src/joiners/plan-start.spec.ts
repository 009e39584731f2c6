import { describe, expect, it } from 'vitest';
import { planStart } from './plan-start.js';

const leaver = { id: 'h1', reason: 'leaver' } as const;
const loss = { id: 'h2', reason: 'lost_device' } as const;

describe('planStart', () => {
  it('is a join for somebody new, and for somebody who works here already', () => {
    const join = { kind: 'joiner', release: [], mayGrant: true };
    expect(planStart({ status: 'expected', holds: [] })).toEqual(join);
    expect(planStart({ status: 'active', holds: [] })).toEqual(join);
  });

  it('is a rehire for somebody who left, and lifts the hold of the leave', () => {
    expect(planStart({ status: 'left', holds: [leaver] })).toEqual({ kind: 'rehire', release: ['h1'], mayGrant: true });
    expect(planStart({ status: 'left', holds: [] })).toEqual({ kind: 'rehire', release: [], mayGrant: true });
  });

  it('lifts no other hold, and gives nothing under one', () => {
    expect(planStart({ status: 'left', holds: [loss, leaver] })).toEqual({
      kind: 'rehire',
      release: ['h1'],
      mayGrant: false,
    });
    expect(planStart({ status: 'expected', holds: [loss] })).toEqual({ kind: 'joiner', release: [], mayGrant: false });
  });
});
