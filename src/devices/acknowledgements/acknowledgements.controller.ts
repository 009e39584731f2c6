import { Body, Controller, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { inTransaction } from '../../platform/database/transaction.js';
import { Idempotent } from '../../platform/http/idempotent.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../../platform/http/page.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../../platform/sign-in/who-may-call.js';
import type { AcknowledgementText } from './acknowledgement-text.entity.js';
import { AcknowledgementTexts } from './acknowledgement-texts.service.js';
import { Acknowledgements } from './acknowledgements.service.js';
import { SIGNED_HOW, type DeviceAcknowledgement } from './device-acknowledgement.entity.js';

const Instant = z.iso.datetime();

const AcknowledgementView = z.object({
  id: z.uuid(),
  deviceId: z.uuid(),
  personId: z.uuid(),
  textSha256: z.string().describe('Of the text that they are asked to sign, or signed.'),
  askedBy: z.string(),
  askedAt: Instant,
  linkExpiresAt: Instant.nullable().describe('Until when the newest link works; null: there is none.'),
  signedAt: Instant.nullable(),
  signedBy: z.string().nullable(),
  signedHow: z.enum(SIGNED_HOW).nullable(),
  signedFrom: z.string().nullable().describe('The address of their network.'),
  voidAt: Instant.nullable().describe('When the device went back before they signed.'),
});

const AcknowledgementsQuery = PageQuery.extend({
  signed: z.enum(['true', 'false']).optional().describe('false: those who still have to sign.'),
  personId: z.uuid().optional(),
  deviceId: z.uuid().optional(),
});

const TextView = z.object({ sha256: z.string(), text: z.string(), putBy: z.string(), putAt: Instant });
const PutText = z.strictObject({ text: z.string().trim().min(20).max(20_000) });
const LinkView = z.object({ url: z.string(), expiresAt: Instant });

@ApiTags('devices')
@Controller('v1')
export class AcknowledgementsController {
  constructor(
    private readonly db: DataSource,
    private readonly acknowledgements: Acknowledgements,
    private readonly texts: AcknowledgementTexts,
  ) {}

  @Get('acknowledgements')
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Who was asked to sign for a device, and who did' })
  @ApiOkResponse({ standardSchema: pageOf(AcknowledgementView), description: 'Newest first.' })
  async list(
    @Query({ schema: AcknowledgementsQuery }) query: z.infer<typeof AcknowledgementsQuery>,
    @CurrentActor() actor: Actor,
  ): Promise<Page<z.infer<typeof AcknowledgementView>>> {
    const { limit, cursor, signed, ...rest } = query;
    const rows = await this.acknowledgements.list(
      this.db.manager,
      actor,
      { ...rest, signed: signed === undefined ? undefined : signed === 'true' },
      { before: positionOf(cursor)?.id ?? null, limit: limit + 1 },
    );
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), acknowledgementView);
  }

  @Post('acknowledgements/:id/link')
  @Allow('devices:write', 'within-reach')
  @Idempotent('never-stored')
  @ApiOperation({ summary: 'A link by which the person signs; give it to them and to nobody else' })
  @ApiCreatedResponse({ standardSchema: LinkView })
  async link(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof LinkView>> {
    const link = await inTransaction(this.db, (tx) => this.acknowledgements.createLink(tx, actor, id));
    return { url: link.url, expiresAt: link.expiresAt.toISOString() };
  }

  @Post('acknowledgements/:id/sign')
  @HttpCode(200)
  @Allow('devices:read', 'within-reach')
  @ApiOperation({ summary: 'Sign for one’s own device' })
  @ApiOkResponse({ standardSchema: AcknowledgementView })
  async sign(
    @Param('id', { schema: z.uuid() }) id: string,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof AcknowledgementView>> {
    return acknowledgementView(await inTransaction(this.db, (tx) => this.acknowledgements.sign(tx, actor, id)));
  }

  @Get('acknowledgement-text')
  @Allow('devices:read', 'within-reach')
  @ApiOkResponse({ standardSchema: TextView, description: 'What is asked for now.' })
  async text(): Promise<z.infer<typeof TextView>> {
    return textView(await this.texts.current(this.db.manager));
  }

  /** Who was asked before signs what they were asked to. */
  @Put('acknowledgement-text')
  @Allow('devices:write')
  @ApiOkResponse({ standardSchema: TextView })
  async putText(
    @Body({ schema: PutText }) { text }: z.infer<typeof PutText>,
    @CurrentActor() actor: Actor,
  ): Promise<z.infer<typeof TextView>> {
    return textView(await inTransaction(this.db, (tx) => this.texts.put(tx, actor, text)));
  }
}

function acknowledgementView(row: DeviceAcknowledgement): z.infer<typeof AcknowledgementView> {
  const { id, deviceId, personId, textSha256, askedBy, signedBy, signedHow, signedFrom } = row;
  return {
    id,
    deviceId,
    personId,
    textSha256,
    askedBy,
    askedAt: row.askedAt.toISOString(),
    linkExpiresAt: row.linkExpiresAt?.toISOString() ?? null,
    signedAt: row.signedAt?.toISOString() ?? null,
    signedBy,
    signedHow,
    signedFrom,
    voidAt: row.voidAt?.toISOString() ?? null,
  };
}

function textView({ sha256, text, putBy, putAt }: AcknowledgementText): z.infer<typeof TextView> {
  return { sha256, text, putBy, putAt: putAt.toISOString() };
}
