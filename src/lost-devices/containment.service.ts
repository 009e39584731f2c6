import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget, type Approved } from '../approvals/approvals.service.js';
import type { DeviceState } from '../devices/device-states.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { refuseCommandUnless, type CommandState } from './command-states.js';
import { CommandGivers } from './commands/command-givers.service.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import { DeviceCommand } from './device-command.entity.js';
import { Loss } from './loss.entity.js';
import { Losses } from './losses.service.js';
import type { Containment } from './runbook/runbook-schema.js';
import { whyNotThere } from './why-not-there.js';

interface AwayMachine {
  deviceId: string;
  assetTag: string;
  deviceState: DeviceState;
  holderId: string | null;
  personId: string;
  corporateEmail: string;
}

/** Whether a lost machine is locked, wiped or left, and the order followed to its end. One person locks, two wipe. */
@Injectable()
export class ContainmentService implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
    private readonly commands: DeviceCommands,
    private readonly givers: CommandGivers,
    private readonly approvals: Approvals,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    this.approvals.bind('device.wipe', {
      plan: (tx, target) => this.planWipe(tx, target),
      carryOut: (tx, { id }, approved, actor) => this.carryOutWipe(tx, id, approved, actor),
    });
  }

  /** Answers the request that another person has to approve, for a wipe; null when it is decided. */
  async decide(actor: Actor, caseId: string, decision: Containment, reason: string): Promise<Approval | null> {
    if (decision === 'wipe') {
      await inTransaction(this.db, (tx) => this.losses.lockToDecide(tx, actor, caseId));
      return this.approvals.request('device.wipe', { id: caseId }, reason, actor);
    }
    await inTransaction(this.db, async (tx) => {
      const loss = await this.losses.lockToDecide(tx, actor, caseId);
      if (loss.containment === 'wipe')
        throw new Problem('conflict', 'It was decided to wipe it: an order of that isn’t taken back here.');
      if (decision === 'lock') await this.away(tx, caseId);
      await this.order(tx, loss, decision, { actor, reason });
    });
    return null;
  }

  /** What somebody saw of an order at the device manager, or of the machine. */
  async progress(
    actor: Actor,
    caseId: string,
    commandId: string,
    seen: { state: Exclude<CommandState, 'ordered' | 'superseded'>; note: string },
  ): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await this.losses.lockToDecide(tx, actor, caseId);
      const command = await tx.findOneBy(DeviceCommand, { id: commandId, caseId });
      if (!command) throw new Problem('not-found', 'This loss has no such order.');
      refuseCommandUnless(command.state, seen.state);
      await this.commands.note(tx, command, seen.state, seen.note, actor);
      await this.commands.endIfFollowed(tx, caseId, actor);
    });
  }

  private async planWipe(tx: EntityManager, { id: caseId }: ActTarget): Promise<ActPlan> {
    const loss = await tx.findOneBy(Loss, { caseId });
    if (!loss) throw new Problem('not-found', 'There is no lost-device case with this id.');
    const holds = await this.losses.underLegalHold(tx, loss.deviceId);
    if (holds.length > 0) {
      throw new Problem(
        'conflict',
        `It is under legal hold: a wipe would destroy evidence. Lock it, or lift the hold first, in the loss ${holds.join(' and ')}.`,
      );
    }
    const { deviceId, assetTag, holderId, deviceState, personId, corporateEmail } = await this.away(tx, caseId);
    if (loss.containment === 'wipe') throw new Problem('conflict', 'It was decided to wipe it before.');
    const { wipe } = await this.givers.of(tx, deviceId);
    const [how, where] =
      wipe.by === 'service'
        ? [`by “${wipe.tool}”, which the service asks at once`, { toolId: wipe.toolId, computerId: wipe.computerId }]
        : ['by hand', {}];
    return {
      summary: `wipes 1 machine, ${how}: ${assetTag}`,
      about: { people: [{ id: personId, corporateEmail }], principals: [] },
      plan: { caseId, deviceId, assetTag, deviceState, holderId, givenBy: wipe.by, ...where },
    };
  }

  /** The machine, locked where it is. @throws Problem `conflict` when it is back, or was with somebody else since */
  private async away(tx: EntityManager, caseId: string): Promise<AwayMachine> {
    const [machine] = await queryRows<AwayMachine>(
      tx,
      `SELECT d.id AS "deviceId", d.asset_tag AS "assetTag", d.state AS "deviceState", d.holder_id AS "holderId",
         p.id AS "personId", p.corporate_email AS "corporateEmail"
       FROM losses l JOIN devices d ON d.id = l.device_id JOIN cases c ON c.id = l.case_id JOIN people p ON p.id = c.person_id
       WHERE l.case_id = $1 FOR UPDATE OF l, d`,
      [caseId],
    );
    if (!machine) throw new Error(`the loss ${caseId} is not there`);
    const { deviceState, holderId, personId } = machine;
    const whyNot = whyNotThere({ deviceState, isTheirs: holderId === personId });
    if (whyNot !== null) throw new Problem('conflict', whyNot);
    return machine;
  }

  private async carryOutWipe(tx: EntityManager, caseId: string, approved: Approved, actor: Actor): Promise<void> {
    const loss = await tx.findOneByOrFail(Loss, { caseId });
    await this.order(tx, loss, 'wipe', {
      actor: { ...actor, name: `${approved.requestedBy}, approved by ${actor.name}` },
      reason: approved.reason,
      approved,
    });
  }

  private async order(
    tx: EntityManager,
    loss: Loss,
    containment: Containment,
    { actor, reason, approved }: { actor: Actor; reason: string; approved?: Approved },
  ): Promise<void> {
    const { caseId, deviceId } = loss;
    const proposal = (await this.losses.proposal(tx, loss)) ?? { propose: null, because: 'There was no runbook.' };
    await tx.update(
      Loss,
      { caseId },
      // TypeORM's partial types can't express `unknown` inside a JSON column.
      {
        containment,
        containmentReason: reason,
        proposal: proposal as object,
        containedBy: actor.name,
        containedAt: () => 'now()',
      },
    );
    await this.audit.record(tx, actor, 'loss.contained', {
      subject: { kind: 'device', id: deviceId },
      caseId,
      facts: { containment, proposed: proposal.propose },
      reason,
      ...(approved && { approvalId: approved.approvalId }),
    });
    await this.commands.supersede(tx, caseId, `It was decided anew: ${containment}.`, actor);
    await this.losses.end(tx, caseId, 'decide-containment', actor.name);
    if (containment === 'leave') return this.commands.endIfFollowed(tx, caseId, actor);
    // An order of before may have been followed to its end: this one isn't.
    await this.losses.reopen(tx, loss, 'follow-containment');
    const giver = (await this.givers.of(tx, deviceId))[containment];
    await this.commands.order(tx, actor, {
      caseId,
      deviceId,
      kind: containment,
      reason,
      giver,
      ...(approved && { approved }),
    });
  }
}
