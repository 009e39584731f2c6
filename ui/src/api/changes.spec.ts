import { describe, expect, it } from 'vitest';
import { makesOld, readChange } from './changes.js';

describe('a change that the server tells', () => {
  const change = [{ kind: 'case', id: 'c1' }];

  it.each([
    [['case', 'one', 'c1'], true],
    [['case', 'one', 'c2'], false],
    [['case', 'list', { state: 'open' }], true],
    [['account', 'list', { personId: 'p1' }], true],
    [['step', 'one', 's1', 'evidence'], true],
    [['person', 'one', 'c1'], false],
    [['tool', 'list'], false],
  ])('makes %j old: %s', (key, isOld) => expect(makesOld(change, key)).toBe(isOld));

  it('never has all that was loaded of the people read again, as it has of cases', () => {
    expect(makesOld([{ kind: 'person', id: 'p1' }], ['person', 'endless', {}])).toBe(false);
    expect(makesOld(change, ['case', 'list', 'endless', {}])).toBe(true);
  });

  it('is nothing when it can’t be read', () => {
    expect(readChange('{"kind":"case","id":"c1"}')).toEqual({ kind: 'case', id: 'c1' });
    expect([readChange('{"kind":7}'), readChange('<html>')]).toEqual([null, null]);
  });
});
