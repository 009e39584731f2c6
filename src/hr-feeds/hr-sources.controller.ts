import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Config } from '../platform/config/config.js';
import { Idempotent } from '../platform/http/idempotent.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { HR_SOURCE_NAME, HR_SOURCE_NAME_MEANS, HrSourcesService } from './hr-sources.service.js';

const SourceName = z.string().regex(HR_SOURCE_NAME, { error: HR_SOURCE_NAME_MEANS });

const NewSource = z.strictObject({ name: SourceName.describe('The last part of its address.') });

const Address = z.string().describe('Where its events are posted, signed by Standard Webhooks.');

const SourceView = z.object({
  name: z.string(),
  address: Address,
  secrets: z
    .array(z.object({ id: z.uuid(), since: z.iso.datetime() }))
    .describe('Those that it may sign with: one, or two while one replaces the other, the older one first.'),
  lastEventAt: z.iso.datetime().nullable().describe('When its newest event came; null: none did yet.'),
});

const SecretMade = z.object({
  name: z.string(),
  address: Address,
  secret: z.string().describe('`whsec_…`, which its events are signed with. Shown this once.'),
});
type SecretMade = z.infer<typeof SecretMade>;

@ApiTags('HR events')
@Controller('v1/hr-sources')
export class HrSourcesController {
  constructor(
    private readonly sources: HrSourcesService,
    private readonly config: Config,
  ) {}

  @Get()
  @Allow('hr-events:read')
  @ApiOkResponse({
    standardSchema: z.object({ items: z.array(SourceView) }),
    description: 'All HR systems that may post events, by name. No secret is shown.',
  })
  async list(): Promise<{ items: z.infer<typeof SourceView>[] }> {
    const items = (await this.sources.list()).map(({ name, secrets, lastEventAt }) => ({
      name,
      address: this.addressOf(name),
      secrets: secrets.map(({ id, since }) => ({ id, since: since.toISOString() })),
      lastEventAt: lastEventAt?.toISOString() ?? null,
    }));
    return { items };
  }

  @Post()
  @Allow('hr-sources:write')
  @FreshSignIn()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'Adds an HR system, with its first secret' })
  @ApiCreatedResponse({ standardSchema: SecretMade })
  async add(
    @Body({ schema: NewSource }) { name }: z.infer<typeof NewSource>,
    @CurrentActor() actor: Actor,
  ): Promise<SecretMade> {
    return this.made(name, await this.sources.add(name, actor));
  }

  @Post(':name/secrets')
  @Allow('hr-sources:write')
  @FreshSignIn()
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'Gives an HR system a further secret. The older of two ends with a third' })
  @ApiCreatedResponse({ standardSchema: SecretMade })
  async addSecret(
    @Param('name', { schema: SourceName }) name: string,
    @CurrentActor() actor: Actor,
  ): Promise<SecretMade> {
    return this.made(name, await this.sources.addFurtherSecret(name, actor));
  }

  @Delete(':name/secrets/:id')
  @HttpCode(204)
  @Allow('hr-sources:write')
  @FreshSignIn()
  @ApiNoContentResponse({ description: 'What is signed with it is refused from the next request on.' })
  async dropSecret(
    @Param('name', { schema: SourceName }) name: string,
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<void> {
    await this.sources.dropSecret(name, id, actor);
  }

  private made(name: string, secret: string): SecretMade {
    return { name, address: this.addressOf(name), secret };
  }

  private addressOf(name: string): string {
    return `${this.config.publicUrl}/hooks/hr/${name}`;
  }
}
