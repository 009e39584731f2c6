import { Module } from '@nestjs/common';
import { EmploymentsService } from './employments.service.js';
import { PeopleCsvController } from './people-csv.controller.js';
import { PeopleController } from './people.controller.js';
import { PeopleService } from './people.service.js';
import { SitesController } from './sites.controller.js';
import { SitesService } from './sites.service.js';

@Module({
  controllers: [PeopleController, PeopleCsvController, SitesController],
  providers: [PeopleService, EmploymentsService, SitesService],
  exports: [PeopleService, EmploymentsService, SitesService],
})
export class PeopleModule {}
