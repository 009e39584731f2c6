import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { Allow } from '../platform/sign-in/who-may-call.js';
import { ACCESS_POLICY } from './access-policy-schema.js';
import { AccessPolicyService } from './access-policy.service.js';

const AccessPolicyView = z.object({
  id: z.uuid(),
  digest: z.string().describe('SHA-256 of the file.'),
  source: z.string().describe('The file’s name.'),
  document: z.unknown().describe('The policy as it was read, every default filled in.'),
  activatedAt: z.iso.datetime(),
  activatedBy: z.string(),
});

const CheckPolicy = z.strictObject({ text: z.string().max(200_000).describe('The file’s content, as it is.') });

const PolicyCheckView = z.object({
  valid: z.boolean(),
  mistakes: z.array(
    z.object({
      line: z.int().describe('From 1.'),
      column: z.int().describe('From 1.'),
      message: z.string(),
    }),
  ),
});

@ApiTags('access policy')
@Controller('v1/access-policy')
export class AccessPolicyController {
  constructor(
    private readonly db: DataSource,
    private readonly policies: AccessPolicyService,
  ) {}

  @Get()
  @Allow('policy:read')
  @ApiOkResponse({ standardSchema: AccessPolicyView })
  async active(): Promise<z.infer<typeof AccessPolicyView>> {
    const version = await this.policies.active(this.db.manager);
    if (!version)
      throw new Problem('not-found', 'No access policy was loaded yet: set ACCESS_POLICY_FILE and start again.');
    const { id, digest, source, activatedAt, activatedBy } = version;
    const document = ACCESS_POLICY.parse(version.document);
    return { id, digest, source, document, activatedAt: activatedAt.toISOString(), activatedBy };
  }

  @Post('check')
  @HttpCode(200)
  @Allow('policy:read')
  @ApiOkResponse({ standardSchema: PolicyCheckView, description: 'All mistakes at once; nothing is stored.' })
  async check(
    @Body({ schema: CheckPolicy }) { text }: z.infer<typeof CheckPolicy>,
  ): Promise<z.infer<typeof PolicyCheckView>> {
    const mistakes = await this.policies.check(this.db.manager, text);
    return { valid: mistakes.length === 0, mistakes: [...mistakes] };
  }
}
