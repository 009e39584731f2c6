import { Controller, Delete, Get, HttpCode, Param, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import type { Actor } from '../actor.js';
import { FreshSignIn } from '../fresh-sign-in.js';
import { Allow, CurrentActor } from '../who-may-call.js';
import { HeldKeyView, heldKeyView } from './security-keys-views.js';
import { SecurityKeys } from './security-keys.service.js';

const HeldKeys = z.object({ items: z.array(HeldKeyView) });

/** Everybody's, for whoever helps somebody that lost one. */
@ApiTags('sign-in')
@Controller('v1/security-keys')
export class SecurityKeysController {
  constructor(private readonly keys: SecurityKeys) {}

  @Get()
  @Allow('security-keys:read')
  @ApiOkResponse({ standardSchema: HeldKeys, description: 'Everybody’s security keys, the oldest first.' })
  async list(): Promise<z.infer<typeof HeldKeys>> {
    return { items: (await this.keys.all()).map(heldKeyView) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('security-keys:write')
  @FreshSignIn()
  @ApiNoContentResponse({ description: 'Removed. Its holder’s sessions ended, and on-call is told.' })
  async remove(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Req() { browser }: Request,
  ): Promise<void> {
    await this.keys.remove(actor, id, { here: browser?.sessionId ?? null });
  }
}
