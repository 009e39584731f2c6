import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Config } from '../../config/config.js';
import { Idempotent } from '../../http/idempotent.js';
import type { Actor } from '../actor.js';
import { FreshSignIn } from '../fresh-sign-in.js';
import { CurrentActor, SignedIn } from '../who-may-call.js';
import { NewKeyAnswer, NewKeyRequest } from './key-answers.js';
import { keyHolderIn, requireKeyHolder } from './key-holder.js';
import { KeyRegistration } from './key-registration.service.js';
import { relyingPartyOf } from './relying-party.js';
import { KeyName, SecurityKeyView, securityKeyView } from './security-keys-views.js';
import { SecurityKeys } from './security-keys.service.js';

const OwnKeys = z.object({
  items: z.array(SecurityKeyView),
  registration: z
    .enum(['possible', 'needs_provider', 'needs_address'])
    .describe(
      'Whether you can register one: who came by a link or with a token can’t, nor anybody where no key works.',
    ),
});
const RegisterKey = z.strictObject({ name: KeyName, answer: NewKeyAnswer });
const Registered = z.object({ id: z.uuid() });

/** Everybody's own: who has one shows with it who they are before what is dangerous. */
@ApiTags('sign-in')
@Controller('v1/caller/security-keys')
export class OwnSecurityKeysController {
  constructor(
    private readonly config: Config,
    private readonly keys: SecurityKeys,
    private readonly registration: KeyRegistration,
  ) {}

  @Get()
  @SignedIn()
  @ApiOkResponse({ standardSchema: OwnKeys, description: 'Your security keys, the oldest first.' })
  async list(@Req() request: Request): Promise<z.infer<typeof OwnKeys>> {
    const holder = keyHolderIn(request);
    if (!holder) return { items: [], registration: 'needs_provider' };
    const items = (await this.keys.of(holder.identityId)).map(securityKeyView);
    return { items, registration: relyingPartyOf(this.config.publicUrl) ? 'possible' : 'needs_address' };
  }

  @Post('request')
  @HttpCode(200)
  @SignedIn()
  @FreshSignIn()
  @Idempotent('never-stored')
  @ApiOkResponse({
    standardSchema: NewKeyRequest,
    description: 'For `navigator.credentials.create`. What comes of it is good for one registration, within 3 minutes.',
  })
  async ask(@Req() request: Request): Promise<NewKeyRequest> {
    return this.registration.ask(requireKeyHolder(request));
  }

  @Post()
  @SignedIn()
  @FreshSignIn()
  @ApiCreatedResponse({ standardSchema: Registered })
  async register(
    @Body({ schema: RegisterKey }) { name, answer }: z.infer<typeof RegisterKey>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
  ): Promise<z.infer<typeof Registered>> {
    return { id: await this.registration.register(actor, requireKeyHolder(request), name, answer) };
  }

  @Delete(':id')
  @HttpCode(204)
  @SignedIn()
  @FreshSignIn()
  @ApiNoContentResponse({ description: 'Removed. Your other sessions ended.' })
  async remove(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
  ): Promise<void> {
    const { identityId, sessionId } = requireKeyHolder(request);
    await this.keys.remove(actor, id, { of: identityId, here: sessionId });
  }
}
