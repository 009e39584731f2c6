import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { PeopleModule } from '../people/people.module.js';
import { CredentialResetsController } from './credential-resets.controller.js';
import { CredentialResetsService } from './credential-resets.service.js';

@Module({
  imports: [PeopleModule, AccountsModule, CasesModule, BrakesModule],
  controllers: [CredentialResetsController],
  providers: [CredentialResetsService],
})
export class CredentialResetsModule {}
