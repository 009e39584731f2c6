import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Actor } from '../platform/sign-in/actor.js';
import { ContainmentService } from './containment.service.js';
import type { LossInFull } from './losses-views.js';
import { Losses } from './losses.service.js';
import type { Worksheet } from './write-worksheet.js';

/** Reads a loss for the doors. */
@Injectable()
export class LossReader {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
    private readonly containment: ContainmentService,
  ) {}

  /** @throws Problem `not-found` */
  async inFull(actor: Actor, caseId: string): Promise<LossInFull> {
    const { manager } = this.db;
    const loss = await this.losses.get(manager, actor, caseId);
    return {
      loss,
      tasks: await this.losses.tasks(manager, caseId),
      proposal: await this.losses.proposal(manager, loss),
      commands: await this.containment.commands(manager, caseId),
      // Written by `writeWorksheet` when it was decided.
      worksheet: (loss.worksheet as Worksheet | null) ?? (await this.losses.worksheet(manager, loss)),
    };
  }
}
