import { Body, Controller, Header, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ApprovalDetails, approvalDetails } from '../approvals/approvals-views.js';
import { Idempotent } from '../platform/http/idempotent.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { KeyReveals } from './key-reveals.service.js';
import { ReadKeyView, readKeyView, reason } from './recovery-keys-views.js';

const RequestReveals = z.strictObject({
  keys: z.array(z.uuid()).min(1).max(100).describe('Ids of recovery keys, of as many devices as there are.'),
  reason,
});
const ReadKeys = z.object({ items: z.array(ReadKeyView) });

@ApiTags('devices')
@Controller('v1/recovery-key-reveals')
export class KeyRevealsController {
  constructor(private readonly reveals: KeyReveals) {}

  /** More than one person may read alone, or just these by two. */
  @Post()
  @HttpCode(202)
  @Allow('devices:reveal-recovery-keys', 'within-reach')
  @FreshSignIn()
  @ApiOperation({ summary: 'Ask another person to let you read exactly these recovery keys' })
  @ApiAcceptedResponse({ standardSchema: ApprovalDetails })
  async request(
    @Body({ schema: RequestReveals }) { keys, reason: why }: z.infer<typeof RequestReveals>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ApprovalDetails>> {
    return approvalDetails(await this.reveals.request(actor, keys, why));
  }

  /** By who asked for them, once, within 30 minutes after another person approved. */
  @Post(':id/read')
  @HttpCode(200)
  @Allow('devices:reveal-recovery-keys', 'within-reach')
  @FreshSignIn()
  @Idempotent('never-stored')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Read the recovery keys of an approval; who, when and why is written down first' })
  @ApiOkResponse({ standardSchema: ReadKeys })
  async read(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ReadKeys>> {
    return { items: (await this.reveals.readApproved(actor, id)).map(readKeyView) };
  }
}
