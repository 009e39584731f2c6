import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { AddReleaseKey, ReleaseKeyView, releaseKeyView } from './images-views.js';
import { ReleaseKeys } from './release-keys.service.js';

const KeyList = z.object({ items: z.array(ReleaseKeyView) });

@ApiTags('images')
@Controller('v1/images/release-keys')
export class ReleaseKeysController {
  constructor(
    private readonly db: DataSource,
    private readonly keys: ReleaseKeys,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: KeyList, description: 'All of them, the oldest first; retired ones too.' })
  async list(): Promise<z.infer<typeof KeyList>> {
    return { items: (await this.keys.list(this.db.manager)).map(releaseKeyView) };
  }

  @Post()
  @Allow('images:trust-keys')
  @FreshSignIn()
  @ApiOperation({ summary: 'Take a public key whose signature an image version may be published with' })
  @ApiCreatedResponse({ standardSchema: ReleaseKeyView })
  async add(
    @Body({ schema: AddReleaseKey }) { name, publicKey }: z.infer<typeof AddReleaseKey>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ReleaseKeyView>> {
    return releaseKeyView(await inTransaction(this.db, (tx) => this.keys.add(tx, actor, name, publicKey)));
  }

  @Post(':id/retire')
  @HttpCode(200)
  @Allow('images:trust-keys')
  @ApiOperation({ summary: 'Publish nothing under it any more; what was stays so' })
  @ApiOkResponse({ standardSchema: ReleaseKeyView })
  async retire(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ReleaseKeyView>> {
    return releaseKeyView(await inTransaction(this.db, (tx) => this.keys.retire(tx, actor, id)));
  }
}
