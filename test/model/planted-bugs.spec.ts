import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DECISIONS, type DecisionKind } from './decisions.js';
import { EngineHarness } from './engine-harness.js';
import { history, type Happening } from './history.js';
import { ModelRun } from './model-run.js';
import { changeNothing, changeSql, mutation } from './mutations.js';

// The engine's own decisions, each with one small mistake while its name is in force.
vi.mock('../../src/cases/engine/may-send.js', async (original) => {
  const real = await original<typeof import('../../src/cases/engine/may-send.js')>();
  const whyNotSent: typeof real.whyNotSent = (standing) =>
    mutation.name === 'hold ignored' ? null : real.whyNotSent(standing);
  return { ...real, whyNotSent };
});
vi.mock('../../src/cases/engine/in-the-air.js', async (original) => {
  const real = await original<typeof import('../../src/cases/engine/in-the-air.js')>();
  const grantMayLand: typeof real.grantMayLand = async (...of) =>
    mutation.name === 'last look does not wait' ? false : real.grantMayLand(...of);
  return { ...real, grantMayLand };
});
vi.mock('../../src/cases/engine/decide.js', async (original) => {
  const real = await original<typeof import('../../src/cases/engine/decide.js')>();
  const decideAfterAct: typeof real.decideAfterAct = (result) =>
    mutation.name === 'no read-back' && result.outcome === 'done'
      ? { next: { state: 'done', residualUntil: null, unprovable: null } }
      : real.decideAfterAct(result);
  const decideAfterFailure: typeof real.decideAfterFailure = (step, failure, moment) =>
    mutation.name === 'sent again blindly' && failure.kind === 'ambiguous'
      ? { next: { state: 'ready', dueIn: 0, failed: true, reason: failure.message } }
      : real.decideAfterFailure(step, failure, moment);
  return { ...real, decideAfterAct, decideAfterFailure };
});
vi.mock('../../src/cases/engine/admission.js', async (original) => {
  const real = await original<typeof import('../../src/cases/engine/admission.js')>();
  const admit: typeof real.admit = (load, lane) => {
    if (mutation.name !== 'reserved share for all') return real.admit(load, lane);
    const concurrency = load.shared.concurrency + load.reserved.concurrency;
    return real.admit({ ...load, shared: { ...load.shared, concurrency } }, lane);
  };
  return { ...real, admit };
});
vi.mock('../../src/people/event-order.js', async (original) => {
  const real = await original<typeof import('../../src/people/event-order.js')>();
  const orderOf: typeof real.orderOf = (event, applied) =>
    mutation.name === 'order of arrival' ? 'newer' : real.orderOf(event, applied);
  return { ...real, orderOf };
});
vi.mock('../../src/lost-devices/plan-restoration.js', async (original) => {
  const real = await original<typeof import('../../src/lost-devices/plan-restoration.js')>();
  const planRestoration: typeof real.planRestoration = (input) => {
    const plan = real.planRestoration(input);
    return mutation.name === 'all holds lifted' ? { ...plan, release: [...input.holds] } : plan;
  };
  return { ...real, planRestoration };
});

vi.mock('../../src/cases/plan-cut.js', async (original) => {
  const real = await original<typeof import('../../src/cases/plan-cut.js')>();
  const planCut: typeof real.planCut = (input) =>
    real.planCut(input).filter(({ act }) => act !== 'final_look' || mutation.name !== 'no last look');
  return { ...real, planCut };
});
vi.mock('../../src/cases/plan-access.js', async (original) => {
  const real = await original<typeof import('../../src/cases/plan-access.js')>();
  const planAccess: typeof real.planAccess = (input) => {
    const plans = real.planAccess(input);
    if (mutation.name !== 'old credentials') return plans;
    const kept = plans.filter(({ act }) => act !== 'reset_credentials');
    const keys = new Set(kept.map(({ key }) => key));
    return kept.map((plan) => ({ ...plan, needs: plan.needs?.filter((key) => keys.has(key)) }));
  };
  return { ...real, planAccess };
});
vi.mock('../../src/people/generation.js', async (original) => {
  const real = await original<typeof import('../../src/people/generation.js')>();
  const generationAfter: typeof real.generationAfter = (current, epoch) =>
    mutation.name === 'same generation' ? Math.max(current, 1) : real.generationAfter(current, epoch);
  return { ...real, generationAfter };
});
vi.mock('../../src/cases/engine/after-worker.js', async (original) => {
  const real = await original<typeof import('../../src/cases/engine/after-worker.js')>();
  return {
    ...real,
    get AFTER_DEATH(): Record<keyof typeof real.AFTER_DEATH, string> {
      return mutation.name === 'sent beside the dead' ? { ...real.AFTER_DEATH, grant: 'ready' } : real.AFTER_DEATH;
    },
  };
});

