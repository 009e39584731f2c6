import type { IncomingMessage } from 'node:http';
import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { Idempotent } from '../../platform/http/idempotent.js';
import { readBody } from '../../platform/http/read-body.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import type { DeviceImport } from './device-import.entity.js';
import { countsOf, DeviceImports, IMPORT_LIMIT, importTooLarge } from './device-imports.service.js';
import { LINE_OUTCOMES } from './plan-import.js';

const LineView = z.object({
  line: z.int().describe('In the file, counted from 1.'),
  outcome: z.enum(LINE_OUTCOMES).describe('What it would do.'),
  assetTag: z.string(),
  serial: z.string(),
  deviceId: z.uuid().nullable().describe('The device that there is with this serial number.'),
  change: z.record(z.string(), z.unknown()).describe('What is written.'),
  problems: z.array(
    z.object({ column: z.string().nullable(), detail: z.string().describe('What is wrong, and what to do.') }),
  ),
});

const ImportView = z.object({
  id: z.uuid(),
  sha256: z.string().describe('Of the file.'),
  madeBy: z.string(),
  madeAt: z.iso.datetime(),
  appliedBy: z.string().nullable(),
  appliedAt: z.iso.datetime().nullable(),
  counts: z.object({ create: z.int(), change: z.int(), unchanged: z.int(), error: z.int() }),
  lines: z.array(LineView),
});

@ApiTags('devices')
@Controller('v1/devices/imports')
export class DeviceImportsController {
  constructor(
    private readonly db: DataSource,
    private readonly imports: DeviceImports,
  ) {}

  /** Its body is read after keys are looked at, and it changes no device: it takes no Idempotency-Key. */
  @Post()
  @Allow('devices:write')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'What a file of devices would do, line by line; it does nothing yet' })
  @ApiConsumes('text/csv')
  @ApiBody({ schema: { type: 'string' }, description: '1 MiB and 2,000 lines at most. See docs/devices.md.' })
  @ApiCreatedResponse({ standardSchema: ImportView })
  async preview(
    @Req() request: IncomingMessage,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ImportView>> {
    if (!/^text\/csv\b/i.test(request.headers['content-type'] ?? '')) {
      throw new Problem('invalid-request', 'A file of devices is sent as text/csv.');
    }
    response.setHeader('Connection', 'close');
    const content = await readBody(request, IMPORT_LIMIT, importTooLarge);
    return importView(await inTransaction(this.db, (tx) => this.imports.preview(tx, actor, content)));
  }

  @Get(':id')
  @Allow('devices:write')
  @ApiOkResponse({ standardSchema: ImportView })
  async one(@Param('id', { schema: z.uuid() }) id: string): Promise<z.infer<typeof ImportView>> {
    return importView(await this.imports.get(this.db.manager, id));
  }

  @Post(':id/apply')
  @HttpCode(200)
  @Allow('devices:write')
  @ApiOperation({ summary: 'Do what was shown: all of it, or nothing when anything changed since' })
  @ApiOkResponse({ standardSchema: ImportView })
  async apply(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ImportView>> {
    return importView(await inTransaction(this.db, (tx) => this.imports.apply(tx, actor, id)));
  }
}

function importView({
  id,
  sha256,
  lines,
  madeBy,
  madeAt,
  appliedBy,
  appliedAt,
}: DeviceImport): z.infer<typeof ImportView> {
  return {
    id,
    sha256,
    madeBy,
    madeAt: madeAt.toISOString(),
    appliedBy,
    appliedAt: appliedAt?.toISOString() ?? null,
    counts: countsOf(lines),
    lines: lines.map(({ line, outcome, assetTag, serial, deviceId, change, problems }) => ({
      line,
      outcome,
      assetTag,
      serial,
      deviceId,
      change,
      problems,
    })),
  };
}
