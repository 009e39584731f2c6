import type { INestApplicationContext } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BrakeLimits } from '../../src/brakes/brake-limits.service.js';
import { BRAKE_KINDS, type LimitKind } from '../../src/brakes/decide-brake.js';
import { inTransaction } from '../../src/platform/database/transaction.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';

/** A limit as it might have been approved long ago. */
export async function aBrakeLimit(
  app: INestApplicationContext,
  kind: LimitKind,
  atLeast: number,
  sharePercent = 0,
): Promise<void> {
  await inTransaction(app.get(DataSource), (tx) =>
    app.get(BrakeLimits).set(tx, kind, { atLeast, sharePercent }, SYSTEM),
  );
}

/** For a suite that does more within an hour than any limit lets pass, and is about something else. */
export async function liftBrakeLimits(app: INestApplicationContext): Promise<void> {
  for (const kind of BRAKE_KINDS) await aBrakeLimit(app, kind, 1_000_000, 100);
}
