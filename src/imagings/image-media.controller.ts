import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { BeginMedium, ImageMediumView, imageMediumView, ReadBack } from '../images/image-media-views.js';
import { ImageMedia } from '../images/image-media.service.js';

const MediaQuery = PageQuery.extend({
  serial: z.string().max(200).optional(),
  imageVersionId: z.uuid().optional(),
});

/** Its module stands before that of images: `media` is no image's id. A stick is nobody's: every reach takes it in. */
@ApiTags('images')
@Controller('v1/images/media')
export class ImageMediaController {
  constructor(
    private readonly db: DataSource,
    private readonly media: ImageMedia,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ImageMediumView), description: 'Newest writing first.' })
  async list(
    @Query({ schema: MediaQuery }) query: z.infer<typeof MediaQuery>,
  ): Promise<Page<z.infer<typeof ImageMediumView>>> {
    const { limit, cursor, ...filter } = query;
    const before = positionOf(cursor)?.id ?? null;
    const rows = await this.media.list(this.db.manager, filter, { before, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), imageMediumView);
  }

  @Post()
  @Allow('devices:write', 'within-reach')
  @ApiOperation({
    summary: 'An image is going to be written to a stick; until it is read back it counts as not verified',
  })
  @ApiCreatedResponse({ standardSchema: ImageMediumView })
  async begin(
    @Body({ schema: BeginMedium }) body: z.infer<typeof BeginMedium>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImageMediumView>> {
    return imageMediumView(await inTransaction(this.db, (tx) => this.media.begin(tx, actor, body)));
  }

  @Post(':id/read-backs')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'What was found when the stick was read back, after it was written or later' })
  @ApiOkResponse({ standardSchema: ImageMediumView })
  async readBack(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ReadBack }) body: z.infer<typeof ReadBack>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImageMediumView>> {
    return imageMediumView(await inTransaction(this.db, (tx) => this.media.readBack(tx, actor, id, body)));
  }
}
