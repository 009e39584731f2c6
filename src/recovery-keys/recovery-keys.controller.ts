import { Body, Controller, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { KeyReveals } from './key-reveals.service.js';
import {
  KeepRecoveryKey,
  KeptKeysView,
  keptKeysView,
  KeptKeyView,
  keptKeyView,
  KeyOnDeviceView,
  keyOnDeviceView,
  reason,
} from './recovery-keys-views.js';
import { RecoveryKeysService } from './recovery-keys.service.js';

const Reveal = z.strictObject({ reason });
const Revealed = z.object({ key: z.string() });
const KeysQuery = PageQuery.extend({
  rotationAsked: z.stringbool().optional().describe('Only those that are to be replaced, or only the others.'),
});

@ApiTags('devices')
@Controller('v1')
export class RecoveryKeysController {
  constructor(
    private readonly db: DataSource,
    private readonly keys: RecoveryKeysService,
    private readonly reveals: KeyReveals,
  ) {}

  @Get('recovery-keys')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Of all devices, which recovery keys are to be replaced; never the keys themselves' })
  @ApiOkResponse({ standardSchema: pageOf(KeyOnDeviceView), description: 'The newest of each kind, newest first.' })
  async newest(
    @Query({ schema: KeysQuery }) { limit, cursor, ...filter }: z.infer<typeof KeysQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof KeyOnDeviceView>>> {
    const before = positionOf(cursor)?.id ?? null;
    const rows = await this.keys.newest(this.db.manager, actor, filter, { before, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), keyOnDeviceView);
  }

  @Post('devices/:id/recovery-keys')
  @Allow('devices:write', 'within-reach')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'Keep a recovery key, beside those before it' })
  @ApiCreatedResponse({ standardSchema: KeptKeyView })
  async keep(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: KeepRecoveryKey }) body: z.infer<typeof KeepRecoveryKey>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof KeptKeyView>> {
    return keptKeyView(await inTransaction(this.db, (tx) => this.keys.keep(tx, actor, id, body)));
  }

  @Get('devices/:id/recovery-keys')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Which recovery keys are kept, newest first; never the keys themselves' })
  @ApiOkResponse({ standardSchema: KeptKeysView })
  async list(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof KeptKeysView>> {
    return keptKeysView(await this.keys.list(this.db.manager, actor, id));
  }

  /** A few within a day by one person; more of them through `POST /v1/recovery-key-reveals`. */
  @Post('devices/:id/recovery-keys/:key/reveal')
  @HttpCode(200)
  @Allow('devices:reveal-recovery-keys', 'within-reach')
  @FreshSignIn()
  @Idempotent('never-stored')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Read a recovery key; who, when and why is written down first' })
  @ApiOkResponse({ standardSchema: Revealed })
  async reveal(
    @Param('id', { schema: z.uuid() }) id: string,
    @Param('key', { schema: z.uuid() }) key: string,
    @Body({ schema: Reveal }) body: z.infer<typeof Reveal>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof Revealed>> {
    return { key: await this.reveals.readAlone(actor, id, key, body.reason) };
  }
}
