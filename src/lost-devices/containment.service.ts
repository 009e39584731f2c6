import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget, type Approved } from '../approvals/approvals.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { COMMAND_ENDS, refuseCommandUnless, type CommandState } from './command-states.js';
import { DeviceCommandEvent } from './device-command-event.entity.js';
import { DeviceCommand } from './device-command.entity.js';
import { Loss } from './loss.entity.js';
import { Losses } from './losses.service.js';
import type { Containment } from './runbook/runbook-schema.js';

/** An order with everything that was seen of it, oldest first. */
export interface FollowedCommand {
  command: DeviceCommand;
  events: DeviceCommandEvent[];
}

/** Whether a lost machine is locked, wiped or left, and the order followed to its end. One person locks, two wipe. */
@Injectable()
export class ContainmentService implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
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
      await this.note(tx, command, seen.state, seen.note, actor);
      await this.endIfFollowed(tx, caseId, actor);
    });
  }

  async commands(tx: EntityManager, caseId: string): Promise<FollowedCommand[]> {
    const commands = await tx.find(DeviceCommand, { where: { caseId }, order: { id: 'ASC' } });
    return Promise.all(
      commands.map(async (command) => ({
        command,
        events: await tx.find(DeviceCommandEvent, { where: { commandId: command.id }, order: { id: 'ASC' } }),
      })),
    );
  }

  private async planWipe(tx: EntityManager, { id: caseId }: ActTarget): Promise<ActPlan> {
    const [lost] = await queryRows<{ deviceId: string; assetTag: string; personId: string; corporateEmail: string }>(
      tx,
      `SELECT l.device_id AS "deviceId", d.asset_tag AS "assetTag", p.id AS "personId", p.corporate_email AS "corporateEmail"
       FROM losses l JOIN devices d ON d.id = l.device_id JOIN cases c ON c.id = l.case_id JOIN people p ON p.id = c.person_id
       WHERE l.case_id = $1 FOR UPDATE OF l`,
      [caseId],
    );
    if (!lost) throw new Problem('not-found', 'There is no lost-device case with this id.');
    const loss = await tx.findOneByOrFail(Loss, { caseId });
    if (loss.containment === 'wipe') throw new Problem('conflict', 'It was decided to wipe it before.');
    if (loss.legalHold) {
      throw new Problem(
        'conflict',
        'It is under legal hold: a wipe would destroy evidence. Lift the hold first, or lock it.',
      );
    }
    const { deviceId, assetTag, personId, corporateEmail } = lost;
    return {
      summary: `wipes 1 machine: ${assetTag}`,
      about: { people: [{ id: personId, corporateEmail }], principals: [] },
      plan: { caseId, deviceId, assetTag },
    };
  }

  private async carryOutWipe(tx: EntityManager, caseId: string, approved: Approved, actor: Actor): Promise<void> {
    const loss = await tx.findOneByOrFail(Loss, { caseId });
    const { approvalId, reason, requestedBy } = approved;
    await this.order(tx, loss, 'wipe', {
      actor: { ...actor, name: `${requestedBy}, approved by ${actor.name}` },
      reason,
      approvalId,
    });
  }

  private async order(
    tx: EntityManager,
    loss: Loss,
    containment: Containment,
    { actor, reason, approvalId }: { actor: Actor; reason: string; approvalId?: string },
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
      ...(approvalId !== undefined && { approvalId }),
    });
    const open = (await tx.findBy(DeviceCommand, { caseId })).filter(({ state }) => !isEnded(state));
    for (const command of open) {
      await this.note(tx, command, 'superseded', `It was decided anew: ${containment}.`, actor);
    }
    await this.losses.end(tx, caseId, 'decide-containment', actor.name);
    if (containment === 'leave') return this.endIfFollowed(tx, caseId, actor);
    const id = newId();
    await tx.insert(DeviceCommand, {
      id,
      caseId,
      deviceId,
      kind: containment,
      state: 'ordered',
      approvalId: approvalId ?? null,
      orderedBy: actor.name,
    });
    await tx.insert(DeviceCommandEvent, {
      id: newId(),
      commandId: id,
      state: 'ordered',
      note: reason,
      seenBy: actor.name,
    });
  }

  private async note(
    tx: EntityManager,
    { id, caseId, deviceId, kind }: DeviceCommand,
    state: CommandState,
    note: string,
    actor: Actor,
  ): Promise<void> {
    await tx.update(DeviceCommand, { id }, { state });
    await tx.insert(DeviceCommandEvent, { id: newId(), commandId: id, state, note, seenBy: actor.name });
    await this.audit.record(tx, actor, 'device-command.progressed', {
      subject: { kind: 'device', id: deviceId },
      caseId,
      facts: { commandId: id, kind, state },
      reason: note,
    });
  }

  /** Nothing is left to be done about the machine: every order is verified, replaced, or its risk accepted by name. */
  private async endIfFollowed(tx: EntityManager, caseId: string, actor: Actor): Promise<void> {
    const commands = await tx.findBy(DeviceCommand, { caseId });
    if (commands.every(({ state }) => isEnded(state))) {
      await this.losses.end(tx, caseId, 'follow-containment', actor.name);
    }
  }
}

function isEnded(state: CommandState): boolean {
  return (COMMAND_ENDS as readonly CommandState[]).includes(state);
}
