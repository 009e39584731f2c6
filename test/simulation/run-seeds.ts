import { CASE_KINDS, STEP_STATES, STEP_TRANSITIONS } from '../../src/cases/step-states.js';
import type { Rules } from './rules.js';
import { simulate, type Simulated } from './simulate.js';
import { caseTransition, type Coverage } from './sim-world.js';

/** Every allowed transition of steps, as `from > to`, and of cases. */
export const TRANSITIONS: readonly string[] = [
  ...STEP_STATES.flatMap((from) => STEP_TRANSITIONS[from].map((to) => `${from} > ${to}`)),
  ...CASE_KINDS.map(caseTransition),
];

/** The engine takes none of these: a person decides, or a brake does that isn't built yet. */
export const BY_PEOPLE: readonly string[] = [
  'planned > held',
  'planned > waived',
  'held > planned',
  'held > ready',
  'held > waived',
  'ready > held',
  'needs_human > ready',
  'needs_human > confirming',
  'needs_human > done',
  'needs_human > waived',
];

export interface SeedsRun {
  seeds: number;
  events: number;
  fewestEvents: number;
  lateCuts: number;
  seconds: number;
  coverage: Coverage;
  failed: Simulated[];
}

export function runSeeds(first: number, count: number): SeedsRun {
  const coverage: Coverage = new Map();
  const began = performance.now();
  const run = { seeds: count, events: 0, fewestEvents: Infinity, lateCuts: 0, failed: [] as Simulated[] };
  for (let seed = first; seed < first + count; seed += 1) {
    const one = simulate(seed, coverage);
    run.events += one.events;
    run.fewestEvents = Math.min(run.fewestEvents, one.events);
    run.lateCuts += one.lateCuts;
    if (one.violation !== null) run.failed.push(one);
  }
  return { ...run, seconds: (performance.now() - began) / 1000, coverage };
}

export function describeRun({ seeds, events, fewestEvents, lateCuts, seconds, coverage }: SeedsRun): string {
  const lines = TRANSITIONS.map((pair) => {
    const { engine, people } = coverage.get(pair) ?? { engine: 0, people: 0 };
    return `  ${pair.padEnd(32)} ${String(engine).padStart(9)} by the engine ${String(people).padStart(7)} by people`;
  });
  return [
    `${seeds} seeds, ${events} events (at least ${fewestEvents} each) in ${seconds.toFixed(1)} s: ${Math.round(seeds / seconds)} seeds/s`,
    `revocations of dead or frozen workers that landed after access was given again: ${lateCuts}`,
    ...lines,
  ].join('\n');
}

/** What led to a violation, to be read from the top; told by simulating the seed once more. */
export function tellSeed(seed: number, rules?: Rules): string {
  const lines: string[] = [];
  const { violation } = simulate(seed, new Map(), { ...(rules && { rules }), lines });
  return [
    ...lines.slice(-200),
    violation === null ? 'no violation' : `replay: QM_SEED=${seed} npm test -- test/simulation/seeds.spec.ts`,
  ].join('\n');
}
