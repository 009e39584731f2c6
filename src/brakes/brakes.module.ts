import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { RolesModule } from '../platform/roles/roles.module.js';
import { BrakeDecisions } from './brake-decisions.service.js';
import { BrakeLimitEdits } from './brake-limit-edits.service.js';
import { BrakeLimits } from './brake-limits.service.js';
import { BrakesController } from './brakes.controller.js';
import { BrakesReader } from './brakes-reader.service.js';
import { Brakes } from './brakes.service.js';
import { HeldWork } from './held-work.service.js';
import { RemindOfBrakes } from './remind-of-brakes.service.js';

@Module({
  imports: [ApprovalsModule, CasesModule, RolesModule],
  controllers: [BrakesController],
  providers: [Brakes, BrakeDecisions, BrakeLimitEdits, BrakeLimits, BrakesReader, HeldWork, RemindOfBrakes],
  exports: [BrakeLimits, Brakes, HeldWork, RemindOfBrakes],
})
export class BrakesModule {}