interface PlantedBug {
  kind: DecisionKind;
  what: string;
  plant: () => { met: number } | undefined;
  breaks: RegExp;
  /** How each history begins, so that the bug matters soon; what follows is random. */
  provoke: Happening[];
}

const joins: Happening = {
  what: 'HR tells',
  person: 0,
  kind: 'joined',
  department: 'engineering',
  order: 'next',
  atOnce: true,
};
const leaves: Happening = { ...joins, kind: 'left' };
const moves: Happening = { ...joins, kind: 'changed', department: 'sales' };
const movesBack: Happening = { ...moves, department: 'engineering' };
const loses: Happening = { what: 'loses a laptop', person: 0 };
const getsBack: Happening = { what: 'gets access back', pick: 0 };
const stops: Happening = { what: 'stops at work', lane: 'standard', how: 'freezes' };
const goesOn: Happening = { what: 'goes on', pick: 0 };
const sweeps: Happening = { what: 'sweeps' };
const later: Happening = { what: 'time passes', ms: 12_000 };
const works = (fate: 'fine' | 'pretends' | 'answer-lost' = 'fine', slots = 8): Happening => {
  return { what: 'works', lane: 'standard', slots, fates: [fate, fate, fate] };
};

const urgently: Happening = { what: 'works', lane: 'emergency', slots: 8, fates: [] };

function named(name: string): PlantedBug['plant'] {
  return () => {
    mutation.name = name;
    return undefined;
  };
}

