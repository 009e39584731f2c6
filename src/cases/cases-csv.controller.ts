import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { AnswersCsv } from '../platform/csv/answers-csv.js';
import { CsvExports } from '../platform/csv/csv-exports.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CasesReader } from './cases-reader.service.js';
import { CasesQueryFilters, CaseView, caseView } from './cases-views.js';

const CasesCsvQuery = z.strictObject(CasesQueryFilters);

@ApiTags('cases')
@Controller('v1/cases.csv')
export class CasesCsvController {
  constructor(
    private readonly reader: CasesReader,
    private readonly csv: CsvExports,
  ) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @AnswersCsv('cases')
  async download(
    @Query({ schema: CasesCsvQuery }) filter: z.infer<typeof CasesCsvQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.csv.send(
      { request, response, actor },
      {
        name: 'cases',
        fields: Object.keys(CaseView.shape),
        filter,
        page: (before, limit) => this.reader.list(actor, filter, { before, limit }),
        view: (row) => caseView(row, actor),
      },
    );
  }
}
