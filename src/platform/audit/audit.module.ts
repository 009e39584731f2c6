import { Global, Module } from '@nestjs/common';
import { AuditService } from './audit.service.js';
import { LogKey } from './log-key.service.js';
import { Publisher } from './publisher.service.js';
import { Sealer } from './sealer.service.js';

@Global()
@Module({ providers: [AuditService, LogKey, Publisher, Sealer], exports: [AuditService, Publisher, Sealer] })
export class AuditModule {}
