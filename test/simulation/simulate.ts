import { divideLimits } from '../../src/tools/tool-budgets.js';
import { ToolWorld } from '../model/tool-world.js';
import { checkEnd } from './invariants.js';
import { Random } from './random.js';
import { RULES, type Rules } from './rules.js';
import { SimAccess } from './sim-access.js';
import { SimCases } from './sim-cases.js';
import { SimDispatch } from './sim-dispatch.js';
import { SimDoors } from './sim-doors.js';
import { drawWeather } from './sim-faults.js';
import { drawHistory, drawPerson, STORM } from './sim-history.js';
import { SimHumans } from './sim-humans.js';
import { SimLooks } from './sim-looks.js';
import { SimRunner } from './sim-runner.js';
import { SimSettlement } from './sim-settlement.js';
import { SimWorld, Violation, type Coverage } from './sim-world.js';
import type { SimBudget } from './tables.js';

export interface Simulated {
  seed: number;
  /** Events that did something: a poll or a sweep that found nothing isn't one. */
  events: number;
  /** Accounts that a frozen worker's late revocation left suspended though access had been given again. */
  lateCuts: number;
  /** What must not be, and was. */
  violation: string | null;
}

const FEWEST_EVENTS = 100;
/** Virtual milliseconds: nothing that comes to an end takes longer. */
const ENDLESS = 8_000_000;

/** One history from its seed, to its end. With `lines` it is told there, event by event. */
export function simulate(
  seed: number,
  coverage: Coverage,
  { rules = RULES, lines }: { rules?: Rules; lines?: string[] } = {},
): Simulated {
  const world = new SimWorld(new Random(seed), rules, coverage, lines);
  const cases = new SimCases(world);
  const access = new SimAccess(world, cases);
  const settlement = new SimSettlement(world, cases);
  const looks = new SimLooks(world, cases, access, settlement);
  const humans = new SimHumans(world, cases);
  addTools(world);
  const runner = new SimRunner(world, access, settlement, looks, drawWeather(world));
  const dispatch = new SimDispatch(world, cases, runner);
  const doors = new SimDoors(world, cases, access);
  drawHistory(world, doors, humans);
  world.time.at(STORM, () => {
    world.calm = true;
    world.trace(() => 'from here on nothing breaks any more');
  });
  let lateCuts = 0;
  let violation: string | null = null;
  try {
    dispatch.start();
    for (;;) {
      while (world.time.step()) {
        humans.notice();
        dispatch.keepGoing();
        world.check(world.now < ENDLESS, 'every case ends or is somebody’s', () => 'it goes on for ever');
      }
      lateCuts += checkEnd(world).lateCuts;
      if (world.time.happened - dispatch.idle >= FEWEST_EVENTS) break;
      // A short history is followed by another one.
      drawPerson(world, doors);
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
    world.trace(() => `VIOLATION ${error.message}`);
  }
  return { seed, events: world.time.happened - dispatch.idle, lateCuts, violation };
}

function addTools(world: SimWorld): void {
  const { random } = world;
  for (let index = random.int(1, 3) - 1; index >= 0; index -= 1) {
    const id = `tool-${index}`;
    const isHuman = random.chance(0.12);
    const [shared, reserved] = divideLimits({
      maxConcurrency: random.pick([2, 4, 8]),
      callsPerSecond: random.pick([2, 10, 100]),
    }).map(({ concurrency, callsPerSecond, burst }): SimBudget => {
      return { concurrency, callsPerSecond, burst, allowance: burst, refilledAt: 0 };
    });
    if (!shared || !reserved) throw new Error('a tool has two budgets');
    const traits = {
      uniqueNames: random.chance(0.5),
      showsSessions: random.chance(0.8),
      showsGrants: random.chance(0.9),
    };
    const kind = isHuman ? 'human' : 'api';
    world.tools.push({
      id,
      key: id,
      kind,
      world: new ToolWorld(id, traits),
      pausedUntil: 0,
      shared,
      reserved,
      steps: [],
    });
  }
}
