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
    expect(accountLooks({ desiredState, observedState, observedSource: 'read-back' })).toMatchObject({ tone, word });
  });

  it('that is as it should be by a person’s word is told so, and isn’t good', () => {
    const states = { desiredState: 'suspended', observedState: 'suspended' } as const;
    const looks = accountLooks({ ...states, observedSource: 'attested by Grace' });
    expect(looks).toMatchObject({ tone: 'over', word: 'suspended, attested by Grace' });
  });
});
