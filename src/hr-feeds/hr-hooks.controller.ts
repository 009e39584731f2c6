import { Controller, Headers, HttpCode, Param, Post, Req, type RawBodyRequest } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiHeader, ApiTags, type ApiBodyOptions } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { requestIdOf } from '../platform/http/request-id.js';
import { Public } from '../platform/sign-in/who-may-call.js';
import { checkSignature } from './check-signature.js';
import { HrEvent } from './hr-event.js';
import { HrSourcesService } from './hr-sources.service.js';
import { InboxService } from './inbox.service.js';
import { INBOX_OUTCOMES } from './inbox-event.entity.js';

/** The body is parsed by hand, from its raw bytes, so its shape is told by hand as well. */
const HR_EVENT_SCHEMA = z.toJSONSchema(HrEvent, { io: 'input', target: 'openapi-3.0' }) as Extract<
  ApiBodyOptions,
  { schema: unknown }
>['schema'];

const EventTaken = z.object({
  id: z.uuid(),
  outcome: z.enum(INBOX_OUTCOMES),
  reason: z.string().nullable(),
  effectiveAt: z.iso.datetime().nullable().describe('For a scheduled one: when it takes effect.'),
  caseId: z.uuid().nullable(),
});

@ApiTags('HR webhook')
@Controller('hooks/hr')
export class HrHooksController {
  constructor(
    private readonly sources: HrSourcesService,
    private readonly inbox: InboxService,
  ) {}

  /** Signed by Standard Webhooks; answered with 202 only when the event and its outcome are committed. */
  @Post(':source')
  @HttpCode(202)
  @Public()
  @ApiHeader({ name: 'webhook-id', required: true, description: 'Unique; a repeat changes nothing.' })
  @ApiHeader({ name: 'webhook-timestamp', required: true, description: 'Unix seconds; at most 5 minutes off.' })
  @ApiHeader({
    name: 'webhook-signature',
    required: true,
    description: '`v1,<base64>` of HMAC-SHA256 over `id.timestamp.body`.',
  })
  @ApiBody({ schema: HR_EVENT_SCHEMA })
  @ApiAcceptedResponse({ standardSchema: EventTaken })
  async receive(
    @Param('source', { schema: z.string().max(63) }) source: string,
    @Headers('webhook-id') id: string | undefined,
    @Headers('webhook-timestamp') timestamp: string | undefined,
    @Headers('webhook-signature') signature: string | undefined,
    @Req() request: RawBodyRequest<Request>,
  ): Promise<z.infer<typeof EventTaken>> {
    const body = request.rawBody?.toString('utf8') ?? '';
    const { secrets, now } = await this.sources.credentialsOf(source);
    const verdict = checkSignature({ id, timestamp, signature, body }, secrets, now);
    if (!verdict.good) throw new Problem('invalid-signature', verdict.because);
    const event = await this.inbox.receive(source, verdict.id, body, {
      via: 'webhook',
      requestId: requestIdOf(request),
      ...(request.ip !== undefined && { address: request.ip }),
    });
    return {
      id: event.id,
      outcome: event.outcome,
      reason: event.outcomeReason,
      effectiveAt: event.effectiveAt?.toISOString() ?? null,
      caseId: event.caseId,
    };
  }
}
