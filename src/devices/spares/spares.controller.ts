import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Instant } from '../../platform/http/instant.js';
import { PageQuery, positionOf, toPage } from '../../platform/http/page.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { Replacements, type LeadTime } from './replacements.service.js';
import { Spares } from './spares.service.js';

const ShelfView = z.object({
  modelId: z.uuid(),
  modelName: z.string(),
  siteId: z.uuid().nullable(),
  siteName: z.string().nullable(),
  inStock: z.int(),
  ready: z.int().describe('Can really be given: in stock, working, standard, with the current version of its image.'),
  faulty: z.int(),
  imageOutdated: z.int().describe('Without the current version of its image, or without any.'),
  minimum: z.int().describe('How many there should be; 0: nobody said.'),
  short: z.int().describe('How many are missing.'),
});

const SparesQuery = z.object({
  siteId: z.uuid().optional(),
  modelId: z.uuid().optional(),
  short: z.enum(['true']).optional().describe('Only where there are fewer than there should be.'),
});

const Told = z.iso.datetime();

const LeadTimeView = z.object({
  lossCaseId: z.uuid(),
  lostDeviceId: z.uuid(),
  personId: z.uuid(),
  lostAt: Told,
  reservedDeviceId: z.uuid().nullable().describe('The spare that was kept at once; null: there was none.'),
  replacementDeviceId: z.uuid().nullable().describe('The next device that they were given.'),
  replacedAt: Told.nullable(),
  checkedInAt: Told.nullable().describe('When it was first seen after that.'),
  leadSeconds: z.number().nullable().describe('From the loss to that.'),
});

const LeadTimesView = z.object({
  losses: z.int(),
  measured: z.int().describe('Those whose replacement has checked in.'),
  medianSeconds: z.number().nullable(),
  p95Seconds: z.number().nullable(),
  items: z.array(LeadTimeView),
  next: z.string().nullable().describe('Cursor of the next page.'),
});

const LeadTimesQuery = PageQuery.extend({
  since: Instant.optional().describe('Losses from then on; left out: all.'),
});

@ApiTags('devices')
@Controller('v1')
export class SparesController {
  constructor(
    private readonly db: DataSource,
    private readonly spares: Spares,
    private readonly replacements: Replacements,
  ) {}

  @Get('devices/spares')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'What is on the shelves, by model and site, and whether it is enough' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(ShelfView) }) })
  async list(
    @Query({ schema: SparesQuery }) { short, ...where }: z.infer<typeof SparesQuery>,
  ): Promise<{ items: z.infer<typeof ShelfView>[] }> {
    return { items: await this.spares.list(this.db.manager, { ...where, short: short !== undefined }) };
  }

  @Get('lost-devices/lead-times')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'How long it took from each loss to the replacement’s first check-in' })
  @ApiOkResponse({ standardSchema: LeadTimesView, description: 'The figures are over all of them, not over one page.' })
  async leadTimes(
    @Query({ schema: LeadTimesQuery }) { limit, cursor, since }: z.infer<typeof LeadTimesQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LeadTimesView>> {
    const from = since === undefined ? null : new Date(since);
    const before = positionOf(cursor)?.id ?? null;
    const rows = await this.replacements.list(this.db.manager, actor, { since: from, before, limit: limit + 1 });
    return {
      ...(await this.replacements.summary(this.db.manager, actor, from)),
      ...toPage(rows, limit, ({ lossCaseId }) => ({ key: '', id: lossCaseId }), leadTimeView),
    };
  }
}

function leadTimeView({ lostAt, replacedAt, checkedInAt, ...rest }: LeadTime): z.infer<typeof LeadTimeView> {
  return {
    ...rest,
    lostAt: lostAt.toISOString(),
    replacedAt: replacedAt?.toISOString() ?? null,
    checkedInAt: checkedInAt?.toISOString() ?? null,
  };
}
