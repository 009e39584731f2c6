import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { newestCheckpoint, newestCosigned } from '../platform/audit/cosigned-checkpoints.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { NewWitness } from './new-witness.js';
import { CheckpointView, checkpointView, WitnessView, witnessView } from './witnesses-views.js';
import { WitnessesService } from './witnesses.service.js';

const WitnessList = z.object({ items: z.array(WitnessView) });
const Which = z.strictObject({
  cosigned: z.stringbool().optional().describe('True: the newest that a witness cosigned, instead of the newest.'),
});

@ApiTags('audit log')
@Controller('v1/audit')
export class WitnessesController {
  constructor(
    private readonly db: DataSource,
    private readonly witnesses: WitnessesService,
  ) {}

  @Get('checkpoint')
  @Allow('audit:read')
  @ApiOkResponse({
    standardSchema: CheckpointView,
    description: 'Whoever keeps it can show any later change to what it speaks for.',
  })
  async checkpoint(
    @Query({ schema: Which }) { cosigned }: z.infer<typeof Which>,
  ): Promise<z.infer<typeof CheckpointView>> {
    const { manager } = this.db;
    const found = await (cosigned ? newestCosigned(manager) : newestCheckpoint(manager));
    if (!found) {
      throw new Problem(
        'not-found',
        cosigned ? 'No witness has cosigned a checkpoint yet.' : 'The audit log isn’t sealed yet.',
      );
    }
    return checkpointView(found);
  }

  @Get('witnesses')
  @Allow('audit:read')
  @ApiOkResponse({ standardSchema: WitnessList, description: 'All that cosign the audit log, by name.' })
  async list(): Promise<z.infer<typeof WitnessList>> {
    return { items: (await this.witnesses.list()).map(witnessView) };
  }

  @Post('witnesses')
  @Allow('audit:write')
  @FreshSignIn()
  @ApiCreatedResponse({ standardSchema: WitnessView })
  async add(
    @Body({ schema: NewWitness }) body: NewWitness,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof WitnessView>> {
    const witness = await this.witnesses.add(actor, body);
    response.setHeader('Location', `/v1/audit/witnesses/${witness.id}`);
    return witnessView(witness);
  }

  @Delete('witnesses/:id')
  @HttpCode(204)
  @Allow('audit:write')
  @FreshSignIn()
  @ApiNoContentResponse({ description: 'It isn’t asked any more. What it signed stays.' })
  async remove(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.witnesses.remove(actor, id);
  }
}
