import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { PutSite, SiteView, siteView } from './people-views.js';
import { SitesService } from './sites.service.js';

const SiteName = z.string().trim().min(1).max(200);

@ApiTags('people')
@Controller('v1/sites')
export class SitesController {
  constructor(
    private readonly db: DataSource,
    private readonly sites: SitesService,
  ) {}

  @Get()
  @Allow('people:read', 'within-reach')
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(SiteView) }), description: 'All of them, by name.' })
  async list(): Promise<{ items: z.infer<typeof SiteView>[] }> {
    return { items: (await this.sites.list(this.db.manager)).map(siteView) };
  }

  @Put(':name')
  @Allow('people:write')
  @ApiOkResponse({ standardSchema: SiteView })
  async put(
    @Param('name', { schema: SiteName }) name: string,
    @Body({ schema: PutSite }) { zone, address }: z.infer<typeof PutSite>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof SiteView>> {
    return siteView(await inTransaction(this.db, (tx) => this.sites.put(tx, actor, name, zone, address)));
  }
}
