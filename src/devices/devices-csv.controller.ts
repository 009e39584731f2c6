import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AnswersCsv } from '../platform/csv/answers-csv.js';
import { CsvExports } from '../platform/csv/csv-exports.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DevicesQueryFilters, DeviceView, deviceView } from './devices-views.js';
import { DevicesService } from './devices.service.js';

const DevicesCsvQuery = z.strictObject(DevicesQueryFilters);

@ApiTags('devices')
@Controller('v1/devices.csv')
export class DevicesCsvController {
  constructor(
    private readonly db: DataSource,
    private readonly devices: DevicesService,
    private readonly csv: CsvExports,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @AnswersCsv('devices')
  async download(
    @Query({ schema: DevicesCsvQuery }) filter: z.infer<typeof DevicesCsvQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.csv.send(
      { request, response, actor },
      {
        name: 'devices',
        fields: Object.keys(DeviceView.shape),
        filter,
        typed: ['search'],
        page: (after, limit) => this.devices.list(this.db.manager, actor, filter, { after, limit }),
        view: (device) => deviceView(device, actor),
      },
    );
  }
}
