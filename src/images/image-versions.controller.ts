import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf, IfMatch } from '../platform/http/versions.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { IMAGE_CHANNELS } from './image-channels.js';
import { ARCHITECTURES } from './image-version.entity.js';
import { ImageVersions, type ImageVersionDetails } from './image-versions.service.js';
import { ChangeImageVersion, ImageVersionView, imageVersionView } from './images-views.js';

const Id = z.uuid();
const VersionsQuery = PageQuery.extend({
  imageId: z.uuid().optional(),
  image: z.string().max(200).optional().describe('The image’s name.'),
  version: z.string().max(100).optional(),
  channel: z.enum(IMAGE_CHANNELS).optional(),
  architecture: z.enum(ARCHITECTURES).optional(),
});

/** Stands before `ImagesController`, which would take `versions` for an id. */
@ApiTags('images')
@Controller('v1/images/versions')
export class ImageVersionsController {
  constructor(
    private readonly db: DataSource,
    private readonly versions: ImageVersions,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ImageVersionView) })
  async list(
    @Query({ schema: VersionsQuery }) query: z.infer<typeof VersionsQuery>,
  ): Promise<Page<z.infer<typeof ImageVersionView>>> {
    const { limit, cursor, ...filter } = query;
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.versions.list(this.db.manager, filter, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), imageVersionView);
  }

  @Get(':id')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: ImageVersionView })
  async one(
    @Param('id', { schema: Id }) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImageVersionView>> {
    return answerVersion(response, await this.versions.get(this.db.manager, id));
  }

  @Patch(':id')
  @Allow('images:write')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that your last GET answered.' })
  @ApiOperation({ summary: 'Change what a draft says of itself, or sign it' })
  @ApiOkResponse({ standardSchema: ImageVersionView })
  async change(
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: ChangeImageVersion }) body: z.infer<typeof ChangeImageVersion>,
    @IfMatch() revision: number,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImageVersionView>> {
    return answerVersion(
      response,
      await inTransaction(this.db, (tx) => this.versions.change(tx, actor, id, body, revision)),
    );
  }

  @Post(':id/publish')
  @HttpCode(200)
  @Allow('images:publish')
  @FreshSignIn()
  @ApiOperation({
    summary: 'Make it the current one of its image and architecture',
    description:
      'A draft, or a deprecated one again. Its content has to be there, and signed by a key that isn’t retired.',
  })
  @ApiOkResponse({ standardSchema: ImageVersionView })
  async publish(
    @Param('id', { schema: Id }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImageVersionView>> {
    return answerVersion(response, await inTransaction(this.db, (tx) => this.versions.publish(tx, actor, id)));
  }

  @Post(':id/deprecate')
  @HttpCode(200)
  @Allow('images:publish')
  @FreshSignIn()
  @ApiOperation({ summary: 'It may go on being used, but isn’t the current one any more' })
  @ApiOkResponse({ standardSchema: ImageVersionView })
  async deprecate(
    @Param('id', { schema: Id }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImageVersionView>> {
    return answerVersion(response, await inTransaction(this.db, (tx) => this.versions.deprecate(tx, actor, id)));
  }
}

export function answerVersion(response: Response, version: ImageVersionDetails): z.infer<typeof ImageVersionView> {
  response.setHeader('ETag', etagOf(version.revision));
  return imageVersionView(version);
}
