import { Module } from '@nestjs/common';
import { BuiltPages } from './built-pages.service.js';
import { UserInterfaceController } from './user-interface.controller.js';

@Module({ controllers: [UserInterfaceController], providers: [BuiltPages] })
export class UserInterfaceModule {}
