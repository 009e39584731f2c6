import { Module } from '@nestjs/common';
import { AccountsCsvController } from './accounts-csv.controller.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { CredentialLinksController } from './credential-links.controller.js';
import { CredentialLinks } from './credential-links.service.js';
import { CredentialsService } from './credentials.service.js';
import { DeviceCredentialsController } from './device-credentials.controller.js';
import { DeviceCredentialsService } from './device-credentials.service.js';
import { GrantsService } from './grants.service.js';
import { LockdownsController } from './lockdowns.controller.js';
import { Lockdowns } from './lockdowns.service.js';
import { SessionsService } from './sessions.service.js';

@Module({
  controllers: [
    AccountsController,
    AccountsCsvController,
    CredentialLinksController,
    DeviceCredentialsController,
    LockdownsController,
  ],
  providers: [
    AccountsService,
    GrantsService,
    SessionsService,
    CredentialsService,
    CredentialLinks,
    DeviceCredentialsService,
    Lockdowns,
  ],
  exports: [AccountsService, GrantsService, SessionsService, CredentialsService, Lockdowns],
})
export class AccountsModule {}
