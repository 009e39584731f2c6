import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../../platform/http/page.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { ReturnRecords } from './return-records.service.js';
import { RETURN_STATES } from './return-states.js';
import {
  AskReturn,
  InspectReturn,
  ReceiveReturn,
  ReturnView,
  returnView,
  SendReturn,
  WriteOffReturn,
} from './returns-views.js';
import { Returns } from './returns.service.js';

type View = z.infer<typeof ReturnView>;

const ReturnsQuery = PageQuery.extend({
  state: z.enum(RETURN_STATES).optional(),
  outstanding: z.enum(['true', 'false']).optional(),
  overdue: z
    .enum(['true', 'false'])
    .optional()
    .describe('Outstanding, and for more than three days asked for, or received and left lying.'),
  personId: z.uuid().optional(),
  deviceId: z.uuid().optional(),
});

@ApiTags('devices')
@Controller('v1/returns')
export class ReturnsController {
  constructor(
    private readonly db: DataSource,
    private readonly returns: Returns,
    private readonly records: ReturnRecords,
  ) {}

  @Get()
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ReturnView), description: 'Newest first.' })
  async list(
    @Query({ schema: ReturnsQuery }) query: z.infer<typeof ReturnsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<View>> {
    const { limit, cursor, outstanding, overdue, ...rest } = query;
    const rows = await this.records.list(
      this.db.manager,
      actor,
      { ...rest, outstanding: asBoolean(outstanding), overdue: asBoolean(overdue) },
      { before: positionOf(cursor)?.id ?? null, limit: limit + 1 },
    );
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), returnView);
  }

  @Post()
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Ask whoever has a device for it; a leave does so by itself' })
  @ApiCreatedResponse({ standardSchema: ReturnView })
  async ask(
    @Body({ schema: AskReturn }) { deviceId, siteId }: z.infer<typeof AskReturn>,
    @CurrentActor() actor: Actor,
  ): Promise<View> {
    return returnView(await inTransaction(this.db, (tx) => this.returns.ask(tx, actor, deviceId, siteId)));
  }

  @Post(':id/send')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'It is on its way' })
  @ApiOkResponse({ standardSchema: ReturnView })
  async send(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: SendReturn }) { tracking }: z.infer<typeof SendReturn>,
    @CurrentActor() actor: Actor,
  ): Promise<View> {
    return returnView(await inTransaction(this.db, (tx) => this.returns.send(tx, actor, id, tracking)));
  }

  @Post(':id/receive')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'It is here, and nobody has looked at it yet: it counts as the person’s' })
  @ApiOkResponse({ standardSchema: ReturnView })
  async receive(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: ReceiveReturn }) { siteId }: z.infer<typeof ReceiveReturn>,
    @CurrentActor() actor: Actor,
  ): Promise<View> {
    return returnView(await inTransaction(this.db, (tx) => this.returns.receive(tx, actor, id, siteId)));
  }

  @Post(':id/inspect')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Somebody looked at it: it leaves the person' })
  @ApiOkResponse({ standardSchema: ReturnView })
  async inspect(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: InspectReturn }) body: z.infer<typeof InspectReturn>,
    @CurrentActor() actor: Actor,
  ): Promise<View> {
    return returnView(await inTransaction(this.db, (tx) => this.returns.inspect(tx, actor, id, body)));
  }

  @Post(':id/write-off')
  @HttpCode(200)
  @Allow('devices:write', 'within-reach')
  @ApiOperation({ summary: 'Nobody will get it back, and you answer for that: the device is lost' })
  @ApiOkResponse({ standardSchema: ReturnView })
  async writeOff(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: WriteOffReturn }) { reason }: z.infer<typeof WriteOffReturn>,
    @CurrentActor() actor: Actor,
  ): Promise<View> {
    return returnView(await inTransaction(this.db, (tx) => this.returns.writeOff(tx, actor, id, reason)));
  }
}

function asBoolean(said: 'true' | 'false' | undefined): boolean | undefined {
  return said === undefined ? undefined : said === 'true';
}
