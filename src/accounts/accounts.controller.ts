import { Controller, Get, Header, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf } from '../platform/http/versions.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import {
  AccountDetails,
  AccountsQueryFilters,
  AccountView,
  accountView,
  CredentialLinkView,
  credentialView,
  grantView,
  sessionView,
} from './accounts-views.js';
import { AccountsService } from './accounts.service.js';
import { CredentialLinks } from './credential-links.service.js';
import { CredentialsService } from './credentials.service.js';
import { GrantsService } from './grants.service.js';
import { SessionsService } from './sessions.service.js';

const AccountsQuery = PageQuery.extend(AccountsQueryFilters);

@ApiTags('accounts')
@Controller('v1/accounts')
export class AccountsController {
  constructor(
    private readonly db: DataSource,
    private readonly accounts: AccountsService,
    private readonly grants: GrantsService,
    private readonly sessions: SessionsService,
    private readonly credentials: CredentialsService,
    private readonly links: CredentialLinks,
  ) {}

  @Get()
  @Allow('accounts:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(AccountView) })
  async list(
    @Query({ schema: AccountsQuery }) query: z.infer<typeof AccountsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof AccountView>>> {
    const { limit, cursor, ...filter } = query;
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.accounts.list(this.db.manager, actor, filter, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), accountView);
  }

  @Get(':id')
  @Allow('accounts:read', 'within-reach')
  @ApiOkResponse({ standardSchema: AccountDetails })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof AccountDetails>> {
    const { manager } = this.db;
    await requireWithin(manager, actor, 'account', id);
    const account = await this.accounts.get(manager, id);
    response.setHeader('ETag', etagOf(account.version));
    return {
      ...accountView(account),
      grants: (await this.grants.forAccount(manager, id)).map(grantView),
      sessions: (await this.sessions.forAccount(manager, id)).map(sessionView),
      credentials: (await this.credentials.forAccount(manager, id)).map(credentialView),
    };
  }

  @Post(':id/credential-link')
  @Allow('accounts:hand-over', 'within-reach')
  @Idempotent('never-stored')
  @Header('Cache-Control', 'no-store')
  @ApiCreatedResponse({ standardSchema: CredentialLinkView, description: 'A link from before stops working.' })
  async credentialLink(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof CredentialLinkView>> {
    const { url, expiresAt } = await inTransaction(this.db, (tx) => this.links.create(tx, actor, id));
    return { url, expiresAt: expiresAt.toISOString() };
  }
}
