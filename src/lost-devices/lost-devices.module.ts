import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PeopleModule } from '../people/people.module.js';
import { HttpModule } from '../platform/http/http.module.js';
import { RolesModule } from '../platform/roles/roles.module.js';
import { CommandGivers } from './commands/command-givers.service.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import { GiveCommands } from './commands/give-commands.service.js';
import { ContainmentService } from './containment.service.js';
import { LossReader } from './loss-reader.service.js';
import { LossStandings } from './loss-standings.service.js';
import { LossesController } from './losses.controller.js';
import { Losses } from './losses.service.js';
import { LostDevicesController } from './lost-devices.controller.js';
import { LostDevicesService } from './lost-devices.service.js';
import { MachineFacts } from './machine-facts.service.js';
import { EraseLossReports } from './reports/erase-loss-reports.service.js';
import { LossReportsController } from './reports/loss-reports.controller.js';
import { LossReports } from './reports/loss-reports.service.js';
import { LostDoorController } from './reports/lost-door.controller.js';
import { OwnLosses } from './reports/own-losses.service.js';
import { RunbooksController } from './runbook/runbooks.controller.js';
import { Runbooks } from './runbook/runbooks.service.js';
import { UnlockMachine } from './unlock-machine.service.js';
import { WatchLosses } from './watch-losses.service.js';

@Module({
  imports: [
    PeopleModule,
    AccountsModule,
    DevicesModule,
    HttpModule,
    CasesModule,
    BrakesModule,
    ApprovalsModule,
    RolesModule,
  ],
  controllers: [LostDevicesController, LossesController, RunbooksController, LossReportsController, LostDoorController],
  providers: [
    LostDevicesService,
    Losses,
    LossReader,
    LossStandings,
    ContainmentService,
    UnlockMachine,
    MachineFacts,
    Runbooks,
    WatchLosses,
    LossReports,
    EraseLossReports,
    OwnLosses,
    CommandGivers,
    DeviceCommands,
    GiveCommands,
  ],
  exports: [Runbooks, WatchLosses],
})
export class LostDevicesModule {}
