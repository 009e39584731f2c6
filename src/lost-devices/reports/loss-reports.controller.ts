import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../../platform/http/page.js';
import { NeverLimited } from '../../platform/rate-limits/never-limited.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { CONFIRMED_HOW, LOSS_REPORT_STATES, type LossReport } from './loss-report.entity.js';
import { LossReports } from './loss-reports.service.js';

const Name = z.string().trim().min(1).max(200).optional();

const ConfirmReport = z.strictObject({
  how: z
    .enum(CONFIRMED_HOW)
    .describe('How you know that it is they: called back on a number known before, seen in person, or vouched for.'),
  note: z.string().trim().min(3).max(2_000).describe('What you learnt, and who vouched.'),
  deviceId: z
    .uuid()
    .optional()
    .describe('Without a device, the one whose asset tag they told, if it is in their name.'),
  assetTag: Name,
  serial: Name,
  scope: z.enum(['person', 'device']).optional(),
});
const DismissReport = z.strictObject({ reason: z.string().trim().min(3).max(2_000) });
const LossReportsQuery = PageQuery.extend({ state: z.enum(LOSS_REPORT_STATES).optional() });

const LossReportView = z.object({
  id: z.uuid(),
  email: z.string().describe('As they typed it: nobody checked whose it is. Empty once it is erased.'),
  assetTag: z.string().nullable(),
  phone: z.string().nullable().describe('As they typed it; forgotten once it is decided.'),
  words: z.string().nullable(),
  fromAddress: z.string().nullable(),
  times: z.int().describe('How often it was said while it waited.'),
  reportedAt: z.iso.datetime(),
  state: z.enum(LOSS_REPORT_STATES),
  confirmedHow: z.enum(CONFIRMED_HOW).nullable(),
  caseId: z.uuid().nullable().describe('The loss, once it is confirmed.'),
  decidedAt: z.iso.datetime().nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  erasedAt: z.iso
    .datetime()
    .nullable()
    .describe('When address, words and reasons were erased (`LOSS_REPORTS_KEPT_DAYS`); the decision stays.'),
});

const Confirmed = z.object({
  caseId: z.uuid(),
  again: z.boolean().describe('True: this loss was reported before, and this is its case.'),
});

/** What people say at `/lost` who have no code. */
@ApiTags('lost devices')
@Controller('v1/loss-reports')
export class LossReportsController {
  constructor(private readonly reports: LossReports) {}

  @Get()
  @Allow('lost-devices:report')
  @ApiOkResponse({ standardSchema: pageOf(LossReportView), description: 'Newest first.' })
  async list(
    @Query({ schema: LossReportsQuery }) { state, limit, cursor }: z.infer<typeof LossReportsQuery>,
  ): Promise<Page<z.infer<typeof LossReportView>>> {
    const rows = await this.reports.list(state, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), lossReportView);
  }

  @Get(':id')
  @Allow('lost-devices:report')
  @ApiOkResponse({ standardSchema: LossReportView })
  async get(@Param('id', { schema: z.uuid() }) id: string): Promise<z.infer<typeof LossReportView>> {
    return lossReportView(await this.reports.get(id));
  }

  @Post(':id/confirm')
  @HttpCode(202)
  @Allow('lost-devices:report')
  @NeverLimited()
  @ApiOperation({ summary: 'It is really they: report the loss, which cuts access at once' })
  @ApiAcceptedResponse({ standardSchema: Confirmed })
  async confirm(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ConfirmReport }) body: z.infer<typeof ConfirmReport>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof Confirmed>> {
    return this.reports.confirm(actor, id, body);
  }

  @Post(':id/dismiss')
  @HttpCode(204)
  @Allow('lost-devices:report')
  @ApiOperation({ summary: 'It is nobody of ours, or nothing was lost' })
  @ApiNoContentResponse()
  async dismiss(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: DismissReport }) { reason }: z.infer<typeof DismissReport>,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.reports.dismiss(actor, id, reason);
  }
}

function lossReportView(report: LossReport): z.infer<typeof LossReportView> {
  const { id, email, assetTag, phone, words, fromAddress, times, state, confirmedHow, caseId } = report;
  return {
    id,
    email,
    assetTag,
    phone,
    words,
    fromAddress,
    times,
    reportedAt: report.reportedAt.toISOString(),
    state,
    confirmedHow,
    caseId,
    decidedAt: report.decidedAt?.toISOString() ?? null,
    decidedBy: report.decidedBy,
    reason: report.reason,
    erasedAt: report.erasedAt?.toISOString() ?? null,
  };
}
