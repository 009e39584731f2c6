import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { REPORTING_ENDS } from '../devices/reporting-ends.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import type { DeviceToken } from './device-token.entity.js';
import { DeviceTokens } from './device-tokens.service.js';

const CreatedToken = z.object({ token: z.string().describe('Shown this once.') });

const TokenView = z.object({
  madeBy: z.string(),
  madeAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable().describe('To the minute.'),
  endedAt: z.iso.datetime().nullable(),
  endedBecause: z
    .enum(REPORTING_ENDS)
    .nullable()
    .describe('`handed_back`: the device left the person who had it, who may have kept a copy. Make another one.'),
});
const ShownToken = z.object({ token: TokenView.nullable().describe('The newest; null: none was ever made.') });

@ApiTags('devices')
@Controller('v1/devices/:id/token')
export class DeviceTokensController {
  constructor(
    private readonly db: DataSource,
    private readonly tokens: DeviceTokens,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Since when this device’s own reporter has a token, and why it ended; never the token' })
  @ApiOkResponse({ standardSchema: ShownToken })
  async show(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ShownToken>> {
    const newest = await this.tokens.newest(this.db.manager, actor, id);
    return { token: newest && tokenView(newest) };
  }

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

function tokenView({ madeBy, madeAt, lastUsedAt, endedAt, endedBecause }: DeviceToken): z.infer<typeof TokenView> {
  return {
    madeBy,
    madeAt: madeAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    endedBecause,
  };
}
