import { Module } from '@nestjs/common';
import { ApprovalsModule } from '../approvals/approvals.module.js';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { KeyRevealsController } from './key-reveals.controller.js';
import { KeyReveals } from './key-reveals.service.js';
import { RecoveryKeysController } from './recovery-keys.controller.js';
import { RecoveryKeysService } from './recovery-keys.service.js';

@Module({
  imports: [ApprovalsModule, BrakesModule, CasesModule],
  controllers: [RecoveryKeysController, KeyRevealsController],
  providers: [KeyReveals, RecoveryKeysService],
  exports: [RecoveryKeysService],
})
export class RecoveryKeysModule {}
