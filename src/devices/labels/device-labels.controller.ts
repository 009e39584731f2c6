import { Controller, Get, Header, HttpCode, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { DevicesService } from '../devices.service.js';
import { DeviceLabels } from './device-labels.service.js';
import { labelSvg } from './label.js';

const SVG = { 'image/svg+xml': { schema: { type: 'string' } } } as const;

@ApiTags('devices')
@Controller()
export class DeviceLabelsController {
  constructor(
    private readonly db: DataSource,
    private readonly labels: DeviceLabels,
    private readonly devices: DevicesService,
  ) {}

  @Get('v1/devices/:id/label')
  @Allow('devices:read', 'within-reach')
  @Header('Content-Type', 'image/svg+xml')
  @ApiProduces('image/svg+xml')
  @ApiOperation({ summary: 'A label to stick on it, 62 × 29 mm, with a code that leads to it' })
  @ApiOkResponse({ content: SVG })
  async ofDevice(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return labelSvg(await this.labels.ofDevice(this.db.manager, actor, id));
  }

  @Get('v1/returns/:id/label')
  @Allow('devices:read', 'within-reach')
  @Header('Content-Type', 'image/svg+xml')
  @ApiProduces('image/svg+xml')
  @ApiOperation({ summary: 'A label for its parcel: where it is to go' })
  @ApiOkResponse({ content: SVG })
  async ofReturn(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return labelSvg(await this.labels.ofReturn(this.db.manager, actor, id));
  }

  /** Where the code on a label leads. Whoever scans it without a sign-in learns nothing of the device. */
  @Get('d/:assetTag')
  @HttpCode(303)
  @Allow('devices:read', 'within-reach')
  @ApiExcludeEndpoint()
  async byTag(
    @Param('assetTag', { schema: z.string().max(200) }) assetTag: string,
    @CurrentActor() actor: Actor,
    @Req() { browser }: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { id } = await this.devices.byTag(this.db.manager, actor, assetTag);
    response.redirect(303, browser ? `/app/devices/${id}` : `/v1/devices/${id}`);
  }
}
