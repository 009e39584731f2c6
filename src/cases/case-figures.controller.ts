import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CaseFigures, type Counted } from './case-figures.service.js';

const Seconds = z.number().nullable();
const Days = z.int().describe('What is told is of cases of so many days.');
const Revocations = {
  opened: z.int().describe('How many began, those that are still open among them.'),
  cases: z.int().describe('Closed ones in which something was revoked: the times are theirs.'),
  median: Seconds,
  p95: Seconds,
  last: Seconds,
};
const FiguresView = z.object({
  days: Days,
  revocations: z
    .object(Revocations)
    .describe('Of leaves and losses: seconds from the decision until the last tool showed that access is gone.'),
  leavers: z.object({ days: Days, ...Revocations }).describe('The same, of the leaves of a week.'),
});

const REVOCATIONS = { kinds: ['leaver', 'lost_device'], days: 30 } as const satisfies Counted;
const LEAVERS = { kinds: ['leaver'], days: 7 } as const satisfies Counted;

@ApiTags('cases')
@Controller('v1/case-figures')
export class CaseFiguresController {
  constructor(private readonly figures: CaseFigures) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: FiguresView })
  async read(@CurrentActor() actor: Actor): Promise<z.infer<typeof FiguresView>> {
    const [revocations, leavers] = await Promise.all([
      this.figures.revocations(actor, REVOCATIONS),
      this.figures.revocations(actor, LEAVERS),
    ]);
    return { days: REVOCATIONS.days, revocations, leavers: { days: LEAVERS.days, ...leavers } };
  }
}
