import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { EvidencePacksController } from './evidence-packs.controller.js';
import { EvidencePacks } from './evidence-packs.service.js';

@Module({ imports: [CasesModule], controllers: [EvidencePacksController], providers: [EvidencePacks] })
export class EvidencePacksModule {}
