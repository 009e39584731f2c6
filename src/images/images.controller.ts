import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import {
  AddImageVersion,
  CreateImage,
  ImageDetails,
  ImageVersionView,
  imageVersionView,
  ImageView,
  imageView,
} from './images-views.js';
import { ImagesService } from './images.service.js';

@ApiTags('devices')
@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly db: DataSource,
    private readonly images: ImagesService,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ImageView) })
  async list(@Query({ schema: PageQuery }) { limit, cursor }: PageQuery): Promise<Page<z.infer<typeof ImageView>>> {
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.images.list(this.db.manager, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), imageView);
  }

  @Get(':id')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: ImageDetails })
  async one(@Param('id', { schema: z.uuid() }) id: string): Promise<z.infer<typeof ImageDetails>> {
    const image = await this.images.get(this.db.manager, id);
    const versions = await this.images.versions(this.db.manager, id);
    return { ...imageView(image), versions: versions.map(imageVersionView) };
  }

  @Post()
  @Allow('devices:write')
  @ApiCreatedResponse({ standardSchema: ImageView })
  async create(
    @Body({ schema: CreateImage }) body: z.infer<typeof CreateImage>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImageView>> {
    return imageView(await inTransaction(this.db, (tx) => this.images.create(tx, actor, body.name)));
  }

  @Post(':id/versions')
  @Allow('devices:write')
  @ApiCreatedResponse({ standardSchema: ImageVersionView })
  async addVersion(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: AddImageVersion }) body: z.infer<typeof AddImageVersion>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImageVersionView>> {
    const want = { ...body, releasedAt: new Date(body.releasedAt) };
    return imageVersionView(await inTransaction(this.db, (tx) => this.images.addVersion(tx, actor, id, want)));
  }
}
