import { redisProgram } from '../../scripts/embedded/redis.js';
import { runsAsRoot } from '../../scripts/embedded/server-user.js';
import type { Fault, Need } from './fault.js';
import { crowdsLeave } from './rows/crowd.js';
import { eventsOutOfOrder, newsDuringCut } from './rows/events.js';
import { halfOpen } from './rows/half-open.js';
import { lostAnswers, pretences } from './rows/lost-answers.js';
import { poisonousSteps } from './rows/poison.js';
import { postgresCrowded, refusedWrites } from './rows/postgres-crowded.js';
import { disk, postgresGone } from './rows/postgres-gone.js';
import { redisGone } from './rows/redis.js';
import { strangeAnswers } from './rows/strange-answers.js';
import { toolStorms } from './rows/tool-storms.js';
import { twoVersions } from './rows/two-versions.js';
import { workerFrozen, workerKilled } from './rows/workers.js';
import { FAKETIME, wrongClock } from './rows/wrong-clock.js';
import type { Row, Slot } from './schedule.js';

/** Every row with its variants, which take turns. */
export const CATALOGUE: Readonly<Record<Row, readonly Fault[]>> = {
  'worker killed': workerKilled,
  'worker frozen': workerFrozen,
  'executed, seen as a time-out': lostAnswers,
  'Redis gone': redisGone,
  'half-open sockets': halfOpen,
  'PostgreSQL gone': postgresGone,
  'PostgreSQL crowded': postgresCrowded,
  'a write refused': refusedWrites,
  'disk full': disk,
  'a tool storms': toolStorms,
  'a strange answer': strangeAnswers,
  'success that is none': pretences,
  'events out of order': eventsOutOfOrder,
  'a wrong clock': wrongClock,
  'news during a cut': newsDuringCut,
  'a poisonous step': poisonousSteps,
  'two versions': twoVersions,
  'a crowd leaves': crowdsLeave,
};

export function faultOf({ row, turn }: Slot): Fault {
  const variants = CATALOGUE[row];
  const fault = variants[turn % variants.length];
  if (!fault) throw new Error(`the row "${row}" has no faults`);
  return fault;
}

const IS_MET: Record<Need, () => boolean> = {
  Redis: () => redisProgram() !== null,
  root: () => runsAsRoot() && process.platform === 'linux',
  faketime: () => FAKETIME !== null,
};

/** What the fault needs and this machine lacks. */
export function lacksOf({ needs = [] }: Fault): Need[] {
  return needs.filter((need) => !IS_MET[need]());
}
