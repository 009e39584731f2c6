import { Module } from '@nestjs/common';
import { DeviceExceptionsController } from './device-exceptions.controller.js';
import { DeviceExceptions } from './device-exceptions.service.js';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { ObservationsService } from './observations.service.js';

@Module({
  // Names such as `exceptions` are told from ids by whoever comes first.
  controllers: [DeviceExceptionsController, DevicesController, DeviceModelsController],
  providers: [DevicesService, DeviceModelsService, DeviceExceptions, ObservationsService],
  exports: [DevicesService, DeviceModelsService, DeviceExceptions, ObservationsService],
})
export class DevicesModule {}
