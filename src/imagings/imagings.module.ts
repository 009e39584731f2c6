import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { ImagesModule } from '../images/images.module.js';
import { ImageCarriers } from './image-carriers.service.js';
import { ImageDrift } from './image-drift.service.js';
import { ImageMediaController } from './image-media.controller.js';
import { ImagingsController } from './imagings.controller.js';
import { Imagings } from './imagings.service.js';
import { PackageDriftController } from './package-drift.controller.js';
import { PackageDrifts } from './package-drift.service.js';

@Module({
  imports: [DevicesModule, ImagesModule, CasesModule],
  controllers: [ImageMediaController, ImagingsController, PackageDriftController],
  providers: [Imagings, ImageCarriers, ImageDrift, PackageDrifts],
  exports: [ImageCarriers],
})
export class ImagingsModule {}
