import { Controller, Delete, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DeviceTokens } from './device-tokens.service.js';

const CreatedToken = z.object({ token: z.string().describe('Shown this once.') });

@ApiTags('devices')
@Controller('v1/devices/:id/token')
export class DeviceTokensController {
  constructor(
    private readonly db: DataSource,
    private readonly tokens: DeviceTokens,
  ) {}

  @Post()
  @Allow('devices:write', 'within-reach')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'A token for this device’s own reporter, which speaks for it and for no other' })
  @ApiCreatedResponse({ standardSchema: CreatedToken, description: 'The one before opens nothing any more.' })
  async create(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof CreatedToken>> {
    return { token: await inTransaction(this.db, (tx) => this.tokens.create(tx, actor, id)) };
  }

  @Delete()
  @HttpCode(204)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Its token opens nothing any more' })
  @ApiNoContentResponse()
  async end(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await inTransaction(this.db, (tx) => this.tokens.end(tx, actor, id));
  }
}
