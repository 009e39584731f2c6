import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { DeliveryView, EscalationList, EscalationView, escalationView } from './alerting-views.js';
import { AlertDeliveriesReader } from './alert-deliveries-reader.service.js';
import { EscalationService } from './escalation.service.js';

const DeliveryList = z.object({ items: z.array(DeliveryView) });

@ApiTags('alerts')
@Controller('v1')
export class EscalationController {
  constructor(
    private readonly escalation: EscalationService,
    private readonly deliveries: AlertDeliveriesReader,
  ) {}

  @Get('escalation')
  @Allow('alerts:read')
  @ApiOkResponse({ standardSchema: EscalationView, description: 'Without a list, all channels are tried in turn.' })
  async list(): Promise<z.infer<typeof EscalationView>> {
    return escalationView(await this.escalation.list());
  }

  @Put('escalation')
  @Allow('alerts:write')
  @ApiOkResponse({ standardSchema: EscalationView, description: 'The whole list is replaced.' })
  async replace(
    @Body({ schema: EscalationList }) { contacts }: z.infer<typeof EscalationList>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof EscalationView>> {
    return escalationView(await this.escalation.replace(actor, contacts));
  }

  @Get('alerts/:id/deliveries')
  @Allow('alerts:read')
  @ApiOkResponse({ standardSchema: DeliveryList, description: 'Who was told of an alert, how, and why that way.' })
  async ofAlert(@Param('id', { schema: z.uuid() }) id: string): Promise<z.infer<typeof DeliveryList>> {
    return { items: await this.deliveries.ofAlert(id) };
  }
}
