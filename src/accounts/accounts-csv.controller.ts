import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AnswersCsv } from '../platform/csv/answers-csv.js';
import { CsvExports } from '../platform/csv/csv-exports.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { AccountsQueryFilters, AccountView, accountView } from './accounts-views.js';
import { AccountsService } from './accounts.service.js';

const AccountsCsvQuery = z.strictObject(AccountsQueryFilters);

@ApiTags('accounts')
@Controller('v1/accounts.csv')
export class AccountsCsvController {
  constructor(
    private readonly db: DataSource,
    private readonly accounts: AccountsService,
    private readonly csv: CsvExports,
  ) {}

  @Get()
  @Allow('accounts:read', 'within-reach')
  @AnswersCsv('accounts')
  async download(
    @Query({ schema: AccountsCsvQuery }) filter: z.infer<typeof AccountsCsvQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.csv.send(
      { request, response, actor },
      {
        name: 'accounts',
        fields: Object.keys(AccountView.shape),
        filter,
        page: (after, limit) => this.accounts.list(this.db.manager, actor, filter, { after, limit }),
        view: accountView,
      },
    );
  }
}
