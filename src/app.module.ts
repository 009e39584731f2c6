import { connectors } from '../connectors/index.js';
import { Module, type DynamicModule } from '@nestjs/common';
import { AccessPolicyModule } from './access-policy/access-policy.module.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { AlertingModule } from './alerting/alerting.module.js';
import { ApprovalsModule } from './approvals/approvals.module.js';
import { AuditLogModule } from './audit-log/audit-log.module.js';
import { BrakesModule } from './brakes/brakes.module.js';
import { CasesModule } from './cases/cases.module.js';
import { ChangesModule } from './changes/changes.module.js';
import { CredentialResetsModule } from './credential-resets/credential-resets.module.js';
import { DevicesModule } from './devices/devices.module.js';
import { DeviceManagersModule } from './device-managers/device-managers.module.js';
import { EvidencePacksModule } from './evidence-packs/evidence-packs.module.js';
import { HrFeedsModule } from './hr-feeds/hr-feeds.module.js';
import { ImagesModule } from './images/images.module.js';
import { ImagingsModule } from './imagings/imagings.module.js';
import { LeaversModule } from './leavers/leavers.module.js';
import { DeviceReportersModule } from './device-reporters/device-reporters.module.js';
import { OsqueryModule } from './osquery/osquery.module.js';
import { LostDevicesModule } from './lost-devices/lost-devices.module.js';
import { PeopleModule } from './people/people.module.js';
import { ApiDocsModule } from './platform/api-docs/api-docs.module.js';
import { HealthModule } from './platform/health/health.module.js';
import { HttpModule } from './platform/http/http.module.js';
import { InstallationModule } from './platform/installation/installation.module.js';
import { PlatformModule, type Ground } from './platform/platform.module.js';
import { SignInModule } from './platform/sign-in/sign-in.module.js';
import { TelemetryModule } from './platform/telemetry/telemetry.module.js';
import { UserInterfaceModule } from './platform/user-interface/user-interface.module.js';
import { RecoveryKeysModule } from './recovery-keys/recovery-keys.module.js';
import { RoleEditsModule } from './role-edits/role-edits.module.js';
import { ServicePrincipalsModule } from './service-principals/service-principals.module.js';
import { ToolsModule } from './tools/tools.module.js';
import { WitnessesModule } from './witnesses/witnesses.module.js';

const FEATURES = [
  PeopleModule,
  ToolsModule.of(connectors),
  AccountsModule,
  DevicesModule,
  // Before images: `/v1/images/drift` would be taken for an image's id.
  ImagingsModule,
  ImagesModule,
  AccessPolicyModule,
  ApprovalsModule,
  CasesModule,
  BrakesModule,
  LeaversModule,
  LostDevicesModule,
  CredentialResetsModule,
  HrFeedsModule,
  OsqueryModule,
  DeviceReportersModule,
  DeviceManagersModule,
  AlertingModule,
  ServicePrincipalsModule,
  RoleEditsModule,
  RecoveryKeysModule,
  EvidencePacksModule,
  ChangesModule,
  AuditLogModule,
  WitnessesModule,
];

/** The whole service; a worker and a command run it without its doors. */
@Module({})
export class AppModule {
  static of(ground: Ground): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.of(ground),
        TelemetryModule,
        HttpModule,
        SignInModule.of(),
        HealthModule,
        InstallationModule,
        ApiDocsModule,
        UserInterfaceModule,
        ...FEATURES,
      ],
    };
  }
}
