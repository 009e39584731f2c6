import { Module, type DynamicModule } from '@nestjs/common';
import type { Connector } from '../../connectors/kit/contract.js';
import { CheckTool } from './check-tool.service.js';
import { ComputersController } from './computers.controller.js';
import { ConnectorsController } from './connectors.controller.js';
import { Connectors, CONNECTORS } from './connectors.js';
import { DirectCalls } from './direct-calls.service.js';
import { ToolSecrets } from './tool-secrets.service.js';
import { ToolSessions } from './tool-sessions.service.js';
import { ToolsController } from './tools.controller.js';
import { ToolsService } from './tools.service.js';

@Module({})
export class ToolsModule {
  /** For the composition root, once: other modules find the services without importing this one. */
  static of(connectors: readonly Connector[]): DynamicModule {
    return {
      module: ToolsModule,
      global: true,
      controllers: [ToolsController, ComputersController, ConnectorsController],
      providers: [
        { provide: CONNECTORS, useValue: connectors },
        Connectors,
        ToolSecrets,
        ToolsService,
        ToolSessions,
        CheckTool,
        DirectCalls,
      ],
      exports: [Connectors, ToolsService, ToolSessions, DirectCalls],
    };
  }
}
