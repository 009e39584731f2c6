import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { Permits } from '../platform/roles/permits.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { CurrentActor, SignedIn } from '../platform/sign-in/who-may-call.js';
import { ChangeFeed } from './change-feed.service.js';
import type { Change } from './visible-changes.js';

/** Milliseconds after which a stream ends, and its reader asks anew: whoever was signed out meanwhile is refused then. */
const LONGEST = 60_000;
/** Milliseconds: some proxies cut what is silent for long. */
const SIGN_OF_LIFE = 15_000;
/** Bytes that wait to be read: whoever reads no more is let go. */
const MOST_WAITING = 64 * 1024;
const EVENT_STREAM = 'text/event-stream';

const SOME_IDS = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(,[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}){0,49}$/;

const ChangesQuery = z.object({
  cases: z
    .string()
    .regex(SOME_IDS, 'This has to be ids of cases, 50 at most, with commas between them.')
    .optional()
    .describe('Ids of cases, with commas between them: each move of their steps is told as well.'),
});

@ApiTags('changes')
@Controller('v1/changes')
export class ChangesController {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly permits: Permits,
  ) {}

  @Get()
  @SignedIn()
  @ApiOperation({
    summary: 'Be told what changed, as server-sent events',
    description:
      'Send `Accept: text/event-stream`. An event `changed` has `{"kind": "case", "id": "…"}`: read it again. Only what you may read is told. The stream ends after a minute; ask anew, and read again what you show.',
  })
  @ApiProduces(EVENT_STREAM)
  @ApiOkResponse({ content: { [EVENT_STREAM]: { schema: { type: 'string' } } }, description: 'Until it ends.' })
  async stream(
    @Query({ schema: ChangesQuery }) { cases }: z.infer<typeof ChangesQuery>,
    @CurrentActor() actor: Actor,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (!request.get('accept')?.includes(EVENT_STREAM)) {
      throw new Problem(
        'invalid-request',
        `Send \`Accept: ${EVENT_STREAM}\`: this is a stream, and no answer ends it.`,
      );
    }
    const permits = await this.permits.all(actor);
    const undo: (() => void)[] = [];
    const over = (): void => {
      for (const one of undo.splice(0)) one();
    };
    const end = (): void => {
      // Nothing more is written, however long it takes until all that was written has arrived.
      over();
      response.end();
    };
    response.once('close', over);
    undo.push(
      await this.feed.listen({
        actorId: actor.id,
        permits,
        cases: cases?.split(',') ?? [],
        tell: (changes) => tell(response, changes),
        end,
      }),
    );
    // Whoever went away before this was ready has closed it already, and won't again.
    if (response.destroyed || response.writableEnded) return over();
    const life = setInterval(() => response.write(': still here\n\n'), SIGN_OF_LIFE);
    const longest = setTimeout(end, LONGEST);
    undo.push(
      () => clearInterval(life),
      () => clearTimeout(longest),
    );
    // Not kept for another request: a server that stops would wait for it.
    response.writeHead(200, { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no', Connection: 'close' });
    // Whoever reads this can be sure that from now on nothing is missed.
    response.write('retry: 1000\nevent: listening\ndata: {}\n\n');
  }
}

function tell(response: Response, changes: readonly Change[]): void {
  // It reads everything once it knows that it listens.
  if (!response.headersSent) return;
  if (response.writableLength > MOST_WAITING) {
    response.destroy();
    return;
  }
  response.write(changes.map((change) => `event: changed\ndata: ${JSON.stringify(change)}\n\n`).join(''));
}
