import { pipeline } from 'node:stream/promises';
import { Controller, Delete, Get, Head, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Problem } from '../platform/errors/problem.js';
import { isDeparture } from '../platform/http/departure.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { ImageContents } from './image-contents.service.js';
import { ImageVersions } from './image-versions.service.js';
import { ImageVersionView, imageVersionView } from './images-views.js';
import { wantedRange } from './wanted-range.js';

const Id = z.uuid();
const FILE = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } as const;

/** Of tus, the protocol for uploads that go on where they stopped (tus.io, protocol 1.0.0). */
const TUS = '1.0.0';
const CHUNK = 'application/offset+octet-stream';
const TusResumable = ApiHeader({ name: 'Tus-Resumable', required: true, schema: { type: 'string', enum: [TUS] } });

@ApiTags('images')
@Controller('v1/images/versions/:id')
export class ImageContentsController {
  constructor(
    private readonly db: DataSource,
    private readonly contents: ImageContents,
    private readonly versions: ImageVersions,
  ) {}

  @Head('upload')
  @HttpCode(200)
  @Allow('images:write')
  @TusResumable
  @ApiOperation({ summary: 'How much of the content is there (tus 1.0.0)' })
  async progress(
    @Param('id', { schema: Id }) id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    speakTus(request, response);
    const { received, size } = await this.contents.progress(id);
    response.set({ 'Upload-Offset': String(received), 'Upload-Length': String(size) });
  }

  @Patch('upload')
  @HttpCode(204)
  @Allow('images:write')
  @TusResumable
  @ApiHeader({
    name: 'Upload-Offset',
    required: true,
    description: 'Where this begins: behind what is there.',
    schema: { type: 'string', pattern: '^[0-9]{1,15}$' },
  })
  @ApiConsumes(CHUNK)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOperation({
    summary: 'Send some of the content (tus 1.0.0)',
    description: 'A request may take 30 s: send 16 MiB or so at a time. What came before it broke off is kept.',
  })
  @ApiNoContentResponse({
    description: '`Upload-Offset` says how much is there now. After the last byte it is checked.',
  })
  async append(
    @Param('id', { schema: Id }) id: string,
    @Req() request: Request,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    // What isn't read any further must not be taken for the next request.
    const length = lengthOf(request);
    if (length === null) response.set('Connection', 'close');
    speakTus(request, response);
    if (request.headers['content-type'] !== CHUNK) {
      throw new Problem('unsupported-media-type', `Content is sent as ${CHUNK}.`);
    }
    const received = await this.contents.append(actor, id, offsetOf(request), length, request);
    response.set('Upload-Offset', String(received));
  }

  @Delete('upload')
  @HttpCode(204)
  @Allow('images:write')
  @ApiOperation({ summary: 'Delete what was sent of a version that isn’t published' })
  @ApiNoContentResponse()
  async discard(
    @Param('id', { schema: Id }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    response.set('Tus-Resumable', TUS);
    await this.contents.discard(actor, id);
  }

  @Post('check')
  @HttpCode(200)
  @Allow('images:write')
  @ApiOperation({
    summary: 'Check the content’s hash, unless that is going on; ask again until it is stored or refused',
    description: 'A `problem` of what is still received: that failed, and for half a minute nothing else is tried.',
  })
  @ApiOkResponse({ standardSchema: ImageVersionView })
  async check(
    @Param('id', { schema: Id }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImageVersionView>> {
    await this.contents.check(actor, id);
    return imageVersionView(await this.versions.get(this.db.manager, id));
  }

  @Get('content')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({
    summary: 'The content, whole or in a range (RFC 9110), but for versions that were withdrawn',
    description: 'The ETag stands for these very bytes: with `If-Range` a download goes on where it stopped.',
  })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ content: FILE, description: '`Repr-Digest` (RFC 9530) is the SHA-256 of the whole.' })
  @ApiResponse({ status: 206, content: FILE, description: 'The range that was asked for.' })
  async download(
    @Param('id', { schema: Id }) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { sizeBytes: size, sha256, name } = await this.contents.stored(id);
    const etag = `"sha256-${sha256}"`;
    const wanted = wantedRange(conditionsOf(request), size, etag);
    if (wanted.kind === 'unchanged') return void response.status(304).set('ETag', etag).end();
    if (wanted.kind === 'other') throw new Problem('precondition-failed', 'The content is another one than you know.');
    if (wanted.kind === 'nothing') {
      response.set('Content-Range', `bytes */${size}`);
      throw new Problem('range-not-satisfiable', `The content has ${size} bytes.`);
    }
    const [first, last] = wanted.kind === 'part' ? [wanted.first, wanted.last] : [0, size - 1];
    const isHead = request.method === 'HEAD';
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const content = isHead ? null : await this.contents.read(id, first, last, gone.signal);
    // From here on it is the image: a refusal would be saved as one.
    response.set({
      ETag: etag,
      'Accept-Ranges': 'bytes',
      'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}.img`,
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(last - first + 1),
    });
    if (wanted.kind === 'part') response.status(206).set('Content-Range', `bytes ${first}-${last}/${size}`);
    if (content === null) return void response.end();
    await pipeline(content, response).catch((cause: unknown) => {
      // Whoever asked went away: they come again for the rest.
      if (isDeparture(cause)) return;
      throw new Problem('store-failed', 'The store of images failed on the way.', { cause });
    });
  }
}

/** HEAD knows no ranges (RFC 9110, 14.2). */
function conditionsOf(request: Request): Parameters<typeof wantedRange>[0] {
  return {
    range: request.method === 'HEAD' ? undefined : request.get('range'),
    ifRange: request.get('if-range'),
    ifMatch: request.get('if-match'),
    ifNoneMatch: request.get('if-none-match'),
  };
}

/** @throws Problem `precondition-failed` for another version of the protocol, as it demands */
function speakTus(request: Request, response: Response): void {
  response.set('Tus-Resumable', TUS);
  if (request.get('tus-resumable') === TUS) return;
  response.set('Tus-Version', TUS);
  throw new Problem('precondition-failed', `This speaks tus ${TUS}: send \`Tus-Resumable: ${TUS}\`.`);
}

function offsetOf(request: Request): number {
  const offset = request.get('upload-offset') ?? '';
  if (/^\d{1,15}$/.test(offset)) return Number(offset);
  const detail = 'This has to be the place in the content where the body begins, in bytes.';
  throw new Problem('invalid-request', detail, [{ pointer: '/header/upload-offset', detail }]);
}

function lengthOf({ headers }: Request): number | null {
  const length = Number(headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}
