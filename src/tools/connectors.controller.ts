import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Allow } from '../platform/sign-in/who-may-call.js';
import { Connectors } from './connectors.js';
import { ConnectorView, connectorView } from './tools-views.js';

const ConnectorList = z.object({ items: z.array(ConnectorView) });

@ApiTags('tools')
@Controller('v1/connectors')
export class ConnectorsController {
  constructor(private readonly connectors: Connectors) {}

  @Get()
  @Allow('tools:read', 'within-reach')
  @ApiOkResponse({ standardSchema: ConnectorList, description: 'All of them.' })
  list(): z.infer<typeof ConnectorList> {
    return { items: this.connectors.all.map(connectorView) };
  }
}
