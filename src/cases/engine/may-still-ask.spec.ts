import { describe, expect, it } from 'vitest';
import { stillToBeHeld, type Request } from './may-still-ask.js';

const asked = (requestedBy: string | null, requestedByKind: Request['requestedByKind']) =>
  stillToBeHeld({ requestedBy, requestedByKind, caseKind: 'restoration' });

describe('a grant that is about to be sent', () => {
  it.each([
    ['an HR source', 'hr', 'hr'],
    ['the service itself', 'system', 'system'],
    ['whoever sits at the server', 'terminal:ada', 'admin'],
    ['a link from the server', 'admin:ada', 'admin'],
    ['nobody known, in an old case', null, null],
  ] as const)('on the word of %s needs nobody to hold anything still', (_who, id, kind) => {
    expect(asked(id, kind)).toBeNull();
  });

  it('on the word of a user or a token needs them to hold the scope that they asked with', () => {
    expect(asked('user:1', 'admin')).toEqual({ principal: 'user:1', scope: 'access:restore' });
    expect(asked('0189', 'service')).toEqual({ principal: '0189', scope: 'access:restore' });
    expect(stillToBeHeld({ requestedBy: 'user:1', requestedByKind: 'admin', caseKind: 'joiner' })).toEqual({
      principal: 'user:1',
      scope: 'cases:write',
    });
  });
});