const PLANTED: readonly PlantedBug[] = [
  {
    kind: 'holds',
    what: 'a hold is ignored before a grant is sent',
    plant: named('hold ignored'),
    breaks: /I10|I1|desired = actual/,
    // The worker dies before it sends: the create is due again when the person has left, and was not superseded, since it ran.
    provoke: [joins, { ...stops, how: 'dies unsent' }, leaves, sweeps, works(), later, works()],
  },
  {
    kind: 'superseding',
    what: 'a newer generation supersedes revocations, too',
    plant: () => changeSql(`effect = 'grant' AND state IN (`, `state IN (`),
    breaks: /ck_steps_revocation_stays|a step never goes/,
    provoke: [joins, works(), loses, getsBack],
  },
  {
    kind: 'read-back',
    what: 'an act that the tool accepted is taken for done, without a read-back',
    plant: named('no read-back'),
    breaks: /I1|desired = actual|stuck/,
    provoke: [joins, works('pretends'), works('pretends')],
  },
  {
    kind: 'read-back',
    what: 'a create whose answer was lost is sent again without looking',
    plant: named('sent again blindly'),
    breaks: /I2/,
    provoke: [joins, works('answer-lost'), works('answer-lost')],
  },
  {
    kind: 'last looks',
    what: 'a last look does not wait for a call that may still land',
    plant: named('last look does not wait'),
    breaks: /I1|desired = actual/,
    provoke: [joins, stops, leaves, works(), works(), works(), goesOn],
  },
  {
    kind: 'holds',
    what: 'a restoration lifts the holds of others, too',
    plant: named('all holds lifted'),
    breaks: /holds/,
    provoke: [joins, works(), loses, loses, getsBack],
  },
  {
    kind: 'admission',
    what: 'routine work is admitted to the reserved share',
    plant: named('reserved share for all'),
    breaks: /admission/,
    provoke: [joins, works(), leaves, { ...joins, person: 1 }, stops, stops, stops, stops],
  },
  {
    kind: 'event order',
    what: 'HR events count in the order in which they arrive',
    plant: named('order of arrival'),
    breaks: /ought to be/,
    provoke: [joins, { ...moves, order: 'late' }],
  },
  {
    kind: 'step transitions',
    what: 'a step goes ahead when not all of its needs are met',
    plant: () => changeSql(`needed.state <> 'done'`, `needed.state = 'held'`),
    breaks: /before its needs/,
    provoke: [joins, works(), leaves, works('fine', 1), works('fine', 1)],
  },
  {
    kind: 'fences',
    what: 'a write with an old fence is accepted',
    plant: named('fence ignored'),
    breaks: /I5|ck_steps|a step never goes|duplicate key/,
    provoke: [joins, works(), works(), leaves, stops, later, sweeps, stops, stops, stops, stops, goesOn],
  },
  {
    kind: 'planning',
    what: 'a cut has no last look',
    plant: named('no last look'),
    breaks: /I1|desired = actual/,
    provoke: [joins, stops, leaves, works(), works(), works(), goesOn],
  },
  {
    kind: 'planning',
    what: 'an account is restored with the credentials from before the cut',
    plant: named('old credentials'),
    breaks: /credentials are new after a cut/,
    provoke: [joins, works(), works(), loses, urgently, urgently, getsBack, works(), works()],
  },
  {
    kind: 'generations',
    what: 'a newer decision keeps the generation of the one before',
    plant: named('same generation'),
    breaks: /desired = actual|I1/,
    provoke: [joins, works(), works(), moves, works(), works(), movesBack, works(), works()],
  },
  {
    kind: 'step transitions',
    what: 'a grant of a worker that died is sent again while its call may still land',
    plant: named('sent beside the dead'),
    breaks: /I2/,
    provoke: [joins, { ...stops, how: 'dies' }, sweeps, works(), goesOn],
  },
  {
    kind: 'case transitions',
    what: 'a case is closed while steps of it are planned',
    plant: () => changeSql(`c.id AND s.state NOT IN ('done'`, `c.id AND s.state NOT IN ('planned', 'ready', 'done'`),
    breaks: /a case with unfinished steps is not closed/,
    provoke: [joins, works()],
  },
  {
    kind: 'case transitions',
    what: 'a case stays open when its steps have ended',
    plant: () => changeSql(`s.case_id = c.id AND s.state NOT IN ('done', 'superseded', 'waived')`, `s.case_id = c.id`),
    breaks: /cases are open/,
    provoke: [joins],
  },
];

let harness: EngineHarness;
beforeAll(async () => {
  harness = await EngineHarness.start();
});
afterEach(changeNothing);
afterAll(() => harness?.stop());

const HISTORIES = 12;

describe('the run against the model finds it when', () => {
  it.each(PLANTED)('$what ($kind)', { timeout: 90_000 }, async ({ plant, breaks, provoke }) => {
    const planted = plant();
    const property = fc.asyncProperty(history, async ([, ...rest]) => {
      await harness.forget();
      for (const tool of harness.tools) tool.looksFirst = mutation.name !== 'sent again blindly';
      await new ModelRun(harness).live([...provoke, ...rest.slice(0, 15)]);
    });
    const result = await fc.check(property, { numRuns: HISTORIES, endOnFailure: true, seed: 1 });
    expect(result.failed).toBe(true);
    expect(String(result.errorInstance)).toMatch(breaks);
    if (planted) expect(planted.met).toBeGreaterThan(0);
  });
});

describe('a history that fails', () => {
  it('is shrunk to the few happenings that matter', { timeout: 120_000 }, async () => {
    mutation.name = 'order of arrival';
    const property = fc.asyncProperty(history, async (happenings) => {
      await harness.forget();
      await new ModelRun(harness).live(happenings);
    });
    const { counterexample } = await fc.check(property, { numRuns: 20, seed: 1 });
    expect(counterexample?.[0].length).toBeLessThan(6);
  });
});

describe('the planted bugs', () => {
  it.each(DECISIONS)('have one about %s at least', (kind) => {
    expect(PLANTED.some((bug) => bug.kind === kind)).toBe(true);
  });
});
