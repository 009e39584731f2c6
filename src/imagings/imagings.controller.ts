import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { ImageVersions } from '../images/image-versions.service.js';
import { Withdrawal } from '../images/images-views.js';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { ImageCarriers } from './image-carriers.service.js';
import { DRIFT_FINDINGS } from './image-drift.js';
import { ImageDrift } from './image-drift.service.js';
import {
  CarryingDeviceView,
  carryingDeviceView,
  DriftingDeviceView,
  driftingDeviceView,
  ImagingView,
  imagingView,
  RecordImaging,
  WithdrawnView,
  withdrawnView,
} from './imagings-views.js';
import { Imagings } from './imagings.service.js';

const Id = z.uuid();
const DriftQuery = PageQuery.extend({
  finding: z.enum(DRIFT_FINDINGS).optional(),
  imageId: z.uuid().optional().describe('Devices that were given a version of this image.'),
  deviceId: z.uuid().optional().describe('Of this device alone; nothing: it is as it should be.'),
});

/** What joins machines and images. Its module stands before that of images: `drift` is no image's id. */
@ApiTags('images')
@Controller('v1')
export class ImagingsController {
  constructor(
    private readonly db: DataSource,
    private readonly imagings: Imagings,
    private readonly carriers: ImageCarriers,
    private readonly drift: ImageDrift,
    private readonly versions: ImageVersions,
  ) {}

  @Post('devices/:id/imagings')
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'A machine was imaged; from then on it has this version' })
  @ApiCreatedResponse({ standardSchema: ImagingView })
  async record(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: RecordImaging }) { imagedAt, ...body }: z.infer<typeof RecordImaging>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImagingView>> {
    const want = { ...body, imagedAt: imagedAt === undefined ? null : new Date(imagedAt) };
    return imagingView(await inTransaction(this.db, (tx) => this.imagings.record(tx, actor, id, want)));
  }

  @Get('devices/:id/imagings')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ImagingView), description: 'Newest record first.' })
  async ofDevice(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ImagingView>>> {
    const before = positionOf(cursor)?.id ?? null;
    const rows = await this.imagings.ofDevice(this.db.manager, actor, id, { before, limit: limit + 1 });
    return toPage(rows, limit, (row) => ({ key: '', id: row.id }), imagingView);
  }

  @Get('images/versions/:id/imagings')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ImagingView), description: 'Newest record first.' })
  async ofVersion(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ImagingView>>> {
    const before = positionOf(cursor)?.id ?? null;
    const rows = await this.imagings.ofVersion(this.db.manager, actor, id, { before, limit: limit + 1 });
    return toPage(rows, limit, (row) => ({ key: '', id: row.id }), imagingView);
  }

  @Get('images/versions/:id/devices')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'The machines that carry a version: by the record, or by what they told last' })
  @ApiOkResponse({ standardSchema: pageOf(CarryingDeviceView) })
  async devices(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: PageQuery }) { limit, cursor }: PageQuery,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof CarryingDeviceView>>> {
    const after = positionOf(cursor)?.id ?? null;
    const version = await this.versions.get(this.db.manager, id);
    const rows = await this.carriers.devices(this.db.manager, actor, version, { after, limit: limit + 1 });
    return toPage(
      rows,
      limit,
      (row) => ({ key: '', id: row.id }),
      (row) => carryingDeviceView(row, actor),
    );
  }

  @Post('images/versions/:id/withdraw')
  @HttpCode(200)
  @Allow('images:publish')
  @FreshSignIn()
  @ApiOperation({
    summary: 'Nobody may use a version any more, for good',
    description: 'Answers the sticks and the machines that carry it, and an alert tells of them.',
  })
  @ApiOkResponse({ standardSchema: WithdrawnView })
  async withdraw(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: Withdrawal }) { reason }: z.infer<typeof Withdrawal>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof WithdrawnView>> {
    return withdrawnView(await this.carriers.withdraw(actor, id, reason), actor);
  }

  @Get('images/drift')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Machines whose image isn’t as it should be, or isn’t known' })
  @ApiOkResponse({ standardSchema: pageOf(DriftingDeviceView) })
  async drifting(
    @Query({ schema: DriftQuery }) { limit, cursor, ...filter }: z.infer<typeof DriftQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof DriftingDeviceView>>> {
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.drift.list(this.db.manager, actor, filter, { after, limit: limit + 1 });
    return toPage(rows, limit, (row) => ({ key: '', id: row.deviceId }), driftingDeviceView);
  }
}
