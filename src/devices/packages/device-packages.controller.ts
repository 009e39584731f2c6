import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Problem } from '../../platform/errors/problem.js';
import { requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { DevicePackagesService } from './device-packages.service.js';

const PackagesView = z.object({
  deviceId: z.uuid(),
  source: z.string(),
  observedAt: z.iso.datetime(),
  recordedAt: z.iso.datetime(),
  packages: z.array(z.object({ name: z.string(), version: z.string(), list: z.string() })),
});

@ApiTags('devices')
@Controller('v1/devices/:id/packages')
export class DevicePackagesController {
  constructor(
    private readonly db: DataSource,
    private readonly packages: DevicePackagesService,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'What is installed on it, as it was last seen' })
  @ApiOkResponse({ standardSchema: PackagesView })
  async of(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof PackagesView>> {
    await requireWithin(this.db.manager, actor, 'device', id);
    const seen = await this.packages.of(this.db.manager, id);
    if (!seen) throw new Problem('not-found', 'There is no such device, or nobody has told what is installed on it.');
    const { deviceId, source, observedAt, recordedAt, packages } = seen;
    return {
      deviceId,
      source,
      observedAt: observedAt.toISOString(),
      recordedAt: recordedAt.toISOString(),
      packages: packages.map(({ name, version, list }) => ({ name, version, list })),
    };
  }
}
