import { Module } from '@nestjs/common';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { EncryptionKnowledge } from './encryption/encryption-knowledge.service.js';
import { EncryptionController } from './encryption/encryption.controller.js';
import { ObservationsService } from './observations.service.js';

@Module({
  // The encryption's first: `encryption` is no id of a device.
  controllers: [EncryptionController, DevicesController, DeviceModelsController],
  providers: [DevicesService, DeviceModelsService, ObservationsService, EncryptionKnowledge],
  exports: [DevicesService, DeviceModelsService, ObservationsService],
})
export class DevicesModule {}
