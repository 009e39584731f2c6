import { describe, expect, it } from 'vitest';
import { accountLooks } from './account-looks.js';

describe('an account', () => {
  it.each([
    ['active', 'active', 'good', 'active'],
    ['suspended', 'suspended', 'good', 'suspended'],
    ['suspended', 'absent', 'good', 'gone'],
    ['suspended', 'active', 'bad', 'still active, should be suspended'],
    ['active', 'suspended', 'busy', 'still suspended, should be active'],
    ['active', 'unknown', 'waiting', 'never seen yet, should be active'],
  ] as const)('that should be %s and was seen %s is %s', (desiredState, observedState, tone, word) => {
    expect(accountLooks({ desiredState, observedState })).toMatchObject({ tone, word });
  });
});
