import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Idempotent } from '../../http/idempotent.js';
import type { Actor } from '../actor.js';
import { FRESH_MINUTES } from '../fresh-sign-in.js';
import { CurrentActor, SignedIn } from '../who-may-call.js';
import { KeyAnswer, KeyRequest } from './key-answers.js';
import { requireKeyHolder } from './key-holder.js';
import { StepUp } from './step-up.service.js';

@ApiTags('sign-in')
@Controller('v1/caller/step-up')
export class StepUpController {
  constructor(private readonly stepUp: StepUp) {}

  @Post('request')
  @HttpCode(200)
  @SignedIn()
  @Idempotent('never-stored')
  @ApiOkResponse({
    standardSchema: KeyRequest,
    description: 'For `navigator.credentials.get`. What comes of it is good once, in this session, within 3 minutes.',
  })
  async ask(@Req() request: Request): Promise<KeyRequest> {
    return this.stepUp.ask(requireKeyHolder(request));
  }

  @Post()
  @HttpCode(204)
  @SignedIn()
  @ApiNoContentResponse({ description: `Shown: this session counts as fresh for ${FRESH_MINUTES} minutes.` })
  async prove(
    @Body({ schema: KeyAnswer }) answer: KeyAnswer,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
  ): Promise<void> {
    await this.stepUp.prove(actor, requireKeyHolder(request), answer);
  }
}
