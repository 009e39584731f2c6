import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CasesReader } from './cases-reader.service.js';
import { StepView, stepView } from './cases-views.js';
import { StepDecisions } from './step-decisions.service.js';
import { LANES, STEP_STATES } from './step-states.js';

const StepsQuery = PageQuery.extend({
  state: z.enum(STEP_STATES).optional(),
  lane: z.enum(LANES).optional(),
  toolId: z.uuid().optional(),
  personId: z.uuid().optional(),
  caseId: z.uuid().optional(),
  owner: z.string().max(320).optional(),
});

const Sentence = z.string().trim().min(3, 'say in a few words').max(2_000);
const CompleteStep = z.strictObject({ note: Sentence.describe('What was done, and how it can be seen.') });
const ConfirmStep = z.strictObject({ note: Sentence.describe('How you have seen that it is done.') });
const WaiveStep = z.strictObject({ reason: Sentence.describe('Why nobody will do it.') });

@ApiTags('steps')
@Controller('v1/steps')
export class StepsController {
  constructor(
    private readonly reader: CasesReader,
    private readonly decisions: StepDecisions,
  ) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(StepView), description: 'Newest first.' })
  async list(
    @Query({ schema: StepsQuery }) query: z.infer<typeof StepsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof StepView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.reader.steps(actor, filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), stepView);
  }

  /** "I did it by hand." A tool that can be asked is asked; only then is the step done. */
  @Post(':id/complete')
  @HttpCode(200)
  @Allow('steps:decide', 'within-reach')
  @ApiOkResponse({ standardSchema: StepView })
  async complete(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: CompleteStep }) { note }: z.infer<typeof CompleteStep>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof StepView>> {
    return stepView(await this.decisions.complete(id, note, actor));
  }

  /** "I have seen it." By another person than the one who did it, at a tool that asks for two. */
  @Post(':id/confirm')
  @HttpCode(200)
  @Allow('steps:confirm', 'within-reach')
  @ApiOkResponse({ standardSchema: StepView })
  async confirm(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ConfirmStep }) { note }: z.infer<typeof ConfirmStep>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof StepView>> {
    return stepView(await this.decisions.confirm(id, note, actor));
  }

  @Post(':id/waive')
  @HttpCode(200)
  @Allow('steps:decide', 'within-reach')
  @ApiOkResponse({ standardSchema: StepView })
  async waive(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: WaiveStep }) { reason }: z.infer<typeof WaiveStep>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof StepView>> {
    return stepView(await this.decisions.waive(id, reason, actor));
  }

  @Post(':id/retry')
  @HttpCode(200)
  @Allow('steps:decide', 'within-reach')
  @ApiOkResponse({ standardSchema: StepView })
  async retry(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof StepView>> {
    return stepView(await this.decisions.retry(id, actor));
  }
}
