import { describe, expect, it } from 'vitest';
import { isWellFormed } from './well-formed.js';

describe('text that is well-formed', () => {
  it.each([[null], [7], ['🙂'], [{ é: ['ok', { a: '👩‍👧' }] }], ['\\ud800']])('is in %j', (value) =>
    expect(isWellFormed(value)).toBe(true),
  );

  it.each([['\ud800'], [['a', ['\udfff']]], [{ a: { b: 'x\ud83d' } }], [{ '\ud800': 1 }]])('is not in %j', (value) =>
    expect(isWellFormed(value)).toBe(false),
  );

  it('is found however deep and however long a body is', () => {
    let deep: unknown = '\ud800';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(isWellFormed(deep)).toBe(false);
    expect(isWellFormed(Array.from({ length: 200_000 }, () => 'a'))).toBe(true);
  });
});
