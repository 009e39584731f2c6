import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { Allow } from '../platform/sign-in/who-may-call.js';
import { InboxService } from './inbox.service.js';
import { INBOX_OUTCOMES, type InboxEvent } from './inbox-event.entity.js';

const EventView = z.object({
  id: z.uuid(),
  source: z.string(),
  eventId: z.string(),
  type: z.string().nullable(),
  employeeId: z.string().nullable(),
  eventTime: z.iso.datetime().nullable(),
  sequence: z.int().nullable(),
  receivedAt: z.iso.datetime(),
  deliveries: z.int(),
  outcome: z.enum(INBOX_OUTCOMES),
  reason: z.string().nullable(),
  effectiveAt: z.iso.datetime().nullable(),
  personId: z.uuid().nullable(),
  caseId: z.uuid().nullable(),
});

const EventsQuery = PageQuery.extend({
  source: z.string().max(63).optional(),
  outcome: z.enum(INBOX_OUTCOMES).optional(),
  personId: z.uuid().optional(),
});

@ApiTags('HR events')
@Controller('v1/hr-events')
export class HrEventsController {
  constructor(private readonly inbox: InboxService) {}

  @Get()
  @Allow('hr-events:read')
  @ApiOkResponse({ standardSchema: pageOf(EventView), description: 'What HR systems posted, newest first.' })
  async list(
    @Query({ schema: EventsQuery }) query: z.infer<typeof EventsQuery>,
  ): Promise<Page<z.infer<typeof EventView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.inbox.list(filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), view);
  }
}

function view(event: InboxEvent): z.infer<typeof EventView> {
  return {
    id: event.id,
    source: event.source,
    eventId: event.eventId,
    type: event.eventType,
    employeeId: event.employeeId,
    eventTime: event.eventTime?.toISOString() ?? null,
    sequence: event.sequence,
    receivedAt: event.receivedAt.toISOString(),
    deliveries: event.deliveries,
    outcome: event.outcome,
    reason: event.outcomeReason,
    effectiveAt: event.effectiveAt?.toISOString() ?? null,
    personId: event.personId,
    caseId: event.caseId,
  };
}
