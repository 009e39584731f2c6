import { Body, Controller, Get, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf, IfMatch, requireChanged } from '../platform/http/versions.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { EmploymentsService } from './employments.service.js';
import {
  employmentView,
  PeopleQueryFilters,
  PersonDetails,
  PersonView,
  personView,
  RenamePerson,
} from './people-views.js';
import { listPeople } from './list-people.js';
import { PeopleService } from './people.service.js';

const PeopleQuery = PageQuery.extend(PeopleQueryFilters);

@ApiTags('people')
@Controller('v1/people')
export class PeopleController {
  constructor(
    private readonly db: DataSource,
    private readonly people: PeopleService,
    private readonly employments: EmploymentsService,
  ) {}

  @Get()
  @Allow('people:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(PersonView) })
  async list(
    @Query({ schema: PeopleQuery }) query: z.infer<typeof PeopleQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof PersonView>>> {
    const { limit, cursor, ...filter } = query;
    const after = positionOf(cursor)?.id ?? null;
    const rows = await listPeople(this.db.manager, actor, filter, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), personView);
  }

  @Get(':id')
  @Allow('people:read', 'within-reach')
  @ApiOkResponse({ standardSchema: PersonDetails })
  async one(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof PersonDetails>> {
    await requireWithin(this.db.manager, actor, 'person', id);
    const person = await this.people.get(this.db.manager, id);
    const employments = await this.employments.forPerson(this.db.manager, id);
    response.setHeader('ETag', etagOf(person.version));
    return { ...personView(person), employments: employments.map((one) => employmentView(one, actor)) };
  }

  @Patch(':id')
  @Allow('people:write', 'within-reach')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that your last GET answered.' })
  @ApiOkResponse({ standardSchema: PersonView })
  async rename(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: RenamePerson }) body: z.infer<typeof RenamePerson>,
    @IfMatch() version: number,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof PersonView>> {
    const person = await inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'whole person', id);
      const before = await this.people.lock(tx, id);
      requireChanged(before.version === version ? 1 : 0);
      return this.people.update(tx, actor, before, body);
    });
    response.setHeader('ETag', etagOf(person.version));
    return personView(person);
  }
}
