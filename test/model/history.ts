import fc from 'fast-check';
import { DEPARTMENTS } from './entitlements.js';
import type { StoryKind } from './expected-access.js';
import type { WorkerLane } from './model-workers.js';
import type { Fate } from './scripted-tool.js';

/** One thing that happens. `pick` chooses among what there is, whatever that is by then. */
export type Happening =
  | {
      what: 'HR tells';
      person: number;
      kind: StoryKind;
      department: string;
      order: 'next' | 'late' | 'tie';
      atOnce: boolean;
    }
  | { what: 'HR tells again'; person: number }
  | { what: 'an end comes' }
  | { what: 'leaves now'; person: number }
  | { what: 'loses a laptop'; person: number }
  | { what: 'gets access back'; pick: number }
  | { what: 'gets new credentials'; person: number }
  | { what: 'works'; lane: WorkerLane; slots: number; fates: Fate[] }
  /** In the moment of sending: it freezes, dies with its call under way, or dies before that. */
  | { what: 'stops at work'; lane: WorkerLane; how: 'freezes' | 'dies' | 'dies unsent' }
  | { what: 'goes on'; pick: number }
  | { what: 'sweeps' }
  | { what: 'time passes'; ms: number }
  | { what: 'somebody decides'; pick: number; how: 'retry' | 'complete' | 'waive' };

export const PEOPLE = 2;

const how = fc.constantFrom('freezes' as const, 'dies' as const, 'dies unsent' as const);
const person = fc.nat(PEOPLE - 1);
const pick = fc.nat(20);
const lane = fc.constantFrom<WorkerLane>('standard', 'emergency');
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('fine') },
  { weight: 1, arbitrary: fc.constant<Fate>('fails') },
  { weight: 2, arbitrary: fc.constant<Fate>('answer-lost') },
  { weight: 1, arbitrary: fc.constant<Fate>('pretends') },
);
const kind = fc.constantFrom<StoryKind>('joined', 'changed', 'left', 'left', 'joined', 'cancelled');

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      what: fc.constant('HR tells' as const),
      person,
      kind,
      department: fc.constantFrom(...DEPARTMENTS),
      order: fc.constantFrom('next', 'next', 'next', 'next', 'late', 'tie'),
      atOnce: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('HR tells again' as const), person }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('an end comes' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('leaves now' as const), person }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('loses a laptop' as const), person }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('gets access back' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('gets new credentials' as const), person }) },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constant('works' as const),
      lane,
      slots: fc.constantFrom(1, 3, 8),
      fates: fc.array(fate, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('stops at work' as const), lane, how }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('goes on' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('sweeps' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('time passes' as const), ms: fc.constantFrom(600, 5_000, 70_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('somebody decides' as const),
      pick,
      how: fc.constantFrom('retry', 'retry', 'complete', 'waive'),
    }),
  },
);

/** Somebody joins first, or most histories would be about nobody. */
export const history: fc.Arbitrary<Happening[]> = fc
  .tuple(fc.constantFrom(...DEPARTMENTS), fc.array(happening, { maxLength: 40, size: 'max' }))
  .map(([department, rest]) => [
    { what: 'HR tells', person: 0, kind: 'joined', department, order: 'next', atOnce: true },
    ...rest,
  ]);
