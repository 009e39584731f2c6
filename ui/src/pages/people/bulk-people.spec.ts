import { describe, expect, it } from 'vitest';
import { previewBulk } from './bulk-people.js';

describe('what would come of many people’s leaves or resets', () => {
  it.each(['leave', 'reset'] as const)('%s: something for who is here or expected', (act) => {
    for (const status of ['active', 'expected'] as const) {
      expect(previewBulk({ id: 'ada', status }, act, 'me')).toEqual({ will: expect.stringMatching(/\w/) });
    }
  });

  it.each(['leave', 'reset'] as const)('%s: nothing for who has left, and never by mistake for who asks', (act) => {
    expect(previewBulk({ id: 'ada', status: 'left' }, act, null)).toEqual({ cannot: expect.stringContaining('left') });
    expect(previewBulk({ id: 'me', status: 'active' }, act, 'me')).toEqual({ cannot: expect.stringContaining('you') });
  });
});
