import { Module } from '@nestjs/common';
import { Config } from '../platform/config/config.js';
import { ImageContentsController } from './image-contents.controller.js';
import { ImageContents } from './image-contents.service.js';
import { ImageMedia } from './image-media.service.js';
import { ImageVersionsController } from './image-versions.controller.js';
import { ImageVersions } from './image-versions.service.js';
import { ImagesController } from './images.controller.js';
import { ImagesService } from './images.service.js';
import { ReleaseKeysController } from './release-keys.controller.js';
import { ReleaseKeys } from './release-keys.service.js';
import { IMAGE_STORE, imageStoreAt } from './store/image-store.js';

@Module({
  controllers: [
    ReleaseKeysController,
    ImageVersionsController,
    ImageContentsController,
    // The last: its paths begin with an id, and it would take `versions` for one.
    ImagesController,
  ],
  providers: [
    ImagesService,
    ImageVersions,
    ImageContents,
    ImageMedia,
    ReleaseKeys,
    {
      provide: IMAGE_STORE,
      inject: [Config],
      useFactory: ({ imageStore, awsRegion }: Config) =>
        imageStore === undefined ? null : imageStoreAt(imageStore, awsRegion),
    },
  ],
  exports: [ImagesService, ImageVersions, ImageMedia],
})
export class ImagesModule {}
