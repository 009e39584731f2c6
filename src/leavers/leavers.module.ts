import { Module } from '@nestjs/common';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { PeopleModule } from '../people/people.module.js';
import { LeaversController } from './leavers.controller.js';
import { LeaversService } from './leavers.service.js';
import { RightsOfLeavers } from './rights-of-leavers.service.js';

@Module({
  imports: [PeopleModule, DevicesModule, CasesModule, BrakesModule],
  controllers: [LeaversController],
  providers: [LeaversService, RightsOfLeavers],
  exports: [LeaversService],
})
export class LeaversModule {}
