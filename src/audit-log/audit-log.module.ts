import { Module } from '@nestjs/common';
import { AuditLogCsvController } from './audit-log-csv.controller.js';
import { AuditLogController } from './audit-log.controller.js';
import { AuditLogReader } from './audit-log-reader.service.js';

@Module({ controllers: [AuditLogController, AuditLogCsvController], providers: [AuditLogReader] })
export class AuditLogModule {}
