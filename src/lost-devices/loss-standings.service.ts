import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import type { Loss } from './loss.entity.js';
import { IS_LOST_ANEW, Losses } from './losses.service.js';
import { whyNotDecided, type Decision, type LossStanding } from './why-not-decided.js';

/** What a decision about a lost machine stands on. */
@Injectable()
export class LossStandings {
  constructor(
    private readonly losses: Losses,
    private readonly commands: DeviceCommands,
  ) {}

  async of(tx: EntityManager, { caseId, deviceId }: Pick<Loss, 'caseId' | 'deviceId'>): Promise<LossStanding> {
    const [where] = await queryRows<Omit<LossStanding, 'caseId' | 'orders'>>(
      tx,
      `SELECT d.state AS "deviceState", d.holder_id IS NOT DISTINCT FROM c.person_id AS "isTheirs",
         ${IS_LOST_ANEW} AS "isLostAnew",
         EXISTS (SELECT FROM losses n WHERE n.device_id = l.device_id AND n.case_id > l.case_id) AS "hasNewer",
         ARRAY(SELECT h.case_id::text FROM losses h WHERE h.device_id = l.device_id AND h.legal_hold ORDER BY h.case_id) AS "legalHolds"
       FROM losses l JOIN devices d ON d.id = l.device_id JOIN cases c ON c.id = l.case_id WHERE l.case_id = $1`,
      [caseId],
    );
    if (!where) throw new Error(`the loss ${caseId} is not there`);
    return { ...where, caseId, orders: await this.commands.ofThisLoss(tx, { caseId, deviceId }) };
  }

  /**
   * Locks the machine and all its losses: it stays where it is, and nothing else is decided of it, until this is.
   *
   * @throws Problem `conflict`
   */
  async refuseUnlessOpen(tx: EntityManager, loss: Loss, decision: Decision): Promise<void> {
    await this.losses.lockAllOf(tx, loss.deviceId);
    await tx.query(`SELECT FROM devices WHERE id = $1 FOR UPDATE`, [loss.deviceId]);
    const whyNot = whyNotDecided(decision, await this.of(tx, loss));
    if (whyNot !== null) throw new Problem('conflict', whyNot);
  }
}
