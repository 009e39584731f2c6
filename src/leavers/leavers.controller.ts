import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { NeverLimited } from '../platform/rate-limits/never-limited.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { LeaversService } from './leavers.service.js';

const StartLeaver = z.strictObject({ personId: z.uuid(), reason: z.string().trim().min(1).max(2_000) });
const LeaverStarted = z.object({
  caseId: z.uuid(),
  held: z.boolean().describe('A brake holds it: nothing is done before two people decide.'),
});

@ApiTags('leavers')
@Controller('v1/leavers')
export class LeaversController {
  constructor(
    private readonly db: DataSource,
    private readonly leavers: LeaversService,
  ) {}

  /** "Leave now": revokes everything, whatever HR says; a later join by HR gives it back. */
  @Post()
  @HttpCode(202)
  @Allow('cases:write', 'within-reach')
  @NeverLimited()
  @ApiAcceptedResponse({ standardSchema: LeaverStarted })
  async start(
    @Body({ schema: StartLeaver }) { personId, reason }: z.infer<typeof StartLeaver>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LeaverStarted>> {
    return inTransaction(this.db, (tx) => this.leavers.begin(tx, personId, actor, { reason }, { urgent: true }));
  }
}
