import { Body, Controller, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Problem } from '../../platform/errors/problem.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { FreshSignIn } from '../../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import { parseRunbook } from './parse-runbook.js';
import type { RunbookVersion } from './runbook-version.entity.js';
import { Runbooks } from './runbooks.service.js';

const RunbookView = z.object({
  id: z.uuid(),
  digest: z.string().describe('SHA-256 of the file.'),
  source: z.string().describe('The file’s name.'),
  document: z.unknown().describe('The runbook as it was read.'),
  activatedAt: z.iso.datetime(),
  activatedBy: z.string(),
});

const FileText = z.string().min(1).max(200_000).describe('The file’s content, as it is.');
const CheckRunbook = z.strictObject({ text: FileText });
const ActivateRunbook = z.strictObject({
  text: FileText,
  source: z.string().trim().min(1).max(200).describe('The file’s name, for whoever reads of it.'),
});

const Mistakes = z.array(
  z.object({
    line: z.int().describe('From 1.'),
    column: z.int().describe('From 1.'),
    message: z.string(),
  }),
);
const RunbookCheckView = z.object({ valid: z.boolean(), mistakes: Mistakes });

@ApiTags('lost devices')
@Controller('v1/runbooks/laptop-lost')
export class RunbooksController {
  constructor(
    private readonly db: DataSource,
    private readonly runbooks: Runbooks,
  ) {}

  @Get()
  @Allow('policy:read')
  @ApiOperation({ summary: 'The runbook that a loss reported now follows' })
  @ApiOkResponse({ standardSchema: RunbookView })
  async active(): Promise<z.infer<typeof RunbookView>> {
    const version = await this.runbooks.active(this.db.manager);
    if (!version) throw new Problem('not-found', 'No runbook counts yet: quartermaster runbook activate FILE.');
    return runbookView(version);
  }

  @Post('check')
  @HttpCode(200)
  @Allow('policy:read')
  @ApiOkResponse({ standardSchema: RunbookCheckView, description: 'All mistakes at once; nothing is stored.' })
  check(@Body({ schema: CheckRunbook }) { text }: z.infer<typeof CheckRunbook>): z.infer<typeof RunbookCheckView> {
    const { mistakes } = parseRunbook(text);
    return { valid: mistakes.length === 0, mistakes };
  }

  @Put()
  @Allow('runbooks:write')
  @FreshSignIn()
  @ApiOperation({ summary: 'Make this runbook count for later losses; those under way keep theirs' })
  @ApiOkResponse({ standardSchema: RunbookView })
  async activate(
    @Body({ schema: ActivateRunbook }) { text, source }: z.infer<typeof ActivateRunbook>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof RunbookView>> {
    const activated = await this.runbooks.activate(text, source, actor);
    if (activated.outcome !== 'refused') return runbookView(activated.version);
    const issues = activated.mistakes.map(({ line, column, message }) => ({
      pointer: '/text',
      detail: `Line ${line}, column ${column}: ${message}`,
    }));
    throw new Problem('invalid-request', 'The runbook has mistakes; what counted before still does.', issues);
  }
}

function runbookView({
  id,
  digest,
  source,
  document,
  activatedAt,
  activatedBy,
}: RunbookVersion): z.infer<typeof RunbookView> {
  return { id, digest, source, document, activatedAt: activatedAt.toISOString(), activatedBy };
}
