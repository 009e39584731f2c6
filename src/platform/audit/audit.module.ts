import { Global, Module } from '@nestjs/common';
import { AuditService } from './audit.service.js';
import { LogKey } from './log-key.service.js';
import { Sealer } from './sealer.service.js';

@Global()
@Module({ providers: [AuditService, LogKey, Sealer], exports: [AuditService, Sealer] })
export class AuditModule {}
