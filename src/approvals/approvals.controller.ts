import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { APPROVAL_STATES } from './approval.entity.js';
import { ApprovalDetails, approvalDetails, ApprovalView, approvalView, ListedApproval } from './approvals-views.js';
import { Approvals } from './approvals.service.js';

const ApprovalsQuery = PageQuery.extend({
  state: z.enum(APPROVAL_STATES).optional(),
  targetId: z.uuid().optional(),
});
const Decision = z.strictObject({ note: z.string().trim().min(3).max(2_000).optional() });

@ApiTags('approvals')
@Controller('v1/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: Approvals) {}

  @Get()
  @Allow('approvals:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ListedApproval), description: 'Newest first.' })
  async list(
    @Query({ schema: ApprovalsQuery }) query: z.infer<typeof ApprovalsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ListedApproval>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.approvals.list(actor, filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    const decidable = await this.approvals.decidable(actor, rows);
    return toPage(
      rows,
      limit,
      ({ id }) => ({ key: '', id }),
      (row) => ({ ...approvalView(row), mayDecide: decidable.has(row.id) }),
    );
  }

  @Get(':id')
  @Allow('approvals:read', 'within-reach')
  @ApiOkResponse({ standardSchema: ApprovalDetails, description: 'With everything that would happen.' })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalDetails>> {
    return approvalDetails(await this.approvals.get(actor, id));
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Allow('approvals:decide', 'within-reach')
  @FreshSignIn()
  @ApiOkResponse({ standardSchema: ApprovalView, description: 'The act is carried out, once.' })
  async approve(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: Decision }) { note }: z.infer<typeof Decision>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalView>> {
    return approvalView(await this.approvals.approve(id, note, actor));
  }

  @Post(':id/refuse')
  @HttpCode(200)
  @Allow('approvals:decide', 'within-reach')
  @ApiOkResponse({ standardSchema: ApprovalView, description: 'Nothing happens; it may be requested anew.' })
  async refuse(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: Decision }) { note }: z.infer<typeof Decision>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalView>> {
    return approvalView(await this.approvals.refuse(id, note, actor));
  }
}
