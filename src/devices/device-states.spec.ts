import { describe, expect, it } from 'vitest';
import { DEVICE_STATES, mayBecome, refuseUnless } from './device-states.js';

describe('a device’s states', () => {
  it('allow exactly these moves', () => {
    const moves = DEVICE_STATES.flatMap((from) =>
      DEVICE_STATES.filter((to) => mayBecome(from, to)).map((to) => `${from} → ${to}`),
    );
    expect(moves).toEqual([
      'in_stock → assigned',
      'in_stock → lost',
      'in_stock → in_repair',
      'in_stock → retired',
      'assigned → in_stock',
      'assigned → lost',
      'assigned → in_repair',
      'lost → in_stock',
      'lost → retired',
      'in_repair → in_stock',
      'in_repair → lost',
      'in_repair → retired',
    ]);
  });

  it('refuse any other in words', () => {
    expect(() => refuseUnless('retired', 'assigned')).toThrow('A device that is retired can’t become assigned.');
    expect(() => refuseUnless('lost', 'in_repair')).toThrow('A device that is lost can’t become in repair.');
  });
});
