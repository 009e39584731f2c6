import { Module } from '@nestjs/common';
import { RolesModule } from '../platform/roles/roles.module.js';
import { ChangeFeed } from './change-feed.service.js';
import { ChangesController } from './changes.controller.js';

@Module({ imports: [RolesModule], controllers: [ChangesController], providers: [ChangeFeed] })
export class ChangesModule {}
