import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CasesReader } from './cases-reader.service.js';
import { StepView, stepView } from './cases-views.js';

@ApiTags('steps')
@Controller('v1/duties')
export class DutiesController {
  constructor(private readonly reader: CasesReader) {}

  /** What stands still until somebody does something, in the order in which it has to be done. */
  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(StepView), description: 'Steps that need a person, by deadline.' })
  async list(
    @Query({ schema: PageQuery }) { limit, cursor }: z.infer<typeof PageQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof StepView>>> {
    const after = positionOf(cursor, z.iso.datetime());
    const rows = await this.reader.duties(actor, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ due, id }) => ({ key: due, id }), stepView);
  }
}
