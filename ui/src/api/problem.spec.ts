import { describe, expect, it } from 'vitest';
import { problemFrom, wrongField } from './problem.js';

describe('a problem that the API answers', () => {
  it('has its kind, what to do, and the id to quote', () => {
    const body = {
      type: '/problems/step-up-required',
      title: 'Show again that it is you',
      status: 403,
      detail: 'Sign in again.',
      instance: 'request-1',
      stepUpUrl: 'https://qm.acme.example/sign-in/oidc?fresh',
    };
    expect(problemFrom(403, body, null, 'Unreadable')).toMatchObject({
      kind: 'step-up-required',
      detail: 'Sign in again.',
      requestId: 'request-1',
      stepUp: { isByKey: false, url: 'https://qm.acme.example/sign-in/oidc?fresh' },
    });
    expect(problemFrom(403, { ...body, stepUpBy: 'security-key' }, null, 'Unreadable').stepUp?.isByKey).toBe(true);
  });

  it('says what is wrong with a field, at that field and at no other', () => {
    const errors = [{ pointer: '/url', detail: 'Write it without a query.' }];
    const body = {
      type: '/problems/invalid-request',
      title: 'Not valid',
      detail: 'See errors.',
      instance: 'r',
      errors,
    };
    const problem = problemFrom(400, body, null, 'Unreadable');
    expect(wrongField(problem, '/url')).toBe('Write it without a query.');
    expect(wrongField(problem, '/key')).toBeUndefined();
    expect(wrongField(null, '/url')).toBeUndefined();
  });

  it.each([['<html>Bad gateway</html>'], [null], [{ error: 'no' }]])(
    'that somebody in between answered: %j',
    (body) => {
      expect(problemFrom(502, body, 'request-2', 'Unreadable')).toMatchObject({
        kind: 'unreadable',
        status: 502,
        title: 'Unreadable',
        requestId: 'request-2',
      });
    },
  );
});
