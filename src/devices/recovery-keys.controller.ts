import { Body, Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DevicesService } from './devices.service.js';
import { PROTECTED_BY } from './recovery-key.entity.js';
import { RecoveryKeysService, type KeptKey } from './recovery-keys.service.js';

const KeepRecoveryKey = z.strictObject({
  key: z.string().trim().min(8).max(1024).describe('Sealed at once; no answer shows it but a reveal.'),
  protects: z.enum(PROTECTED_BY),
  source: z.string().trim().min(1).max(200).describe('What it came from, as in `imaging bench 2`.'),
});

const KeptKeyView = z.object({
  id: z.uuid(),
  protects: z.enum(PROTECTED_BY),
  source: z.string(),
  keptBy: z.string(),
  keptAt: z.iso.datetime(),
  revealedAt: z.iso.datetime().nullable().describe('When somebody last read it; null: nobody ever did.'),
});

const Reveal = z.strictObject({ reason: z.string().trim().min(3).max(500).describe('For the audit log.') });
const Revealed = z.object({ key: z.string() });

@ApiTags('devices')
@Controller('v1/devices/:id/recovery-keys')
export class RecoveryKeysController {
  constructor(
    private readonly db: DataSource,
    private readonly devices: DevicesService,
    private readonly keys: RecoveryKeysService,
  ) {}

  @Post()
  @Allow('devices:write')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'Keep a recovery key, beside those before it' })
  @ApiCreatedResponse({ standardSchema: KeptKeyView })
  async keep(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: KeepRecoveryKey }) body: z.infer<typeof KeepRecoveryKey>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof KeptKeyView>> {
    return inTransaction(this.db, async (tx) => {
      await this.devices.get(tx, id);
      return keptKeyView(await this.keys.keep(tx, actor, id, body));
    });
  }

  @Get()
  @Allow('devices:read')
  @ApiOperation({ summary: 'Which recovery keys are kept, newest first; never the keys themselves' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(KeptKeyView) }) })
  async list(@Param('id', { schema: z.uuid() }) id: string): Promise<{ items: z.infer<typeof KeptKeyView>[] }> {
    const { manager } = this.db;
    await this.devices.get(manager, id);
    return { items: (await this.keys.list(manager, id)).map(keptKeyView) };
  }

  @Post(':key/reveal')
  @HttpCode(200)
  @Allow('devices:reveal-recovery-keys')
  @FreshSignIn()
  @Idempotent('never-stored')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Read a recovery key; who, when and why is written down first' })
  @ApiOkResponse({ standardSchema: Revealed })
  async reveal(
    @Param('id', { schema: z.uuid() }) id: string,
    @Param('key', { schema: z.uuid() }) key: string,
    @Body({ schema: Reveal }) { reason }: z.infer<typeof Reveal>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof Revealed>> {
    return { key: await inTransaction(this.db, (tx) => this.keys.reveal(tx, actor, id, key, reason)) };
  }
}

function keptKeyView({ keptAt, revealedAt, ...rest }: KeptKey): z.infer<typeof KeptKeyView> {
  return { ...rest, keptAt: keptAt.toISOString(), revealedAt: revealedAt?.toISOString() ?? null };
}
