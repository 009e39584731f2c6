import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { AskDeviceManagers } from './ask-device-managers.service.js';
import { DeviceManagerRounds } from './device-manager-rounds.service.js';
import { DeviceManagersController } from './device-managers.controller.js';

@Module({
  imports: [CasesModule, DevicesModule],
  controllers: [DeviceManagersController],
  providers: [AskDeviceManagers, DeviceManagerRounds],
})
export class DeviceManagersModule {}
