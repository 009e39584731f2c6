import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../database/transaction.js';
import { NeverLimited } from '../rate-limits/never-limited.js';
import { Problem } from '../errors/problem.js';
import { Idempotent } from '../http/idempotent.js';
import { SCOPES, type Actor } from './actor.js';
import type { ApiToken } from './api-token.entity.js';
import { ApiTokens } from './api-tokens.service.js';
import { FreshSignIn } from './fresh-sign-in.js';
import { TokenOwners } from './token-owners.service.js';
import { Allow, CurrentActor } from './who-may-call.js';

const CreateToken = z
  .strictObject({
    name: z.string().trim().min(1).max(200).describe('What it is for.'),
    scopes: z.array(z.enum(SCOPES)).max(SCOPES.length).describe('No more than you hold. None: it gets roles instead.'),
    ownerPersonId: z.uuid().optional().describe('It ends when they leave.'),
    servicePrincipalId: z.uuid().optional().describe('It goes on when the service’s owner leaves.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('In 90 days unless said; in a year at most.'),
  })
  .refine(
    ({ ownerPersonId, servicePrincipalId }) => (ownerPersonId === undefined) !== (servicePrincipalId === undefined),
    {
      error: 'one of ownerPersonId and servicePrincipalId is needed',
    },
  );
const TokenCreated = z.object({
  id: z.uuid(),
  token: z.string().describe('Shown this once: only its hash is kept.'),
});
const TokenView = z.object({
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.string()),
  owner: z.string().describe('The person or service that answers for it; of an older token, what somebody wrote down.'),
  ownerPersonId: z.uuid().nullable().describe('Null with `servicePrincipalId`: an older one that nobody answers for.'),
  servicePrincipalId: z.uuid().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable().describe('Null: an older one that has no end. Revoke it, and make a new one.'),
  lastUsedAt: z.iso.datetime().nullable().describe('To the minute.'),
  revokedAt: z.iso.datetime().nullable(),
});

@ApiTags('API tokens')
@Controller('v1/tokens')
export class TokensController {
  constructor(
    private readonly db: DataSource,
    private readonly tokens: ApiTokens,
    private readonly owners: TokenOwners,
  ) {}

  @Get()
  @Allow('tokens:read')
  @ApiOkResponse({
    standardSchema: z.object({ items: z.array(TokenView) }),
    description: 'All of them, the oldest first.',
  })
  async list(): Promise<{ items: z.infer<typeof TokenView>[] }> {
    return { items: (await this.tokens.list(this.db.manager)).map(view) };
  }

  @Post()
  @Allow('tokens:write')
  @FreshSignIn()
  @Idempotent('never-stored')
  @ApiCreatedResponse({ standardSchema: TokenCreated })
  async create(
    @Body({ schema: CreateToken }) { name, scopes, expiresAt, ...whose }: z.infer<typeof CreateToken>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof TokenCreated>> {
    return inTransaction(this.db, async (tx) => {
      const owner = await this.owners.find(tx, whose);
      const end = expiresAt === undefined ? undefined : new Date(expiresAt);
      return this.tokens.create(tx, actor, { name, scopes, ...owner, expiresAt: end });
    });
  }

  @Delete(':id')
  @HttpCode(204)
  @Allow('tokens:write')
  @NeverLimited()
  @ApiNoContentResponse({ description: 'Revoked: it opens nothing from the next request on.' })
  async revoke(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<void> {
    if (await inTransaction(this.db, (tx) => this.tokens.revoke(tx, actor, id))) return;
    throw new Problem('not-found', 'There is no token with this id, or it was revoked before.');
  }
}

function view(token: ApiToken): z.infer<typeof TokenView> {
  const { id, name, scopes, owner, ownerPersonId, servicePrincipalId } = token;
  return {
    id,
    name,
    scopes,
    owner,
    ownerPersonId,
    servicePrincipalId,
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    revokedAt: token.revokedAt?.toISOString() ?? null,
  };
}
