import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { answerVersion } from './image-versions.controller.js';
import { ImageVersions } from './image-versions.service.js';
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

@ApiTags('images')
@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly db: DataSource,
    private readonly images: ImagesService,
    private readonly versions: ImageVersions,
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
    const versions = await this.versions.ofImage(this.db.manager, id);
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
  @ApiCreatedResponse({ standardSchema: ImageVersionView, description: 'A draft.' })
  async addVersion(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: AddImageVersion }) body: z.infer<typeof AddImageVersion>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImageVersionView>> {
    const want = { ...body, releasedAt: body.releasedAt === undefined ? null : new Date(body.releasedAt) };
    const version = await inTransaction(this.db, (tx) => this.versions.add(tx, actor, id, want));
    response.setHeader('Location', `/v1/images/versions/${version.id}`);
    return answerVersion(response, version);
  }
}
