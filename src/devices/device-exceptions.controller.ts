import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { Day } from './devices-views.js';
import { DeviceExceptions, type StandingException } from './device-exceptions.service.js';

const ExceptionView = z.object({
  id: z.uuid(),
  deviceId: z.uuid(),
  assetTag: z.string(),
  ownerId: z.uuid().describe('Who answers for it.'),
  reason: z.string(),
  endsOn: z.iso.date().describe('Its last day.'),
  overdue: z.boolean(),
  grantedBy: z.string(),
  grantedAt: z.iso.datetime(),
});

const ExceptionsQuery = PageQuery.extend({
  overdue: z
    .enum(['true', 'false'])
    .optional()
    .describe('Only those that have passed their last day, or none of them.'),
});

const GrantException = z.strictObject({
  ownerId: z.uuid(),
  reason: z.string().trim().min(3).max(2_000),
  endsOn: Day,
});

@ApiTags('devices')
@Controller('v1/devices')
export class DeviceExceptionsController {
  constructor(
    private readonly db: DataSource,
    private readonly exceptions: DeviceExceptions,
  ) {}

  @Get('exceptions')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ExceptionView), description: 'Those that stand.' })
  async list(
    @Query({ schema: ExceptionsQuery }) { limit, cursor, overdue }: z.infer<typeof ExceptionsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ExceptionView>>> {
    const rows = await this.exceptions.list(
      this.db.manager,
      actor,
      { overdue: overdue === undefined ? undefined : overdue === 'true' },
      { after: positionOf(cursor)?.id ?? null, limit: limit + 1 },
    );
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), exceptionView);
  }

  @Post(':id/exception')
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Tolerate a device that isn’t standard, in place of the exception that stands' })
  @ApiCreatedResponse({ standardSchema: ExceptionView })
  async grant(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: GrantException }) body: z.infer<typeof GrantException>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ExceptionView>> {
    return exceptionView(await inTransaction(this.db, (tx) => this.exceptions.grant(tx, actor, id, body)));
  }

  @Delete(':id/exception')
  @HttpCode(204)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'End the exception that stands; its record stays' })
  @ApiNoContentResponse()
  async end(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await inTransaction(this.db, (tx) => this.exceptions.end(tx, actor, id));
  }
}

function exceptionView({ grantedAt, ...rest }: StandingException): z.infer<typeof ExceptionView> {
  return { ...rest, grantedAt: grantedAt.toISOString() };
}
