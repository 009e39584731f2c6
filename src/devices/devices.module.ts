import { Module } from '@nestjs/common';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { EncryptionKnowledge } from './encryption/encryption-knowledge.service.js';
import { EncryptionController } from './encryption/encryption.controller.js';
import { ObservationsService } from './observations.service.js';
import { DevicePackagesController } from './packages/device-packages.controller.js';
import { DevicePackagesService } from './packages/device-packages.service.js';

@Module({
  // The encryption's first: `encryption` is no id of a device.
  controllers: [EncryptionController, DevicesController, DeviceModelsController, DevicePackagesController],
  providers: [DevicesService, DeviceModelsService, ObservationsService, EncryptionKnowledge, DevicePackagesService],
  exports: [DevicesService, DeviceModelsService, ObservationsService, DevicePackagesService],
})
export class DevicesModule {}
