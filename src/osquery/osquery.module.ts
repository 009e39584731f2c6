import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { HttpModule } from '../platform/http/http.module.js';
import { EnrolNode } from './enrol-node.service.js';
import { EnrolmentSecrets } from './enrolment-secrets.service.js';
import { OsqueryAgentsController } from './osquery-agents.controller.js';
import { OsqueryNodes } from './osquery-nodes.service.js';
import { OsqueryController } from './osquery.controller.js';
import { TakeOutcomes } from './take-outcomes.service.js';

@Module({
  imports: [HttpModule, CasesModule, DevicesModule],
  controllers: [OsqueryAgentsController, OsqueryController],
  providers: [EnrolNode, EnrolmentSecrets, OsqueryNodes, TakeOutcomes],
})
export class OsqueryModule {}
