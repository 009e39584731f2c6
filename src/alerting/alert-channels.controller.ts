import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { ChannelTestView, ChannelView, channelView } from './alerting-views.js';
import { NewChannel } from './channel-settings.js';
import { ChannelsService } from './channels.service.js';

const ChannelList = z.object({ items: z.array(ChannelView) });

@ApiTags('alerts')
@Controller('v1/alert-channels')
export class AlertChannelsController {
  constructor(private readonly channels: ChannelsService) {}

  @Get()
  @Allow('alerts:read')
  @ApiOkResponse({ standardSchema: ChannelList, description: 'All of them, the oldest first.' })
  async list(): Promise<z.infer<typeof ChannelList>> {
    return { items: (await this.channels.list()).map(channelView) };
  }

  @Post()
  @Allow('alerts:write')
  @ApiCreatedResponse({ standardSchema: ChannelView })
  async add(
    @Body({ schema: NewChannel }) body: z.infer<typeof NewChannel>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ChannelView>> {
    const channel = await this.channels.add(actor, body);
    response.setHeader('Location', `/v1/alert-channels/${channel.id}`);
    return channelView(channel);
  }

  @Post(':id/test')
  @HttpCode(200)
  @Allow('alerts:write')
  @ApiOkResponse({ standardSchema: ChannelTestView, description: 'Sent now; a channel that fails is an answer too.' })
  async test(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ChannelTestView>> {
    const outcome = await this.channels.test(actor, id);
    return { outcome: outcome.outcome, why: 'why' in outcome ? outcome.why : null };
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('alerts:write')
  @ApiNoContentResponse()
  async remove(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.channels.remove(actor, id);
  }
}
