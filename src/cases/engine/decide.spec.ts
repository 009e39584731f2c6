import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOOL_ERROR_KINDS } from '../../../connectors/kit/errors.js';
import type { ActResult, ObservedAccount } from '../../../connectors/kit/contract.js';
import { anObservedAccount } from '../../../test/factories/accounts.js';
import { EFFECT_OF, STEP_ACTS, STEP_TRANSITIONS } from '../step-states.js';
import {
  decideAfterAct,
  decideAfterFailedLook,
  decideAfterFailure,
  decideAfterReadBack,
  judgeReadBack,
  type Decision,
  type Expectation,
  type Failure,
  type StepSoFar,
  type Verdict,
} from './decide.js';
import { TIMING } from './timing.js';

const now = new Date('2026-03-01T12:00:00Z');
const moment = { now, chance: 0.5 };

function aStep(with_: Partial<StepSoFar> = {}): StepSoFar {
  const act = with_.act ?? 'suspend_account';
  return { act, effect: EFFECT_OF[act], failures: 0, readBacks: 0, inProgress: false, ...with_ };
}

function aFailure(with_: Partial<Failure> = {}): Failure {
  return { kind: 'transient', message: 'The tool answered 503.', ...with_ };
}

const anyStep = fc
  .record({
    act: fc.constantFrom(...STEP_ACTS),
    failures: fc.integer({ min: 0, max: 100 }),
    readBacks: fc.integer({ min: 0, max: 100 }),
    inProgress: fc.boolean(),
  })
  .map(aStep);
