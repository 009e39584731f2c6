import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PeopleModule } from '../people/people.module.js';
import { LostDevicesController } from './lost-devices.controller.js';
import { LostDevicesService } from './lost-devices.service.js';

@Module({
  imports: [PeopleModule, AccountsModule, DevicesModule, CasesModule, BrakesModule],
  controllers: [LostDevicesController],
  providers: [LostDevicesService],
})
export class LostDevicesModule {}
