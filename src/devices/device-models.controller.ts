import { Body, Controller, Get, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf, IfMatch } from '../platform/http/versions.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { ChangeDeviceModel, CreateDeviceModel, DeviceModelView, deviceModelView } from './device-models-views.js';
import { DeviceModelsService, type KnownModel } from './device-models.service.js';

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

  @Get(':id')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: DeviceModelView })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceModelView>> {
    return withEtag(response, await this.models.get(this.db.manager, id));
  }

  @Post()
  @Allow('devices:write')
  @ApiCreatedResponse({ standardSchema: DeviceModelView })
  async create(
    @Body({ schema: CreateDeviceModel }) body: z.infer<typeof CreateDeviceModel>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceModelView>> {
    return withEtag(response, await inTransaction(this.db, (tx) => this.models.create(tx, actor, body)));
  }

  @Patch(':id')
  @Allow('devices:write')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that your last GET answered.' })
  @ApiOkResponse({ standardSchema: DeviceModelView })
  async change(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ChangeDeviceModel }) body: z.infer<typeof ChangeDeviceModel>,
    @IfMatch() version: number,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceModelView>> {
    return withEtag(response, await inTransaction(this.db, (tx) => this.models.update(tx, actor, id, body, version)));
  }
}

function withEtag(response: Response, model: KnownModel): z.infer<typeof DeviceModelView> {
  response.setHeader('ETag', etagOf(model.version));
  return deviceModelView(model);
}
