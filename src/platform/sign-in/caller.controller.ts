import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Config } from '../config/config.js';
import { Permits } from '../roles/permits.service.js';
import { SCOPES, type Actor } from './actor.js';
import { CurrentActor, SignedIn } from './who-may-call.js';

const CallerView = z.object({
  id: z.string().describe('As it stands in the audit log.'),
  name: z.string(),
  personId: z.uuid().nullable().describe('Who they are among the people whose access is looked after here.'),
  cameBy: z.enum(['provider', 'link', 'token']),
  environment: z.enum(['production', 'test']),
  scopes: z.array(
    z.object({
      scope: z.enum(SCOPES),
      everywhere: z.boolean().describe('False: within the departments, locations and tools of their roles.'),
    }),
  ),
});

@ApiTags('sign-in')
@Controller('v1/caller')
export class CallerController {
  constructor(
    private readonly permits: Permits,
    private readonly config: Config,
  ) {}

  /** So that a page offers what may be done. Whether it may is decided where it is done. */
  @Get()
  @SignedIn()
  @ApiOkResponse({ standardSchema: CallerView, description: 'Who asks, and what they may do.' })
  async who(@CurrentActor() actor: Actor, @Req() { browser }: Request): Promise<z.infer<typeof CallerView>> {
    const permits = await this.permits.all(actor);
    return {
      id: actor.id,
      name: actor.name,
      personId: actor.personId ?? null,
      cameBy: browser ? (browser.identityId === null ? 'link' : 'provider') : 'token',
      environment: this.config.environment,
      scopes: [...permits].map(([scope, { reach }]) => ({ scope, everywhere: reach === undefined })),
    };
  }
}
