import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ApprovalDetails, approvalDetails } from '../approvals/approvals-views.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { BRAKE_STATES } from './brake.entity.js';
import { BrakeDecisions } from './brake-decisions.service.js';
import { BrakeLimitEdits, LimitWish } from './brake-limit-edits.service.js';
import { BrakeLimits } from './brake-limits.service.js';
import { BrakesReader } from './brakes-reader.service.js';
import { BrakeDetails, brakeDetails, BrakeView, brakeView, LimitView } from './brakes-views.js';
import { LIMIT_KINDS } from './decide-brake.js';

const BrakesQuery = PageQuery.extend({ state: z.enum(BRAKE_STATES).optional() });
const Request = z.strictObject({ reason: z.string().trim().min(3).max(2_000) });
const PutLimit = LimitWish.omit({ kinds: true }).extend({
  reason: Request.shape.reason.optional().describe('Why; needed where the limit is raised, for whoever approves it.'),
});
const LimitsView = z.object({ items: z.array(LimitView) });
const LimitEditView = LimitsView.extend({
  approval: ApprovalDetails.nullable().describe('What another person has to approve; null when it is done.'),
});

@ApiTags('brakes')
@Controller('v1')
export class BrakesController {
  constructor(
    private readonly reader: BrakesReader,
    private readonly decisions: BrakeDecisions,
    private readonly limits: BrakeLimits,
    private readonly limitEdits: BrakeLimitEdits,
  ) {}

  @Get('brakes')
  @Allow('brakes:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(BrakeView), description: 'Newest first.' })
  async list(
    @Query({ schema: BrakesQuery }) query: z.infer<typeof BrakesQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof BrakeView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.reader.list(actor, filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), brakeView);
  }

  @Get('brakes/:id')
  @Allow('brakes:read', 'within-reach')
  @ApiOkResponse({ standardSchema: BrakeDetails, description: 'With everybody it holds, and what would be done.' })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof BrakeDetails>> {
    return brakeDetails(await this.decisions.show(actor, id));
  }

  /** Asks another person to let everything go that the brake holds now. */
  @Post('brakes/:id/release')
  @HttpCode(202)
  @Allow('approvals:request', 'within-reach')
  @FreshSignIn()
  @ApiAcceptedResponse({ standardSchema: ApprovalDetails })
  async release(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: Request }) { reason }: z.infer<typeof Request>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalDetails>> {
    return approvalDetails(await this.decisions.request('brake.release', id, reason, actor));
  }

  /** Asks another person to give up everything that the brake holds now. */
  @Post('brakes/:id/discard')
  @HttpCode(202)
  @Allow('approvals:request', 'within-reach')
  @FreshSignIn()
  @ApiAcceptedResponse({ standardSchema: ApprovalDetails })
  async discard(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: Request }) { reason }: z.infer<typeof Request>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalDetails>> {
    return approvalDetails(await this.decisions.request('brake.discard', id, reason, actor));
  }

  @Get('brake-limits')
  @Allow('brakes:read')
  @ApiOkResponse({ standardSchema: LimitsView })
  async listLimits(): Promise<z.infer<typeof LimitsView>> {
    return { items: await this.limits.list() };
  }

  /** Counts from now on; what a brake holds already stays held. To raise one takes two people. */
  @Put('brake-limits/:kind')
  @Allow('brakes:write')
  @FreshSignIn()
  @ApiOkResponse({ standardSchema: LimitEditView, description: 'Lowered; or, where it is raised, asked for.' })
  async setLimit(
    @Param('kind', { schema: z.enum(LIMIT_KINDS) }) kind: z.infer<typeof LimitView>['kind'],
    @Body({ schema: PutLimit }) { reason, ...limit }: z.infer<typeof PutLimit>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LimitEditView>> {
    const approval = await this.limitEdits.change({ kinds: [kind], ...limit }, reason, actor);
    return { items: await this.limits.list(), approval: approval && approvalDetails(approval) };
  }
}
