import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CaseFigures, FIGURE_DAYS } from './case-figures.service.js';

const Seconds = z.number().nullable();
const FiguresView = z.object({
  days: z.int().describe('What is told is of cases of so many days.'),
  revocations: z
    .object({ cases: z.int(), median: Seconds, p95: Seconds, last: Seconds })
    .describe('Of closed leaves and losses: seconds from the decision until the last tool showed that access is gone.'),
});

@ApiTags('cases')
@Controller('v1/case-figures')
export class CaseFiguresController {
  constructor(private readonly figures: CaseFigures) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: FiguresView })
  async read(@CurrentActor() actor: Actor): Promise<z.infer<typeof FiguresView>> {
    return { days: FIGURE_DAYS, revocations: await this.figures.revocations(actor) };
  }
}
