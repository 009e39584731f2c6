import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { pageOf, PageQuery, positionOf, toPage, type Page } from '../platform/http/page.js';
import { Allow } from '../platform/sign-in/who-may-call.js';
import { AuditLogReader } from './audit-log-reader.service.js';
import { EntriesQueryFilters, EntryView, entryView } from './audit-log-views.js';

const EntriesQuery = PageQuery.extend(EntriesQueryFilters);

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
    return toPage(rows, limit, ({ id }) => ({ key: '', id }), entryView);
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
