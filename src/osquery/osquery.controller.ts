import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { REPORTING_ENDS } from '../devices/reporting-ends.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Idempotent } from '../platform/http/idempotent.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import type { EnrolmentSecret } from './enrolment-secret.entity.js';
import { EnrolmentSecrets } from './enrolment-secrets.service.js';
import type { OsqueryNode } from './osquery-node.entity.js';
import { NODE_STATES, OsqueryNodes } from './osquery-nodes.service.js';

const CreateSecret = z.strictObject({
  name: z.string().trim().min(1).max(200).describe('Of the batch, as in `laptops of November`.'),
  uses: z.int().min(1).max(100_000).describe('How many machines may enrol with it.'),
  expiresAt: z.iso.datetime({ offset: true }).describe('Within 90 days.'),
});

const SecretView = z.object({
  id: z.uuid(),
  name: z.string(),
  uses: z.int(),
  used: z.int(),
  expiresAt: z.iso.datetime(),
  revokedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});

const CreatedSecret = z.object({ id: z.uuid(), secret: z.string().describe('Shown this once.') });

const NodeView = z.object({
  id: z.uuid(),
  state: z
    .enum(NODE_STATES)
    .describe('`pending`: no device has its serial. Nothing it tells is kept until somebody says whose it is.'),
  deviceId: z.uuid().nullable(),
  hostIdentifier: z.string(),
  serial: z.string().nullable().optional().describe('Left out for who doesn’t hold `devices:read-serials`.'),
  hostname: z.string().nullable(),
  os: z.string().nullable(),
  agentVersion: z.string().nullable().describe('When it enrolled.'),
  secretId: z.uuid(),
  enrolledAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime().nullable(),
  askedAt: z.iso.datetime().nullable().describe('Since when an answer is wanted at once.'),
  endedAt: z.iso.datetime().nullable(),
  endedBecause: z
    .enum(REPORTING_ENDS)
    .nullable()
    .describe('`handed_back`: its device left the person who had it, who may have kept a copy of its key.'),
});

const NodesQuery = PageQuery.extend({ state: z.enum(NODE_STATES).optional() });
const Match = z.strictObject({ deviceId: z.uuid() });

@ApiTags('osquery')
@Controller('v1/osquery')
export class OsqueryController {
  constructor(
    private readonly db: DataSource,
    private readonly secrets: EnrolmentSecrets,
    private readonly nodes: OsqueryNodes,
  ) {}

  @Get('enrolment-secrets')
  @Allow('tools:read')
  @ApiOkResponse({ standardSchema: z.object({ items: z.array(SecretView) }), description: 'Newest first.' })
  async listSecrets(): Promise<{ items: z.infer<typeof SecretView>[] }> {
    return { items: (await this.secrets.list(this.db.manager)).map(secretView) };
  }

  @Post('enrolment-secrets')
  @Allow('tools:write')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'A secret for a batch of machines, shown this once' })
  @ApiCreatedResponse({ standardSchema: CreatedSecret })
  async createSecret(
    @Body({ schema: CreateSecret }) { name, uses, expiresAt }: z.infer<typeof CreateSecret>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof CreatedSecret>> {
    const wish = { name, uses, expiresAt: new Date(expiresAt) };
    return inTransaction(this.db, (tx) => this.secrets.create(tx, actor, wish));
  }

  @Post('enrolment-secrets/:id/revoke')
  @HttpCode(200)
  @Allow('tools:write')
  @ApiOperation({ summary: 'Nobody enrols with it any more; who did stays enrolled' })
  @ApiOkResponse({ standardSchema: SecretView })
  async revokeSecret(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof SecretView>> {
    return secretView(await inTransaction(this.db, (tx) => this.secrets.revoke(tx, actor, id)));
  }

  @Get('nodes')
  @Allow('devices:read')
  @ApiOkResponse({ standardSchema: pageOf(NodeView), description: 'Newest first.' })
  async list(
    @Query({ schema: NodesQuery }) { state, limit, cursor }: z.infer<typeof NodesQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof NodeView>>> {
    const after = positionOf(cursor)?.id ?? null;
    const rows = await this.nodes.list(this.db.manager, state, { after, limit: limit + 1 });
    return toPage(
      rows,
      limit,
      ({ id }) => ({ key: '', id }),
      (node) => nodeView(node, actor),
    );
  }

  @Post('nodes/:id/match')
  @HttpCode(200)
  @Allow('devices:write')
  @ApiOperation({ summary: 'Say which device it is' })
  @ApiOkResponse({ standardSchema: NodeView })
  async match(
    @Param('id', { schema: z.uuid() }) id: string,
    @Body({ schema: Match }) { deviceId }: z.infer<typeof Match>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof NodeView>> {
    return nodeView(await inTransaction(this.db, (tx) => this.nodes.match(tx, actor, id, deviceId)), actor);
  }

  @Post('nodes/:id/end')
  @HttpCode(200)
  @Allow('devices:write')
  @ApiOperation({ summary: 'Its key opens nothing any more, and the same machine may enrol anew' })
  @ApiOkResponse({ standardSchema: NodeView })
  async end(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof NodeView>> {
    return nodeView(await inTransaction(this.db, (tx) => this.nodes.end(tx, actor, id)), actor);
  }

  @Post('nodes/:id/ask')
  @HttpCode(200)
  @Allow('devices:write')
  @ApiOperation({ summary: 'Ask it about its disks and its image as soon as it comes by' })
  @ApiOkResponse({ standardSchema: NodeView })
  async ask(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof NodeView>> {
    return nodeView(await inTransaction(this.db, (tx) => this.nodes.ask(tx, actor, id)), actor);
  }
}

function secretView(secret: EnrolmentSecret): z.infer<typeof SecretView> {
  const { id, name, uses, used, expiresAt, revokedAt, createdAt } = secret;
  return {
    id,
    name,
    uses,
    used,
    expiresAt: expiresAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}

function nodeView(node: OsqueryNode, actor: Actor): z.infer<typeof NodeView> {
  const { id, deviceId, hostIdentifier, serial, hostname, os, agentVersion, secretId } = node;
  const { enrolledAt, lastSeenAt, askedAt, endedAt, endedBecause } = node;
  return {
    id,
    state: endedAt !== null ? 'ended' : deviceId !== null ? 'matched' : 'pending',
    deviceId,
    hostIdentifier,
    ...(seesField(actor, 'device.serial') && { serial }),
    hostname,
    os,
    agentVersion,
    secretId,
    enrolledAt: enrolledAt.toISOString(),
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    askedAt: askedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    endedBecause,
  };
}
