import { describe, expect, it } from 'vitest';
import type { Device } from '../../api/types.js';
import { BULK_STATES, previewMove, previewSite, type BulkState } from './bulk-moves.js';

const THERE = { holderId: null };

describe('what would come of many devices', () => {
  it.each<[Device['state'], BulkState, string]>([
    ['in_stock', 'retired', 'in stock → retired'],
    ['in_repair', 'in_stock', 'in repair → in stock'],
    ['retired', 'disposed', 'retired → disposed of'],
  ])('%s can become %s, and says so', (state, to, will) => {
    expect(previewMove({ ...THERE, state }, to)).toEqual({ will });
  });

  it('says that somebody’s device is taken back, received and inspected at once', () => {
    const preview = previewMove({ state: 'assigned', holderId: 'somebody' }, 'in_stock');
    expect(preview).toEqual({ will: expect.stringContaining('taken back') });
  });

  it.each<[Device['state'], BulkState, RegExp]>([
    ['in_stock', 'in_stock', /is in stock already/],
    ['assigned', 'retired', /given out.*retired/],
    ['in_stock', 'disposed', /in stock.*disposed of/],
    ['disposed', 'in_stock', /disposed of.*in stock/],
    ['lost', 'in_stock', /on its own page/],
    ['stolen', 'retired', /on its own page/],
    ['found', 'in_stock', /on its own page/],
  ])('%s can’t become %s with others, and says why', (state, to, why) => {
    expect(previewMove({ ...THERE, state }, to)).toEqual({ cannot: expect.stringMatching(why) });
  });

  it('knows of every state whether it can', () => {
    expect(BULK_STATES.map((to) => Object.keys(previewMove({ ...THERE, state: 'ordered' }, to))[0])).toEqual([
      'will',
      'cannot',
      'will',
      'cannot',
    ]);
  });

  const siteName = (id: string | null): string => id ?? 'nowhere';

  it('moves to another site what isn’t there yet, and nothing that is gone', () => {
    const device = { state: 'in_stock', siteId: 'Oslo' } as const;
    expect(previewSite(device, 'Berlin', siteName)).toEqual({ will: 'Oslo → Berlin' });
    expect(previewSite(device, null, siteName)).toEqual({ will: 'Oslo → nowhere' });
    expect(previewSite(device, undefined, siteName)).toEqual({ will: 'is at Oslo' });
    expect(previewSite(device, 'Oslo', siteName)).toEqual({ cannot: expect.stringContaining('Oslo') });
    expect(previewSite({ ...device, state: 'disposed' }, 'Berlin', siteName)).toHaveProperty('cannot');
  });
});
