import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import type { ServicePrincipal } from './service-principal.entity.js';
import { ServicePrincipals } from './service-principals.service.js';

const Owner = z.uuid().describe('The person that answers for it.');
const CreateService = z.strictObject({ name: z.string().trim().min(1).max(200), ownerPersonId: Owner });
const HandOn = z.strictObject({ ownerPersonId: Owner });
const ServiceView = z.object({
  id: z.uuid(),
  name: z.string(),
  ownerPersonId: z.uuid().nullable().describe('Null: nobody answers for it yet. Hand it on to somebody.'),
  createdAt: z.iso.datetime(),
});

@ApiTags('API tokens')
@Controller('v1/service-principals')
export class ServicePrincipalsController {
  constructor(
    private readonly db: DataSource,
    private readonly services: ServicePrincipals,
  ) {}

  @Get()
  @Allow('tokens:read')
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(ServiceView) }), description: 'All of them, by name.' })
  async list(): Promise<{ items: z.infer<typeof ServiceView>[] }> {
    return { items: (await this.services.list()).map(view) };
  }

  @Post()
  @Allow('tokens:write')
  @ApiCreatedResponse({ standardSchema: ServiceView })
  async create(
    @Body({ schema: CreateService }) { name, ownerPersonId }: z.infer<typeof CreateService>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ServiceView>> {
    return view(await inTransaction(this.db, (tx) => this.services.create(tx, actor, name, ownerPersonId)));
  }

  /** Its tokens go on. */
  @Post(':id/hand-on')
  @HttpCode(200)
  @Allow('tokens:write')
  @ApiOkResponse({ standardSchema: ServiceView })
  async handOn(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: HandOn }) { ownerPersonId }: z.infer<typeof HandOn>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ServiceView>> {
    return view(await inTransaction(this.db, (tx) => this.services.handOn(tx, actor, id, ownerPersonId)));
  }
}

function view({ id, name, ownerPersonId, createdAt }: ServicePrincipal): z.infer<typeof ServiceView> {
  return { id, name, ownerPersonId, createdAt: createdAt.toISOString() };
}
