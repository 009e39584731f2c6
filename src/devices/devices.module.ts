import { Module } from '@nestjs/common';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { ObservationsService } from './observations.service.js';

@Module({
  controllers: [DevicesController, DeviceModelsController],
  providers: [DevicesService, DeviceModelsService, ObservationsService],
  exports: [DevicesService, DeviceModelsService, ObservationsService],
})
export class DevicesModule {}
