import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf, IfMatch } from '../platform/http/versions.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { AddObservation, newObservation } from './add-observation.js';
import type { Device } from './device.entity.js';
import {
  AgedObservationView,
  agedObservationView,
  ChangeDevice,
  CreateDevice,
  DeviceDetails,
  DevicesQueryFilters,
  DeviceView,
  deviceView,
  ForPerson,
  ObservationView,
  observationView,
} from './devices-views.js';
import { DevicesService } from './devices.service.js';
import { ObservationsService } from './observations.service.js';

const DevicesQuery = PageQuery.extend(DevicesQueryFilters);

@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(
    private readonly db: DataSource,
    private readonly devices: DevicesService,
    private readonly observations: ObservationsService,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(DeviceView) })
  async list(
    @Query({ schema: DevicesQuery }) query: z.infer<typeof DevicesQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof DeviceView>>> {
    const { limit, cursor, ...filter } = query;
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.devices.list(this.db.manager, actor, filter, { after, limit: limit + 1 });
    return toPage(
      rows,
      limit,
      ({ id }) => ({ key: '', id }),
      (device) => deviceView(device, actor),
    );
  }

  @Get(':id')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: DeviceDetails })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceDetails>> {
    await requireWithin(this.db.manager, actor, 'device', id);
    const device = await this.devices.get(this.db.manager, id);
    const observations = await this.observations.latestOfEach(this.db.manager, id);
    response.setHeader('ETag', etagOf(device.version));
    return { ...deviceView(device, actor), observations: observations.map(agedObservationView) };
  }

  @Post()
  @Allow('devices:write')
  @ApiCreatedResponse({ standardSchema: DeviceView })
  async create(
    @Body({ schema: CreateDevice }) body: z.infer<typeof CreateDevice>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceView>> {
    const device = await inTransaction(this.db, (tx) => this.devices.create(tx, actor, body));
    response.setHeader('Location', `/v1/devices/${device.id}`);
    return withEtag(response, device, actor);
  }

  @Patch(':id')
  @Allow('devices:write', 'within-reach')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that your last GET answered.' })
  @ApiOkResponse({ standardSchema: DeviceView })
  async change(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ChangeDevice }) body: z.infer<typeof ChangeDevice>,
    @IfMatch() version: number,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceView>> {
    return withEtag(
      response,
      await inTransaction(this.db, (tx) => this.devices.update(tx, actor, id, body, version)),
      actor,
    );
  }

  @Post(':id/assign')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOkResponse({ standardSchema: DeviceView })
  async assign(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ForPerson }) body: z.infer<typeof ForPerson>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceView>> {
    return withEtag(
      response,
      await inTransaction(this.db, (tx) => this.devices.assign(tx, actor, id, body.personId)),
      actor,
    );
  }

  @Post(':id/reserve')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Keep one in stock for somebody; a change of its state to in_stock lets it go again' })
  @ApiOkResponse({ standardSchema: DeviceView })
  async reserve(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ForPerson }) body: z.infer<typeof ForPerson>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceView>> {
    return withEtag(
      response,
      await inTransaction(this.db, (tx) => this.devices.reserve(tx, actor, id, body.personId)),
      actor,
    );
  }

  @Post(':id/return')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOkResponse({ standardSchema: DeviceView })
  async takeBack(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DeviceView>> {
    return withEtag(response, await inTransaction(this.db, (tx) => this.devices.takeBack(tx, actor, id)), actor);
  }

  @Get(':id/observations')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ObservationView), description: 'All of them, newest record first.' })
  async history(
    @Param('id', { schema: z.uuid() }) id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ObservationView>>> {
    await requireWithin(this.db.manager, actor, 'device', id);
    await this.devices.get(this.db.manager, id);
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.observations.list(this.db.manager, id, { after, limit: limit + 1 });
    return toPage(rows, limit, (row) => ({ key: '', id: row.id }), observationView);
  }

  @Post(':id/observations')
  @Allow('devices:write', 'within-reach')
  @ApiCreatedResponse({ standardSchema: AgedObservationView })
  async observe(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: AddObservation }) body: z.infer<typeof AddObservation>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof AgedObservationView>> {
    const seen = newObservation(body);
    return agedObservationView(await inTransaction(this.db, (tx) => this.observations.add(tx, actor, id, seen)));
  }
}

function withEtag(response: Response, device: Device, actor: Actor): z.infer<typeof DeviceView> {
  response.setHeader('ETag', etagOf(device.version));
  return deviceView(device, actor);
}
