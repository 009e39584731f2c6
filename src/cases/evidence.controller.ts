import type { IncomingMessage } from 'node:http';
import { Controller, Get, Param, Put, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { readBody } from '../platform/http/read-body.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { EvidenceView, evidenceView } from './cases-views.js';
import { Evidence, EVIDENCE_LIMIT, tooLarge } from './evidence.service.js';

const StepId = z.uuid();
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'This has to be a SHA-256 in lower-case hex.');
const FileName = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}/\\]+$/u, 'This has to be a file’s name without a folder.')
    .describe('What the file is called.'),
});
const FILE = { schema: { type: 'string', format: 'binary' } } as const;

@ApiTags('steps')
@Controller('v1/steps/:id/evidence')
export class EvidenceController {
  constructor(private readonly evidence: Evidence) {}

  @Get()
  @Allow('cases:read', 'within-reach')
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(EvidenceView) }) })
  async list(
    @Param('id', { schema: StepId }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<{ items: z.infer<typeof EvidenceView>[] }> {
    return { items: (await this.evidence.list(id, actor)).map(evidenceView) };
  }

  /** A file is known by its hash: sending it again changes nothing. */
  @Put(':sha256')
  @Allow('steps:decide', 'within-reach')
  @ApiConsumes('application/octet-stream')
  @ApiBody(FILE)
  @ApiOkResponse({ standardSchema: EvidenceView, description: 'It was kept before.' })
  @ApiCreatedResponse({ standardSchema: EvidenceView, description: 'Kept. 2 MiB at most.' })
  async add(
    @Param('id', { schema: StepId }) id: string,
    @Param('sha256', { schema: Sha256 }) sha256: string,
    @Query({ schema: FileName }) { name }: z.infer<typeof FileName>,
    @Req() request: IncomingMessage,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof EvidenceView>> {
    if (request.headers['content-type'] !== 'application/octet-stream') {
      throw new Problem('invalid-request', 'A file is sent as application/octet-stream.');
    }
    // What isn't read any further must not be taken for the next request.
    response.setHeader('Connection', 'close');
    const { evidence, isNew } = await this.evidence.add(
      id,
      sha256,
      name,
      await readBody(request, EVIDENCE_LIMIT, tooLarge),
      actor,
    );
    response.status(isNew ? 201 : 200);
    return evidenceView(evidence);
  }

  /** Always a download, whatever is in it: nothing of it runs in a browser. */
  @Get(':sha256')
  @Allow('cases:read', 'within-reach')
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ content: { 'application/octet-stream': FILE }, description: 'Who read it is in the audit log.' })
  async read(
    @Param('id', { schema: StepId }) id: string,
    @Param('sha256', { schema: Sha256 }) sha256: string,
    @CurrentActor() actor: Actor,
  ): Promise<StreamableFile> {
    const { fileName, content } = await this.evidence.read(id, sha256, actor);
    return new StreamableFile(content, {
      type: 'application/octet-stream',
      disposition: `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
      length: content.length,
    });
  }
}
