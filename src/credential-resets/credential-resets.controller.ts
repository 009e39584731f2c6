import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CredentialResetsService } from './credential-resets.service.js';

const StartReset = z.strictObject({ personId: z.uuid() });
const ResetStarted = z.object({
  caseId: z.uuid(),
  held: z.boolean().describe('A brake holds it: nothing is done before two people decide.'),
});

@ApiTags('credential resets')
@Controller('v1/credential-resets')
export class CredentialResetsController {
  constructor(private readonly resets: CredentialResetsService) {}

  @Post()
  @HttpCode(202)
  @Allow('credentials:reset', 'within-reach')
  @NeverLimited()
  @ApiAcceptedResponse({ standardSchema: ResetStarted })
  async start(
    @Body({ schema: StartReset }) { personId }: z.infer<typeof StartReset>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ResetStarted>> {
    return this.resets.start(personId, actor);
  }
}
