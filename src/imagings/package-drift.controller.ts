import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { PACKAGES_UNKNOWN_BECAUSE } from './package-drift.js';
import { PackageDrifts } from './package-drift.service.js';

const PinnedView = z.object({ name: z.string(), version: z.string(), list: z.string() });

const PackageDriftView = z.object({
  deviceId: z.uuid(),
  imageVersionId: z.uuid().nullable().describe('The version that it was given, by the record.'),
  observedAt: z.iso.datetime().nullable().describe('Of its newest list; null: it never told one.'),
  unknownBecause: z
    .enum(PACKAGES_UNKNOWN_BECAUSE)
    .nullable()
    .describe('Why there is nothing to say of it, which isn’t that all is well; null: it was compared.'),
  missing: z.array(PinnedView).nullable(),
  otherVersion: z
    .array(PinnedView.extend({ installed: z.array(z.string()).describe('The versions that are there instead.') }))
    .nullable(),
  extra: z.int().nullable().describe('How many are installed that the image doesn’t pin. They are counted only.'),
});

@ApiTags('images')
@Controller('v1/devices/:id/packages/drift')
export class PackageDriftController {
  constructor(
    private readonly db: DataSource,
    private readonly drifts: PackageDrifts,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'What its packages differ in from those that its image pins' })
  @ApiOkResponse({ standardSchema: PackageDriftView })
  async of(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof PackageDriftView>> {
    const { imageVersionId, observedAt, unknownBecause, comparison } = await this.drifts.of(this.db.manager, actor, id);
    return {
      deviceId: id,
      imageVersionId,
      observedAt: observedAt?.toISOString() ?? null,
      unknownBecause,
      missing: comparison?.missing ?? null,
      otherVersion: comparison?.otherVersion ?? null,
      extra: comparison?.extra ?? null,
    };
  }
}
