import { describe, expect, it } from 'vitest';
import { DEVICE_STATES, mayBecome, refuseUnless } from './device-states.js';

describe('a device’s states', () => {
  it('allow exactly these moves', () => {
    const moves = DEVICE_STATES.map(
      (from) => `${from} → ${DEVICE_STATES.filter((to) => mayBecome(from, to)).join(', ') || 'nothing'}`,
    );
    expect(moves).toEqual([
      'ordered → in_stock, retired',
      'in_stock → reserved, assigned, in_repair, lost, retired',
      'reserved → in_stock, assigned, in_repair, lost',
      'assigned → in_stock, in_repair, lost',
      'in_repair → in_stock, lost, retired',
      'lost → in_stock, stolen, found, retired',
      'stolen → found, retired',
      'found → in_stock, in_repair, lost, retired',
      'retired → disposed',
      'disposed → nothing',
    ]);
  });

  it('refuse any other in words', () => {
    expect(() => refuseUnless('retired', 'assigned')).toThrow('A device that is retired can’t become assigned.');
    expect(() => refuseUnless('lost', 'in_repair')).toThrow('A device that is lost can’t become in repair.');
  });
});
