import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { AnswersCsv } from '../platform/csv/answers-csv.js';
import { CsvExports } from '../platform/csv/csv-exports.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { AuditLogReader } from './audit-log-reader.service.js';
import { EntriesQueryFilters, EntryView, entryView } from './audit-log-views.js';

const EntriesCsvQuery = z.strictObject(EntriesQueryFilters);

@ApiTags('audit log')
@Controller('v1/audit-entries.csv')
export class AuditLogCsvController {
  constructor(
    private readonly reader: AuditLogReader,
    private readonly csv: CsvExports,
  ) {}

  @Get()
  @Allow('audit:read')
  @AnswersCsv('audit entries')
  async download(
    @Query({ schema: EntriesCsvQuery }) filter: z.infer<typeof EntriesCsvQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.csv.send(
      { request, response, actor },
      {
        name: 'audit-entries',
        fields: Object.keys(EntryView.shape),
        filter,
        // An id mostly, and whatever somebody puts there.
        typed: ['subjectId'],
        page: (before, limit) => this.reader.list(filter, { before, limit }),
        view: entryView,
      },
    );
  }
}
