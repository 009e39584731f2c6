import { Controller, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../../platform/database/transaction.js';
import { Idempotent } from '../../platform/http/idempotent.js';
import { Problem } from '../../platform/errors/problem.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { ReportCodes } from './report-codes.service.js';

const ReportCodeGiven = z.object({
  code: z.string().describe('Shown this once. Print it on a card that isn’t kept with the laptop.'),
});

@ApiTags('devices')
@Controller('v1/people/:personId/report-code')
export class ReportCodesController {
  constructor(
    private readonly db: DataSource,
    private readonly codes: ReportCodes,
  ) {}

  @Post()
  @Allow('devices:write', 'within-reach')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'A code with which this person reports a lost laptop at /lost; the one before ends' })
  @ApiCreatedResponse({ standardSchema: ReportCodeGiven })
  async give(
    @Param('personId', { schema: z.uuid() }) personId: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ReportCodeGiven>> {
    const code = await inTransaction(this.db, (tx) => this.codes.give(tx, actor, personId));
    if (code === null) throw new Problem('conflict', 'This person has left: there is no access that a loss would cut.');
    return { code };
  }
}
