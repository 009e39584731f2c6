import { Module } from '@nestjs/common';
import { AccessPolicyModule } from '../access-policy/access-policy.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { JoinersModule } from '../joiners/joiners.module.js';
import { LeaversModule } from '../leavers/leavers.module.js';
import { MoversModule } from '../movers/movers.module.js';
import { PeopleModule } from '../people/people.module.js';
import { DueEmployments } from './due-employments.service.js';
import { HrEventsController } from './hr-events.controller.js';
import { HrEventsService } from './hr-events.service.js';
import { HrHooksController } from './hr-hooks.controller.js';
import { HrSourcesController } from './hr-sources.controller.js';
import { HrSourcesService } from './hr-sources.service.js';
import { InboxService } from './inbox.service.js';

@Module({
  imports: [PeopleModule, AccessPolicyModule, CasesModule, JoinersModule, LeaversModule, MoversModule],
  controllers: [HrHooksController, HrEventsController, HrSourcesController],
  providers: [DueEmployments, HrEventsService, HrSourcesService, InboxService],
})
export class HrFeedsModule {}
