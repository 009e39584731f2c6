import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../platform/database/transaction.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { etagOf, IfMatch } from '../platform/http/versions.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { FreshSignIn } from '../platform/sign-in/fresh-sign-in.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { CheckTool } from './check-tool.service.js';
import {
  ChangeTool,
  CreateTool,
  PauseTool,
  ToolCheckView,
  toolCheckView,
  ToolsQueryFilters,
  ToolSummary,
  toolSummary,
  ToolView,
  toolView,
} from './tools-views.js';
import { ToolsService } from './tools.service.js';

const ToolsQuery = PageQuery.extend(ToolsQueryFilters);
const ToolId = z.uuid();

@ApiTags('tools')
@Controller('v1/tools')
export class ToolsController {
  constructor(
    private readonly db: DataSource,
    private readonly tools: ToolsService,
    private readonly checkTool: CheckTool,
  ) {}

  @Get()
  @Allow('tools:read', 'within-reach')
  @ApiOkResponse({ standardSchema: pageOf(ToolSummary) })
  async list(
    @Query({ schema: ToolsQuery }) query: z.infer<typeof ToolsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof ToolSummary>>> {
    const { limit, cursor, ...filter } = query;
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.tools.list(this.db.manager, actor, filter, { after, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), toolSummary);
  }

  @Get(':id')
  @Allow('tools:read', 'within-reach')
  @ApiOkResponse({ standardSchema: ToolView })
  async one(
    @Param('id', { schema: ToolId }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ToolView>> {
    await requireWithin(this.db.manager, actor, 'tool', id);
    return this.view(this.db.manager, id, response);
  }

  @Post()
  @Allow('tools:write')
  @FreshSignIn()
  @ApiCreatedResponse({ standardSchema: ToolView })
  async create(
    @Body({ schema: CreateTool }) body: z.infer<typeof CreateTool>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ToolView>> {
    return inTransaction(this.db, async (tx) => {
      const { id } = await this.tools.create(tx, actor, body);
      response.setHeader('Location', `/v1/tools/${id}`);
      return this.view(tx, id, response);
    });
  }

  @Patch(':id')
  @Allow('tools:write', 'within-reach')
  @FreshSignIn()
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag that your last GET answered.' })
  @ApiOkResponse({ standardSchema: ToolView })
  async change(
    @Param('id', { schema: ToolId }) id: string,
    @Body({ schema: ChangeTool }) body: z.infer<typeof ChangeTool>,
    @IfMatch() version: number,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ToolView>> {
    return inTransaction(this.db, async (tx) => {
      await this.tools.update(tx, actor, id, body, version);
      return this.view(tx, id, response);
    });
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Allow('tools:write', 'within-reach')
  // What is to be cut there waits while it is paused.
  @FreshSignIn()
  @ApiOkResponse({ standardSchema: ToolView })
  async pause(
    @Param('id', { schema: ToolId }) id: string,
    @Body({ schema: PauseTool }) { reason, until }: z.infer<typeof PauseTool>,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ToolView>> {
    return inTransaction(this.db, async (tx) => {
      await this.tools.pause(tx, actor, id, reason, until === null ? null : new Date(until));
      return this.view(tx, id, response);
    });
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Allow('tools:write', 'within-reach')
  @ApiOkResponse({ standardSchema: ToolView })
  async resume(
    @Param('id', { schema: ToolId }) id: string,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof ToolView>> {
    return inTransaction(this.db, async (tx) => {
      await this.tools.resume(tx, actor, id);
      return this.view(tx, id, response);
    });
  }

  @Post(':id/check')
  @HttpCode(200)
  @Allow('tools:write', 'within-reach')
  @ApiOkResponse({
    standardSchema: ToolCheckView,
    description: 'Asked of the tool now; a tool that fails is an answer too.',
  })
  async check(
    @Param('id', { schema: ToolId }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof ToolCheckView>> {
    return toolCheckView(await this.checkTool.check(actor, id));
  }

  private async view(tx: EntityManager, id: string, response: Response): Promise<z.infer<typeof ToolView>> {
    const tool = await this.tools.get(tx, id);
    response.setHeader('ETag', etagOf(tool.version));
    return toolView(tool, await this.tools.limits(tx, id));
  }
}
