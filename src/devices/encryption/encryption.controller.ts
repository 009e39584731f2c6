import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Instant } from '../../platform/http/instant.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../../platform/http/page.js';
import { requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { EncryptionKnowledge } from './encryption-knowledge.service.js';
import {
  EncryptionOverviewView,
  encryptionOverviewView,
  EncryptionReportView,
  encryptionReportView,
  KnownEncryptionView,
  knownEncryptionView,
} from './encryption-views.js';

const KnownQuery = z.object({
  at: Instant.optional().describe('What was known at this instant; without it, now.'),
});

@ApiTags('devices')
@Controller('v1/devices')
export class EncryptionController {
  constructor(
    private readonly db: DataSource,
    private readonly knowledge: EncryptionKnowledge,
  ) {}

  @Get('encryption')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'How many devices are encrypted as far as anybody knows, and how old that knowledge is' })
  @ApiOkResponse({ standardSchema: EncryptionOverviewView })
  async overview(@CurrentActor() actor: Actor): Promise<z.infer<typeof EncryptionOverviewView>> {
    return encryptionOverviewView(await this.knowledge.overview(this.db.manager, actor));
  }

  @Get(':id/encryption')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'What was known of this device’s disks at an instant, and how old it was' })
  @ApiOkResponse({ standardSchema: KnownEncryptionView })
  async known(
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: KnownQuery }) { at }: z.infer<typeof KnownQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof KnownEncryptionView>> {
    const { manager } = this.db;
    await requireWithin(manager, actor, 'device', id);
    return knownEncryptionView(id, await this.knowledge.at(manager, id, at === undefined ? null : new Date(at)));
  }

  @Get(':id/encryption/history')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Every report of its disks, newest record first, with what the agent said' })
  @ApiOkResponse({ standardSchema: pageOf(EncryptionReportView) })
  async history(
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof EncryptionReportView>>> {
    const { manager } = this.db;
    await requireWithin(manager, actor, 'device', id);
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.knowledge.history(manager, id, { after, limit: limit + 1 });
    return toPage(rows, limit, (row) => ({ key: '', id: row.id }), encryptionReportView);
  }
}
