import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { LeaversController } from './leavers.controller.js';
import { LeaversService } from './leavers.service.js';

@Module({
  imports: [PeopleModule, CasesModule],
  controllers: [LeaversController],
  providers: [LeaversService],
  exports: [LeaversService],
})
export class LeaversModule {}