const anyFailure: fc.Arbitrary<Failure> = fc.record({
  kind: fc.constantFrom(...TOOL_ERROR_KINDS),
  message: fc.string({ minLength: 1 }),
  resetAt: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
  permission: fc.option(fc.string(), { nil: undefined }),
  remedy: fc.option(fc.string(), { nil: undefined }),
});
const anyMoment = fc.record({
  now: fc.date({ noInvalidDate: true }),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const anyVerdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.record({
    seen: fc.constant('shown' as const),
    residualUntil: fc.option(fc.date({ noInvalidDate: true })),
    unprovable: fc.option(fc.string()),
  }),
  fc.record({ seen: fc.constantFrom('contradicted' as const, 'cannot_see' as const), because: fc.string() }),
);
const anyAnswer: fc.Arbitrary<ActResult> = fc.oneof(
  fc.record({
    outcome: fc.constantFrom('done' as const, 'already' as const),
    value: fc.anything(),
    sideEffects: fc.constant([]),
  }),
  fc.constant({ outcome: 'in-progress' as const, handle: 'job-1', sideEffects: [] }),
  fc.constant({ outcome: 'action-required' as const, instructions: 'Do it by hand.', sideEffects: [] }),
);

describe('whatever a tool answers', () => {
  const decisions: fc.Arbitrary<{ step: StepSoFar; from: 'running' | 'confirming'; decision: Decision }> = fc
    .record({ step: anyStep, failure: anyFailure, moment: anyMoment, verdict: anyVerdict, answer: anyAnswer })
    .chain(({ step, failure, moment: when, verdict, answer }) =>
      fc.constantFrom(
        { step, from: 'running' as const, decision: decideAfterAct(answer) },
        { step, from: 'running' as const, decision: decideAfterFailure(step, failure, when) },
        {
          step,
          from: step.effect === 'look' ? ('running' as const) : ('confirming' as const),
          decision: decideAfterFailedLook(step, failure, when),
        },
        { step, from: 'confirming' as const, decision: decideAfterReadBack(step, verdict, when) },
      ),
    );

  it('a revocation is never superseded', () => {
    fc.assert(
      fc.property(decisions, ({ step, decision }) => {
        if (step.effect === 'revoke') expect(decision.next.state).not.toBe('superseded');
      }),
      { numRuns: 500 },
    );
  });

  it('a step goes only where its state may go, or stays to be looked at again', () => {
    fc.assert(
      fc.property(decisions, ({ from, decision: { next } }) => {
        const allowed: readonly string[] = [...STEP_TRANSITIONS[from], 'confirming'];
        expect(allowed).toContain(next.state);
      }),
      { numRuns: 500 },
    );
  });

  it('no wait is negative, and a person is always told why', () => {
    fc.assert(
      fc.property(decisions, ({ decision: { next, pauseTool } }) => {
        if ('dueIn' in next) expect(next.dueIn).toBeGreaterThanOrEqual(0);
        if (next.state === 'needs_human') expect(next.reason).not.toBe('');
        if (pauseTool) expect(pauseTool.lasting).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('after an act', () => {
  it.each(['done', 'already'] as const)('"%s" is read back at once, and is not the end of the step', (outcome) => {
    expect(decideAfterAct({ outcome, value: null, sideEffects: [] })).toEqual({
      next: { state: 'confirming', dueIn: 0 },
    });
  });

  it('"in-progress" is read back a little later', () => {
    const { next } = decideAfterAct({ outcome: 'in-progress', handle: 'job-1', sideEffects: [] });
    expect(next).toMatchObject({ state: 'confirming' });
    expect('dueIn' in next && next.dueIn).toBeGreaterThan(0);
  });

  it('"action-required" becomes a task with the instructions of the tool', () => {
    expect(
      decideAfterAct({ outcome: 'action-required', instructions: 'Open the admin page.', sideEffects: [] }),
    ).toEqual({
      next: { state: 'needs_human', reason: 'Open the admin page.' },
    });
  });
});

describe('after an act that failed', () => {
  it.each(['ambiguous', 'conflict', 'not-found'] as const)(
    '%s is read back before anything is sent again, and is neither success nor failure by itself',
    (kind) => {
      expect(decideAfterFailure(aStep(), aFailure({ kind }), moment)).toEqual({
        next: { state: 'confirming', dueIn: 0 },
      });
    },
  );

  it('transient is tried again, later after each failure', () => {
    const waitAfter = (failures: number): number => {
      const { next } = decideAfterFailure(aStep({ failures }), aFailure(), moment);
      expect(next).toMatchObject({ state: 'ready', failed: true, reason: 'The tool answered 503.' });
      return 'dueIn' in next ? next.dueIn : 0;
    };
    expect(waitAfter(0)).toBeGreaterThan(0);
    expect(waitAfter(1)).toBeGreaterThan(waitAfter(0));
    expect(waitAfter(5)).toBeGreaterThan(waitAfter(1));
  });

  it('rate-limited waits until the tool takes calls again, pauses this tool so long, and calls nobody', () => {
    const failure = aFailure({ kind: 'rate-limited', resetAt: new Date(now.getTime() + 42_000) });
    expect(decideAfterFailure(aStep(), failure, moment)).toEqual({
      next: { state: 'ready', dueIn: 42_000, failed: false, reason: failure.message },
      pauseTool: { lasting: 42_000, reason: failure.message, alertOwner: false },
    });
  });

  it('a pause of the tool does not count as a failure of the step, unless the tool does not say how long', () => {
    const failed = (failure: Failure) => {
      const { next } = decideAfterFailure(aStep(), failure, moment);
      return 'failed' in next && next.failed;
    };
    expect(failed(aFailure({ kind: 'rate-limited', resetAt: now }))).toBe(false);
    expect(failed(aFailure({ kind: 'auth-broken' }))).toBe(false);
    expect(failed(aFailure({ kind: 'rate-limited' }))).toBe(true);
    expect(failed(aFailure())).toBe(true);
  });

  it('rate-limited until an instant that is over waits no longer, and without an instant backs off', () => {
    const over = aFailure({ kind: 'rate-limited', resetAt: new Date(now.getTime() - 1) });
    expect(decideAfterFailure(aStep(), over, moment).next).toMatchObject({ state: 'ready', dueIn: 0 });
    const { next, pauseTool } = decideAfterFailure(aStep(), aFailure({ kind: 'rate-limited' }), moment);
    expect('dueIn' in next && next.dueIn).toBeGreaterThan(0);
    expect(pauseTool?.lasting).toBe('dueIn' in next && next.dueIn);
  });

  it('auth-broken keeps the step, pauses the tool and alerts its owner', () => {
    const failure = aFailure({ kind: 'auth-broken', message: 'The token was refused.' });
    expect(decideAfterFailure(aStep(), failure, moment)).toMatchObject({
      next: { state: 'ready' },
      pauseTool: { lasting: TIMING.probe, reason: 'The token was refused.', alertOwner: true },
    });
  });

  it('forbidden becomes a task that names the missing permission and the remedy', () => {
    const failure = aFailure({ kind: 'forbidden', permission: 'users:write', remedy: 'Add it to the app.' });
    const { next } = decideAfterFailure(aStep(), failure, moment);
    expect(next).toMatchObject({ state: 'needs_human' });
    expect('reason' in next && next.reason).toContain('users:write');
    expect('reason' in next && next.reason).toContain('Add it to the app.');
  });

  it.each(['invalid', 'unsupported'] as const)('%s becomes a task: the same call would fail again', (kind) => {
    expect(decideAfterFailure(aStep(), aFailure({ kind, message: 'No.', remedy: 'By hand.' }), moment)).toEqual({
      next: { state: 'needs_human', reason: 'No. By hand.' },
    });
  });

  it('no failure is an ending without a person', () => {
    fc.assert(
      fc.property(anyStep, anyFailure, anyMoment, (step, failure, when) => {
        expect(['ready', 'confirming', 'needs_human']).toContain(decideAfterFailure(step, failure, when).next.state);
      }),
    );
  });
});

describe('after a look that failed', () => {
  it('what was changed is looked at again, and not done a second time', () => {
    fc.assert(
      fc.property(anyStep, anyFailure, anyMoment, (step, failure, when) => {
        const { next } = decideAfterFailedLook(step, failure, when);
        expect(next.state).not.toBe('done');
        if (next.state !== 'needs_human') expect(next.state).toBe(step.effect === 'look' ? 'ready' : 'confirming');
      }),
    );
  });

  it('an ambiguous look waits as a transient one does', () => {
    const { next } = decideAfterFailedLook(aStep(), aFailure({ kind: 'ambiguous' }), moment);
    expect(next.state).toBe('confirming');
    expect('dueIn' in next && next.dueIn).toBeGreaterThan(0);
  });

  it('a read-back that keeps failing is tried less and less often', () => {
    const waitAfter = (readBacks: number): number => {
      const { next } = decideAfterFailedLook(aStep({ readBacks }), aFailure(), moment);
      return 'dueIn' in next ? next.dueIn : 0;
    };
    expect(waitAfter(1)).toBeLessThan(1_000);
    expect(waitAfter(6)).toBeGreaterThan(waitAfter(1));
    expect(waitAfter(50)).toBeGreaterThanOrEqual(30_000);
  });
});

describe('what a read-back shows', () => {
  const want = (with_: Partial<Expectation>): Expectation => ({
    act: 'suspend_account',
    credentialVersion: null,
    device: null,
    grant: null,
    ...with_,
  });
  const suspended = (with_: Partial<ObservedAccount> = {}): ObservedAccount =>
    anObservedAccount({ state: 'suspended', ...with_ });

  describe('of a cut', () => {
    it('an account that is gone, or suspended without sessions, is cut', () => {
      expect(judgeReadBack(want({}), null)).toMatchObject({ seen: 'shown', residualUntil: null, unprovable: null });
      expect(judgeReadBack(want({}), suspended())).toMatchObject({
        seen: 'shown',
        residualUntil: null,
        unprovable: null,
      });
    });

    it('an account that is active, or that has a session open, is not', () => {
      expect(judgeReadBack(want({}), anObservedAccount())).toMatchObject({ seen: 'contradicted' });
      const open = suspended({ sessions: { seen: true, live: 2 } });
      expect(judgeReadBack(want({}), open)).toEqual({ seen: 'contradicted', because: '2 sessions are still open' });
    });

    it('a session that is open counts although other things can not be seen', () => {
      const open = suspended({
        sessions: { seen: true, live: 1 },
        credentials: { seen: false, residualUntil: null, because: 'no list' },
      });
      expect(judgeReadBack(want({}), open).seen).toBe('contradicted');
    });

    it('tells until when old tokens may work: the latest that any part of the tool says', () => {
      const early = new Date('2026-03-01T12:05:00Z');
      const late = new Date('2026-03-01T13:00:00Z');
      const account = suspended({
        sessions: { seen: false, residualUntil: late, because: 'tokens are not listed' },
        credentials: { seen: false, residualUntil: early, because: 'keys are not listed' },
      });
      expect(judgeReadBack(want({}), account)).toEqual({ seen: 'shown', residualUntil: late, unprovable: null });
    });

    it('says plainly what nobody can know', () => {
      const account = suspended({ sessions: { seen: false, residualUntil: null, because: 'not listed' } });
      const verdict = judgeReadBack(want({}), account);
      expect(verdict).toMatchObject({ seen: 'shown', residualUntil: null });
      expect(verdict.seen === 'shown' && verdict.unprovable).toContain('sessions');
    });
  });

  it.each(['create_account', 'restore_account'] as const)('of %s: the account has to be there and active', (act) => {
    expect(judgeReadBack(want({ act }), null).seen).toBe('contradicted');
    expect(judgeReadBack(want({ act }), suspended()).seen).toBe('contradicted');
    expect(judgeReadBack(want({ act }), anObservedAccount()).seen).toBe('shown');
  });

  it('of a reset: the credentials have to be the ones that were written, whether it is suspended or not', () => {
    const reset = want({ act: 'reset_credentials', credentialVersion: 'v2' });
    expect(judgeReadBack(reset, null).seen).toBe('contradicted');
    expect(judgeReadBack(reset, suspended({ credentialVersion: 'v1' })).seen).toBe('contradicted');
    expect(judgeReadBack(reset, suspended({ credentialVersion: 'v2' })).seen).toBe('shown');
    expect(judgeReadBack(reset, anObservedAccount({ credentialVersion: null })).seen).toBe('cannot_see');
  });

  it('of a reset whose answer was lost: no version is taken for the one that was written', () => {
    const lost = want({ act: 'reset_credentials', credentialVersion: null });
    expect(judgeReadBack(lost, anObservedAccount({ credentialVersion: 'v1' })).seen).toBe('contradicted');
  });

  it('of one device’s end: the account goes on, and nothing of that device may be left', () => {
    const out = want({ act: 'revoke_device', device: 'MBP-0192' });
    const withKeysOf = (...ids: string[]) => anObservedAccount({ credentials: { seen: true, live: ids.length, ids } });
    expect(judgeReadBack(out, withKeysOf('tablet')).seen).toBe('shown');
    expect(judgeReadBack(out, null).seen).toBe('shown');
    expect(judgeReadBack(out, withKeysOf('tablet', 'MBP-0192')).seen).toBe('contradicted');
    expect(judgeReadBack(out, anObservedAccount({ credentials: { seen: true, live: 0 } })).seen).toBe('cannot_see');
  });

  describe('of a grant', () => {
    const grant = { kind: 'group', name: 'engineers' } as const;
    const withGrants = (...grants: NonNullable<ObservedAccount['grants']>) => anObservedAccount({ grants });

    it('the very grant has to be there, of this kind and by this name', () => {
      const given = want({ act: 'grant', grant });
      expect(judgeReadBack(given, withGrants(grant)).seen).toBe('shown');
      expect(judgeReadBack(given, withGrants()).seen).toBe('contradicted');
      expect(judgeReadBack(given, withGrants({ kind: 'role', name: 'engineers' })).seen).toBe('contradicted');
      expect(judgeReadBack(given, withGrants({ kind: 'group', name: 'sales' })).seen).toBe('contradicted');
      expect(judgeReadBack(given, null).seen).toBe('contradicted');
    });

    it('a withdrawn one must not, and without the account there is none', () => {
      const withdrawn = want({ act: 'withdraw', grant });
      expect(judgeReadBack(withdrawn, withGrants(grant)).seen).toBe('contradicted');
      expect(judgeReadBack(withdrawn, withGrants({ kind: 'group', name: 'sales' })).seen).toBe('shown');
      expect(judgeReadBack(withdrawn, null).seen).toBe('shown');
    });

    it.each(['grant', 'withdraw'] as const)('a look that did not show grants proves no %s', (act) => {
      expect(judgeReadBack(want({ act, grant }), anObservedAccount()).seen).toBe('cannot_see');
    });
  });
});

describe('after a read-back', () => {
  const contradicted: Verdict = { seen: 'contradicted', because: 'the account is still active' };

  it('what was shown is done, with what may still work', () => {
    const residualUntil = new Date('2026-03-01T13:00:00Z');
    expect(decideAfterReadBack(aStep(), { seen: 'shown', residualUntil, unprovable: 'Keys.' }, moment)).toEqual({
      next: { state: 'done', residualUntil, unprovable: 'Keys.' },
    });
  });

  it('only what was shown is done', () => {
    fc.assert(
      fc.property(anyStep, anyVerdict, anyMoment, (step, verdict, when) => {
        expect(decideAfterReadBack(step, verdict, when).next.state === 'done').toBe(verdict.seen === 'shown');
      }),
    );
  });

  it('what can not be seen becomes a task for somebody who can look', () => {
    const { next } = decideAfterReadBack(aStep(), { seen: 'cannot_see', because: 'no list of grants' }, moment);
    expect(next).toMatchObject({ state: 'needs_human' });
    expect('reason' in next && next.reason).toContain('no list of grants');
  });

  it('a contradiction is acted on again: at once the first time, later after that', () => {
    const first = decideAfterReadBack(aStep(), contradicted, moment).next;
    expect(first).toMatchObject({ state: 'ready', dueIn: 0, failed: true });
    const second = decideAfterReadBack(aStep({ failures: 1 }), contradicted, moment).next;
    expect(second).toMatchObject({ state: 'ready', failed: true });
    expect('dueIn' in second && second.dueIn).toBeGreaterThan(0);
  });

  it('what a tool said it is still working on is not contradicted: it is looked at again, less and less often', () => {
    const waitAfter = (readBacks: number): number => {
      const { next } = decideAfterReadBack(aStep({ inProgress: true, readBacks, failures: 9 }), contradicted, moment);
      expect(next.state).toBe('confirming');
      return 'dueIn' in next ? next.dueIn : 0;
    };
    expect(waitAfter(1)).toBeGreaterThan(1_000);
    expect(waitAfter(8)).toBeGreaterThan(waitAfter(1));
  });

  it('what a tool works on for ever becomes a task', () => {
    const endless = aStep({ inProgress: true, readBacks: 60 });
    expect(decideAfterReadBack(endless, contradicted, moment).next.state).toBe('needs_human');
  });

  it('a success that is none, again and again, becomes a task that says so', () => {
    expect(decideAfterReadBack(aStep({ failures: 3 }), contradicted, moment).next.state).toBe('ready');
    const { next } = decideAfterReadBack(aStep({ failures: 4 }), contradicted, moment);
    expect(next).toMatchObject({ state: 'needs_human' });
    expect('reason' in next && next.reason).toContain('the account is still active');
  });
});

describe('while an earlier call of the same step may still land', () => {
  const step = aStep({ act: 'create_account', failures: 9, readBacks: 99, mayStillLand: true });

  it('a read-back neither sends it again nor gives it up: only an account that is there ends it (I2, I4)', () => {
    fc.assert(
      fc.property(anyVerdict, anyMoment, (verdict, when) => {
        const wanted = verdict.seen === 'shown' ? 'done' : 'confirming';
        expect(decideAfterReadBack(step, verdict, when).next.state).toBe(wanted);
      }),
    );
  });

  it('a group or an account that works may be an earlier step’s doing: it waits, whatever is shown', () => {
    fc.assert(
      fc.property(fc.constantFrom('grant', 'restore_account'), anyVerdict, anyMoment, (act, verdict, when) => {
        expect(decideAfterReadBack({ ...step, act }, verdict, when).next.state).toBe('confirming');
      }),
    );
  });

  it('nor does a read-back that fails: a person gets it, and a newer decision replaces it, after that', () => {
    expect(
      decideAfterFailedLook({ ...step, mayStillLand: false }, aFailure({ kind: 'forbidden' }), moment),
    ).toMatchObject({ next: { state: 'needs_human' } });
    fc.assert(
      fc.property(anyFailure, anyMoment, (failure, when) => {
        expect(decideAfterFailedLook(step, failure, when).next.state).toBe('confirming');
      }),
    );
  });
});
