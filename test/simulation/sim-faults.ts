import type { Failure } from '../../src/cases/engine/decide.js';
import type { ActResult } from '../../connectors/kit/contract.js';
import type { SimWorld } from './sim-world.js';
import { crash, freeze } from './sim-workers.js';
import type { SimWorker } from './tables.js';

/** What one call to a tool will meet. */
export interface Fate {
  /** How long the tool takes until it has carried the call out. */
  latency: number;
  /** Answered instead of carrying it out. */
  failure?: Failure;
  /** Carried out; the answer never comes, or comes as a time-out. */
  answerLost?: true;
  /** Answered with success, and nothing was done. */
  pretended?: true;
  /** Not an error, and not `done` either. */
  result?: ActResult;
}

const KINDS = [
  'transient',
  'transient',
  'transient',
  'rate-limited',
  'auth-broken',
  'forbidden',
  'not-found',
  'conflict',
  'invalid',
  'unsupported',
  'ambiguous',
  'ambiguous',
] as const;

/** How likely each thing goes wrong in this installation; drawn once for each seed. */
export interface Weather {
  failure: number;
  answerLost: number;
  pretended: number;
  odd: number;
  slow: number;
  /** A worker dies, or freezes, at the worst moment. */
  mishap: number;
}

export function drawWeather({ random }: SimWorld): Weather {
  const bad = random.chance(0.7) ? 1 : 0.1;
  return {
    failure: bad * random.next() * 0.25,
    answerLost: bad * random.next() * 0.12,
    pretended: bad * random.next() * 0.1,
    odd: bad * 0.03,
    slow: bad * random.next() * 0.15,
    mishap: bad * random.next() * (random.chance(0.1) ? 0.3 : 0.03),
  };
}

export function drawFate(world: SimWorld, weather: Weather, isLook: boolean): Fate {
  const { random, now, calm } = world;
  const latency = !calm && random.chance(weather.slow) ? random.int(500, 9_500) : random.int(5, 300);
  if (calm) return { latency };
  if (random.chance(weather.failure))
    return { latency, failure: drawFailure(random.pick(KINDS), random.int(0, 5_000), now, isLook) };
  if (isLook) return { latency };
  if (random.chance(weather.answerLost)) return { latency, answerLost: true };
  if (random.chance(weather.pretended)) return { latency, pretended: true };
  if (!random.chance(weather.odd)) return { latency };
  return random.chance(0.5)
    ? { latency, result: { outcome: 'in-progress', handle: 'h', sideEffects: [] } }
    : { latency, result: { outcome: 'action-required', instructions: 'Press the button there.', sideEffects: [] } };
}

function drawFailure(kind: (typeof KINDS)[number], wait: number, now: number, isLook: boolean): Failure {
  const message = `The tool says ${kind}.`;
  // A look changes nothing, so it can't be ambiguous.
  if (kind === 'ambiguous' && isLook) return { kind: 'transient', message };
  if (kind === 'rate-limited' && wait > 2_000) return { kind, message, resetAt: new Date(now + wait) };
  return { kind, message };
}

/** Asked at every place where a worker is about to go on. */
export function mishap(world: SimWorld, worker: SimWorker, weather: Weather): void {
  const { random } = world;
  if (world.calm || !random.chance(weather.mishap)) return;
  if (random.chance(0.5)) crash(world, worker, 'killed');
  else freeze(world, worker, random.chance(0.1) ? 20_000 : random.int(500, 12_000));
}
