import { Module } from '@nestjs/common';
import { ApprovalsController } from './approvals.controller.js';
import { Approvals } from './approvals.service.js';

@Module({ controllers: [ApprovalsController], providers: [Approvals], exports: [Approvals] })
export class ApprovalsModule {}
