import { Module } from '@nestjs/common';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { RecoveryKeysController } from './recovery-keys.controller.js';
import { RecoveryKeysService } from './recovery-keys.service.js';
import { ObservationsService } from './observations.service.js';

@Module({
  controllers: [DevicesController, DeviceModelsController, RecoveryKeysController],
  providers: [DevicesService, DeviceModelsService, ObservationsService, RecoveryKeysService],
  exports: [DevicesService, DeviceModelsService, ObservationsService],
})
export class DevicesModule {}
