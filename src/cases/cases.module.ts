import { Module } from '@nestjs/common';
import { AccessPolicyModule } from '../access-policy/access-policy.module.js';
import { AccountsModule } from '../accounts/accounts.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PeopleModule } from '../people/people.module.js';
import { RolesModule } from '../platform/roles/roles.module.js';
import { AccessPlanning } from './access-planning.service.js';
import { AlertsService } from './alerts.service.js';
import { AttestedWork } from './attested-work.service.js';
import { CallBacksController } from './call-backs.controller.js';
import { CallBacks } from './call-backs.service.js';
import { CaseFiguresController } from './case-figures.controller.js';
import { CaseFigures } from './case-figures.service.js';
import { CasesReader } from './cases-reader.service.js';
import { CasesCsvController } from './cases-csv.controller.js';
import { CasesController } from './cases.controller.js';
import { CasesService } from './cases.service.js';
import { CutPlanning } from './cut-planning.service.js';
import { DutiesController } from './duties.controller.js';
import { EngineHealth } from './engine-health.service.js';
import { EngineReadings } from './engine-readings.service.js';
import { EvidenceController } from './evidence.controller.js';
import { Evidence } from './evidence.service.js';
import { HeldSteps } from './held-steps.service.js';
import { LookForAccess } from './engine/look-for-access.js';
import { StepRunner } from './engine/run-step.js';
import { SettleTogether } from './engine/settle-together.js';
import { Settlement } from './engine/settle.js';
import { StepMeasures } from './engine/step-measures.service.js';
import { Sweeper } from './engine/sweep.js';
import { SecondPerson } from './second-person.service.js';
import { SignInWatch } from './sign-in-watch.service.js';
import { StepDecisions } from './step-decisions.service.js';
import { StepReadings } from './step-readings.service.js';
import { StepsController } from './steps.controller.js';
import { TaskDoorController } from './task-links/task-door.controller.js';
import { TaskLinksController } from './task-links/task-links.controller.js';
import { TaskLinks } from './task-links/task-links.service.js';

@Module({
  imports: [PeopleModule, DevicesModule, AccountsModule, AccessPolicyModule, RolesModule],
  controllers: [
    CallBacksController,
    CaseFiguresController,
    CasesController,
    CasesCsvController,
    DutiesController,
    EvidenceController,
    StepsController,
    TaskDoorController,
    TaskLinksController,
  ],
  providers: [
    AccessPlanning,
    AlertsService,
    AttestedWork,
    CallBacks,
    CaseFigures,
    CasesReader,
    CasesService,
    CutPlanning,
    EngineHealth,
    EngineReadings,
    Evidence,
    HeldSteps,
    LookForAccess,
    Settlement,
    SettleTogether,
    SecondPerson,
    SignInWatch,
    StepDecisions,
    StepMeasures,
    StepReadings,
    StepRunner,
    Sweeper,
    TaskLinks,
  ],
  exports: [
    AccessPlanning,
    AlertsService,
    CasesReader,
    CasesService,
    CutPlanning,
    EngineHealth,
    HeldSteps,
    SecondPerson,
  ],
})
export class CasesModule {}
