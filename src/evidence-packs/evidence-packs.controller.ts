import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { contentSecurityPolicy } from '../platform/http/content-security-policy.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Allow, CurrentActor } from '../platform/sign-in/who-may-call.js';
import { EvidencePack } from './evidence-pack.js';
import { EVIDENCE_STYLE, evidencePage } from './evidence-page.js';
import { EvidencePacks } from './evidence-packs.service.js';

@ApiTags('cases')
@Controller('v1/cases/:id/evidence')
export class EvidencePacksController {
  constructor(private readonly packs: EvidencePacks) {}

  @Get()
  @Allow('audit:read')
  @ApiOkResponse({
    standardSchema: EvidencePack,
    description: 'For an auditor, with the proofs of its audit entries. Who read it is in the audit log.',
  })
  async json(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<EvidencePack> {
    return this.packs.of(id, actor);
  }

  @Get('page')
  @Allow('audit:read')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', contentSecurityPolicy(EVIDENCE_STYLE))
  @ApiProduces('text/html')
  @ApiOkResponse({
    content: { 'text/html': { schema: { type: 'string' } } },
    description: 'The same to read and to print.',
  })
  async page(@Param('id', { schema: z.uuid() }) id: string, @CurrentActor() actor: Actor): Promise<string> {
    return evidencePage(await this.packs.of(id, actor));
  }
}
