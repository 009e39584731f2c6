import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DeviceModelsService } from './device-models.service.js';
import { CreateDeviceModel, DeviceModelView, deviceModelView } from './devices-views.js';

@ApiTags('devices')
@Controller('v1/device-models')
export class DeviceModelsController {
  constructor(
    private readonly db: DataSource,
    private readonly models: DeviceModelsService,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(DeviceModelView) })
  async list(
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
  ): Promise<Page<z.infer<typeof DeviceModelView>>> {
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.models.list(this.db.manager, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), deviceModelView);
  }

  @Post()
  @Allow('devices:write')
  @ApiCreatedResponse({ standardSchema: DeviceModelView })
  async create(
    @Body({ schema: CreateDeviceModel }) body: z.infer<typeof CreateDeviceModel>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof DeviceModelView>> {
    return deviceModelView(await inTransaction(this.db, (tx) => this.models.create(tx, actor, body)));
  }
}
