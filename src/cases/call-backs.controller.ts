import { Controller, HttpCode, Param, Post, Req, type RawBodyRequest } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';
import { Public } from '../platform/sign-in/who-may-call.js';
import { CallBacks } from './call-backs.service.js';

@ApiTags('tool call-backs')
@Controller('hooks/tools')
export class CallBacksController {
  constructor(private readonly callBacks: CallBacks) {}

  /** Signed by the tool as its connector wants it. A hint to look at once: what the look shows is what counts. */
  @Post(':tool')
  @HttpCode(204)
  @Public()
  @ApiHeader({ name: 'webhook-id', required: true })
  @ApiHeader({ name: 'webhook-timestamp', required: true, description: 'Unix seconds; at most 5 minutes off.' })
  @ApiHeader({ name: 'webhook-signature', required: true, description: 'With the tool’s own secret.' })
  @ApiNoContentResponse({ description: 'Taken, also when nothing waits for it.' })
  async receive(
    @Param('tool', { schema: z.string().max(63) }) tool: string,
    @Req() request: RawBodyRequest<Request>,
  ): Promise<void> {
    await this.callBacks.receive(tool, {
      headers: request.headers,
      text: request.rawBody?.toString('utf8') ?? '',
    });
  }
}
