import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AnswersCsv } from '../platform/csv/answers-csv.js';
import { CsvExports } from '../platform/csv/csv-exports.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { listPeople } from './list-people.js';
import { PeopleQueryFilters, PersonView, personView } from './people-views.js';

const PeopleCsvQuery = z.strictObject(PeopleQueryFilters);

@ApiTags('people')
@Controller('v1/people.csv')
export class PeopleCsvController {
  constructor(
    private readonly db: DataSource,
    private readonly csv: CsvExports,
  ) {}

  @Get()
  @Allow('people:read', 'within-reach')
  @AnswersCsv('people')
  async download(
    @Query({ schema: PeopleCsvQuery }) filter: z.infer<typeof PeopleCsvQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.csv.send(
      { request, response, actor },
      {
        name: 'people',
        fields: Object.keys(PersonView.shape),
        filter,
        typed: ['search', 'department'],
        page: (after, limit) => listPeople(this.db.manager, actor, filter, { after, limit }),
        view: personView,
      },
    );
  }
}
