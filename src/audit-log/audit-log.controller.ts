import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { Allow } from '../platform/sign-in/who-may-call.js';
import { AuditLogReader } from './audit-log-reader.service.js';

const EntriesQuery = PageQuery.extend({
  caseId: z.uuid().optional(),
  subjectId: z.string().max(200).optional().describe('Of whom or what it is about.'),
});

const EntryView = z.object({
  id: z.uuid(),
  at: z.iso.datetime(),
  action: z.string().describe('As `noun.verb-in-the-past`.'),
  actorKind: z.string(),
  actorId: z.string(),
  subjectKind: z.string().nullable(),
  subjectId: z.string().nullable(),
  caseId: z.uuid().nullable(),
  facts: z.record(z.string(), z.unknown()).describe('Without personal data, of which the log holds commitments only.'),
  index: z.int().nullable().describe('Its place in the log; null until it is sealed.'),
});

const ProofView = z.object({
  key: z.string().describe('The log’s public key, to be compared with one that was kept elsewhere.'),
  checkpoint: z
    .string()
    .describe(
      'A signed checkpoint (c2sp.org/tlog-checkpoint): the newest that a witness cosigned, if it speaks for the entry.',
    ),
  leaf: z.string().describe('What was sealed: JSON in the canonical form of RFC 8785.'),
  index: z.int(),
  hashes: z.array(z.base64()).describe('The way from the leaf to the checkpoint’s root (RFC 6962, 2.1.1).'),
});

@ApiTags('audit log')
@Controller('v1/audit-entries')
export class AuditLogController {
  constructor(private readonly reader: AuditLogReader) {}

  @Get()
  @Allow('audit:read')
  @ApiOkResponse({ standardSchema: pageOf(EntryView), description: 'Newest first.' })
  async list(
    @Query({ schema: EntriesQuery }) query: z.infer<typeof EntriesQuery>,
  ): Promise<Page<z.infer<typeof EntryView>>> {
    const { limit, cursor, ...filter } = query;
    const rows = await this.reader.list(filter, { before: positionOf(cursor)?.id ?? null, limit: limit + 1 });
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), view);
  }

  @Get(':id/proof')
  @Allow('audit:read')
  @ApiOperation({ summary: 'That the entry is in the log, to be checked by whoever doesn’t trust us' })
  @ApiOkResponse({ standardSchema: ProofView })
  async proof(@Param('id', { schema: z.uuid() }) id: string): Promise<z.infer<typeof ProofView>> {
    const { key, checkpoint, entry } = await this.reader.prove(id);
    const { leaf, index, hashes } = entry;
    return { key, checkpoint, leaf, index, hashes: hashes.map((hash) => hash.toString('base64')) };
  }
}

function view(entry: AuditEntry): z.infer<typeof EntryView> {
  const { id, action, actorKind, actorId, subjectKind, subjectId, caseId, facts } = entry;
  const at = entry.at.toISOString();
  return { id, at, action, actorKind, actorId, subjectKind, subjectId, caseId, facts, index: entry.leafIndex };
}
