import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Actor } from '../platform/sign-in/actor.js';
import { CommandGivers } from './commands/command-givers.service.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import type { LossInFull } from './losses-views.js';
import { LossStandings } from './loss-standings.service.js';
import { Losses } from './losses.service.js';
import { DECISIONS, whyNotDecided } from './why-not-decided.js';
import type { Worksheet } from './write-worksheet.js';

/** Reads a loss for the doors. */
@Injectable()
export class LossReader {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
    private readonly commands: DeviceCommands,
    private readonly givers: CommandGivers,
    private readonly standings: LossStandings,
  ) {}

  /** @throws Problem `not-found` */
  async inFull(actor: Actor, caseId: string): Promise<LossInFull> {
    const { manager } = this.db;
    const loss = await this.losses.get(manager, actor, caseId);
    const standing = await this.standings.of(manager, loss);
    return {
      loss,
      tasks: await this.losses.tasks(manager, caseId),
      proposal: await this.losses.proposal(manager, loss),
      whyNot: Object.fromEntries(
        DECISIONS.map((decision) => [decision, whyNotDecided(decision, standing)]),
      ) as LossInFull['whyNot'],
      givers: await this.givers.of(manager, loss.deviceId),
      commands: await this.commands.followed(manager, caseId),
      // Written by `writeWorksheet` when it was decided.
      worksheet: (loss.worksheet as Worksheet | null) ?? (await this.losses.worksheet(manager, loss)),
    };
  }
}
