import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { AskDeviceManagers } from './ask-device-managers.service.js';
import { RecoveryKeysModule } from '../recovery-keys/recovery-keys.module.js';
import { DeviceManagersController } from './device-managers.controller.js';
import { KeepManagersKeys } from './keep-managers-keys.service.js';

@Module({
  imports: [CasesModule, DevicesModule, RecoveryKeysModule],
  controllers: [DeviceManagersController],
  providers: [AskDeviceManagers, KeepManagersKeys],
})
export class DeviceManagersModule {}
