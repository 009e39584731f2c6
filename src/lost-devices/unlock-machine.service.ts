import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { WhoIsWho } from '../platform/sign-in/who-is-who.service.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import { LossStandings } from './loss-standings.service.js';
import { Losses } from './losses.service.js';

/** A lost machine is back: the lock that it was given is taken off, by an order that is followed as the lock was. */
@Injectable()
export class UnlockMachine {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
    private readonly standings: LossStandings,
    private readonly commands: DeviceCommands,
    private readonly whoIsWho: WhoIsWho,
    private readonly audit: AuditService,
  ) {}

  /**
   * One person suffices: it gives no access back and opens no disk, and the machine is in hand.
   *
   * @throws Problem `forbidden` for whoever lost it, and for a token that is nobody's; `conflict` while it isn't back
   */
  async order(actor: Actor, caseId: string, reason: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const loss = await this.losses.lockToDecide(tx, actor, caseId);
      if (!(await this.whoIsWho.of(tx, actor)).isPerson) throw new Problem('forbidden', NOBODYS);
      await this.standings.refuseUnlessOpen(tx, loss, 'unlock');
      await this.audit.record(tx, actor, 'loss.unlock-ordered', {
        subject: { kind: 'device', id: loss.deviceId },
        caseId,
        reason,
      });
      await this.commands.order(tx, actor, loss, { kind: 'unlock', reason });
    });
  }
}

const NOBODYS = 'A person unlocks a machine, and this API token is nobody’s: sign in, or use a token that is yours.';
