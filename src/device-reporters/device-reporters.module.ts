import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { HttpModule } from '../platform/http/http.module.js';
import { RecoveryKeysModule } from '../recovery-keys/recovery-keys.module.js';
import { DeviceTokensController } from './device-tokens.controller.js';
import { DeviceTokens } from './device-tokens.service.js';
import { ReportersController } from './reporters.controller.js';

/** The door of devices' own reporters. */
@Module({
  imports: [HttpModule, CasesModule, DevicesModule, RecoveryKeysModule],
  controllers: [DeviceTokensController, ReportersController],
  providers: [DeviceTokens],
})
export class DeviceReportersModule {}
