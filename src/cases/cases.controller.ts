import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CasesReader } from './cases-reader.service.js';
import {
  AlertView,
  alertView,
  CaseDetails,
  caseDetails,
  CasesQueryFilters,
  CaseView,
  caseView,
} from './cases-views.js';

const CasesQuery = PageQuery.extend(CasesQueryFilters);

const AlertsQuery = PageQuery.extend({
  state: z.enum(['open', 'resolved']).optional(),
  about: z.enum(['step', 'other']).optional().describe('A step, or anything else.'),
});

@ApiTags('cases')
@Controller('v1')
export class CasesController {
  constructor(private readonly reader: CasesReader) {}

  @Get('cases')
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(CaseView), description: 'Newest first.' })
  async list(
    @Query({ schema: CasesQuery }) query: z.infer<typeof CasesQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof CaseView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.reader.list(actor, filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(
      rows,
      limit,
      ({ id }) => ({ key: '', id }),
      (row) => caseView(row, actor),
    );
  }

  @Get('cases/:id')
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: CaseDetails, description: 'With each step, and each call that was made for it.' })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof CaseDetails>> {
    return caseDetails(await this.reader.inFull(actor, id), actor);
  }

  @Get('alerts')
  @Allow('alerts:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(AlertView), description: 'Newest first.' })
  async alerts(
    @Query({ schema: AlertsQuery }) query: z.infer<typeof AlertsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof AlertView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.reader.alerts(actor, filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), alertView);
  }
}
