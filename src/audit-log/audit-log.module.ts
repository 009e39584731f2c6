import { Module } from '@nestjs/common';
import { AuditLogController } from './audit-log.controller.js';
import { AuditLogReader } from './audit-log-reader.service.js';

@Module({ controllers: [AuditLogController], providers: [AuditLogReader] })
export class AuditLogModule {}
