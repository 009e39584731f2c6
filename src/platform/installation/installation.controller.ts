import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/audit-log.entity.js';
import { Config } from '../config/config.js';
import { SealingKeys } from '../crypto/sealing-keys.service.js';
import { Allow } from '../sign-in/who-may-call.js';
import { packageVersion } from './own-package.js';

const InstallationView = z.object({
  version: z.string().describe('Of the program that answers.'),
  environment: z.enum(['production', 'test']),
  sealingKeys: z
    .array(
      z.object({
        ring: z.enum(['standard', 'recovery']),
        state: z.enum(['current', 'opening']).describe('Opening: seals nothing any more.'),
        provider: z.string().describe('Who wraps it: key-file, age, aws-kms, transit.'),
        keyName: z.string().describe('Which of its keys does: a fingerprint, a recipient, an ARN, a name. No secret.'),
      }),
    )
    .describe('Where the keys are that seal or open secrets.'),
  audit: z.object({
    sealed: z.int().describe('How many entries were sealed so far.'),
    dropped: z.int().describe('How many of them, the oldest, were dropped: by hand, nothing drops any by itself.'),
  }),
  observationsKeptDays: z
    .int()
    .nullable()
    .describe('For how many days all observations of devices are kept, as this process is set up; null: for good.'),
});

const VERSION = packageVersion();

@ApiTags('installation')
@Controller('v1/installation')
export class InstallationController {
  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    private readonly keys: SealingKeys,
  ) {}

  @Get()
  @Allow('audit:read')
  @ApiOkResponse({ standardSchema: InstallationView, description: 'How this Quartermaster is set up; no secret.' })
  async read(): Promise<z.infer<typeof InstallationView>> {
    const [log, sealingKeys] = await Promise.all([this.db.manager.findOneBy(AuditLog, { id: 1 }), this.keys.inUse()]);
    const { environment, observationsKeptDays } = this.config;
    return {
      version: VERSION,
      environment,
      sealingKeys,
      audit: { sealed: log?.size ?? 0, dropped: log?.keptFrom ?? 0 },
      observationsKeptDays: observationsKeptDays === 0 ? null : observationsKeptDays,
    };
  }
}
