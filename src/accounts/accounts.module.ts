import { Module } from '@nestjs/common';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { CredentialLinksController } from './credential-links.controller.js';
import { CredentialLinks } from './credential-links.service.js';
import { CredentialsService } from './credentials.service.js';
import { GrantsService } from './grants.service.js';
import { SessionsService } from './sessions.service.js';

@Module({
  controllers: [AccountsController, CredentialLinksController],
  providers: [AccountsService, GrantsService, SessionsService, CredentialsService, CredentialLinks],
  exports: [AccountsService, GrantsService, SessionsService, CredentialsService],
})
export class AccountsModule {}
