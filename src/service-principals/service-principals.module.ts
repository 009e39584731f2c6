import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { ServicePrincipalsController } from './service-principals.controller.js';
import { ServicePrincipals } from './service-principals.service.js';

@Module({
  imports: [PeopleModule, CasesModule],
  controllers: [ServicePrincipalsController],
  providers: [ServicePrincipals],
})
export class ServicePrincipalsModule {}
