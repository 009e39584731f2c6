import { describe, expect, it } from 'vitest';
import { licenceIsAllowed } from './licences.js';

describe('licences of packages', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR EUPL-1.1+)', true],
    ['GPL-3.0-only OR Apache-2.0', true],
    ['MIT AND ISC', true],
    ['MIT AND GPL-3.0-only', false],
    ['GPL-3.0-or-later', false],
    ['MPL-2.0', false],
    ['SEE LICENSE IN LICENSE', false],
    ['UNLICENSED', false],
    ['(MIT OR (GPL-2.0 AND ISC))', false],
  ])('%s may be shipped: %s', (expression, allowed) => expect(licenceIsAllowed(expression, false)).toBe(allowed));

  it('may be stricter for tools of development', () => expect(licenceIsAllowed('MPL-2.0', true)).toBe(true));
});
