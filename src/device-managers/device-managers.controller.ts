import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DeviceManagerRound } from './device-manager-round.entity.js';
import { DeviceManagerRounds } from './device-manager-rounds.service.js';

const RoundView = z.object({
  toolId: z.uuid(),
  finishedAt: z.iso.datetime().nullable().describe('The last round that went through all of its computers.'),
  matched: z.int().describe('Computers of it that are devices of ours, by serial number.'),
  unmatched: z.int(),
  unread: z.int().describe('Of the matched ones, those that it couldn’t tell of in that round.'),
  problem: z.string().nullable(),
  failingSince: z.iso.datetime().nullable(),
  nextAt: z.iso.datetime(),
});

@ApiTags('devices')
@Controller('v1/device-managers')
export class DeviceManagersController {
  constructor(
    private readonly db: DataSource,
    private readonly rounds: DeviceManagerRounds,
  ) {}

  @Get()
  @Allow('tools:read')
  @ApiOperation({ summary: 'When each device manager was last asked, and how that went' })
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(RoundView) }) })
  async list(): Promise<{ items: z.infer<typeof RoundView>[] }> {
    const rounds = await this.db.manager.find(DeviceManagerRound, { order: { toolId: 'ASC' } });
    return { items: rounds.map(roundView) };
  }

  @Post(':toolId/ask')
  @HttpCode(204)
  @Allow('tools:write')
  @ApiOperation({ summary: 'Have it asked within seconds, and not when its hour is over' })
  @ApiNoContentResponse({ description: 'A worker asks it; finishedAt tells when that is over.' })
  async ask(@Param('toolId', { schema: z.uuid() }) toolId: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.rounds.askSoon(actor, toolId);
  }
}

function roundView(round: DeviceManagerRound): z.infer<typeof RoundView> {
  const { toolId, matched, unmatched, unread, problem, ...times } = round;
  return {
    toolId,
    finishedAt: times.finishedAt?.toISOString() ?? null,
    matched,
    unmatched,
    unread,
    problem,
    failingSince: times.failingSince?.toISOString() ?? null,
    nextAt: times.nextAt.toISOString(),
  };
}
