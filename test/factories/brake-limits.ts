import type { INestApplicationContext } from '@nestjs/common';
import { BrakeLimits } from '../../src/brakes/brake-limits.service.js';
import { BRAKE_KINDS } from '../../src/brakes/decide-brake.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';

/** For a suite that does more within an hour than any limit lets pass, and is about something else. */
export async function liftBrakeLimits(app: INestApplicationContext): Promise<void> {
  for (const kind of BRAKE_KINDS) {
    await app.get(BrakeLimits).set(kind, { atLeast: 1_000_000, sharePercent: 100 }, SYSTEM);
  }
}
