import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ToolError } from '../../connectors/kit/errors.js';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget, type Approved } from '../approvals/approvals.service.js';
import { Case } from '../cases/case.entity.js';
import type { DeviceState } from '../devices/device-states.js';
import { Device } from '../devices/device.entity.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { Permits } from '../platform/roles/permits.service.js';
import { reaches } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { refuseCommandUnless, type CommandState } from './command-states.js';
import { CommandGivers } from './commands/command-givers.service.js';
import { DeviceCommands } from './commands/device-commands.service.js';
import { GiveCommands, type KnownComputer } from './commands/give-commands.service.js';
import { judgeVerified } from './commands/judge-verified.js';
import { DeviceCommand, type CommandKind, type VerifiedBy } from './device-command.entity.js';
import { Loss } from './loss.entity.js';
import { LossStandings } from './loss-standings.service.js';
import { Losses, type LossWord } from './losses.service.js';
import type { Containment } from './runbook/runbook-schema.js';

interface LostMachine {
  deviceId: string;
  assetTag: string;
  deviceState: DeviceState;
  holderId: string | null;
  personId: string;
  corporateEmail: string;
  isLostAnew: boolean;
}

/** Whether a lost machine is locked, wiped or left, and the order followed to its end. One person locks, two wipe. */
@Injectable()
export class ContainmentService implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly losses: Losses,
    private readonly standings: LossStandings,
    private readonly commands: DeviceCommands,
    private readonly givers: CommandGivers,
    private readonly managers: GiveCommands,
    private readonly approvals: Approvals,
    private readonly permits: Permits,
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
      await this.standings.refuseUnlessOpen(tx, loss, decision);
      await this.order(tx, loss, decision, { actor, reason });
    });
    return null;
  }

  /** What people learn of the machine after the report. A legal hold takes back a wipe that nobody has given. */
  async note(actor: Actor, caseId: string, word: LossWord): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const { deviceId } = await this.losses.get(tx, actor, caseId);
      const before = await this.losses.underLegalHold(tx, deviceId);
      await this.losses.note(tx, actor, caseId, word);
      const after = await this.losses.underLegalHold(tx, deviceId);
      if (before.length > 0 && after.length === 0) await this.commands.allowWipes(tx, deviceId);
      if (before.length > 0 || after.length === 0) return;
      const device = await tx.findOneByOrFail(Device, { id: deviceId });
      for (const undecided of await this.commands.stopWipes(tx, device, actor)) {
        await this.losses.undecide(tx, actor, undecided);
      }
    });
  }

  /** What somebody saw of an order at the device manager, or of the machine. */
  async progress(
    actor: Actor,
    caseId: string,
    commandId: string,
    seen: { state: Exclude<CommandState, 'ordered' | 'superseded'>; note: string },
  ): Promise<void> {
    await this.losses.get(this.db.manager, actor, caseId);
    const verifiedBy = seen.state === 'verified' ? await this.verifiedBy(caseId, commandId) : undefined;
    await inTransaction(this.db, async (tx) => {
      await this.losses.lockToDecide(tx, actor, caseId);
      const command = await tx.findOneBy(DeviceCommand, { id: commandId, caseId });
      if (!command) throw new Problem('not-found', 'This loss has no such order.');
      refuseCommandUnless(command.state, seen.state);
      await this.commands.note(tx, command, seen.state, seen.note, actor, verifiedBy && { verifiedBy });
      if (seen.state === 'failed') await this.commands.waitForDecision(tx, command);
      await this.commands.endIfFollowed(tx, caseId, actor);
    });
  }

  /**
   * What shows that an order was carried out; where a device manager has the machine it is asked, before anything is locked.
   *
   * @throws Problem `conflict` when it shows otherwise
   */
  private async verifiedBy(caseId: string, commandId: string): Promise<VerifiedBy> {
    const [known] = await queryRows<KnownComputer & { kind: CommandKind; serial: string }>(
      this.db,
      `SELECT c.kind, d.serial, t.name AS tool, t.id AS "toolId", t.state AS "toolState", c.computer_id AS "computerId"
       FROM device_commands c JOIN devices d ON d.id = c.device_id JOIN tools t ON t.id = c.tool_id
       WHERE c.id = $1 AND c.case_id = $2`,
      [commandId, caseId],
    );
    const shown = known && (await this.managers.look(known));
    if (!known || !shown || shown instanceof ToolError) return 'word';
    const judged = judgeVerified(known, shown);
    if ('by' in judged) return judged.by;
    throw new Problem('conflict', `${judged.contradicted} Look there again, or accept the risk by name.`);
  }

  private async planWipe(tx: EntityManager, { id: caseId }: ActTarget): Promise<ActPlan> {
    const loss = await tx.findOneBy(Loss, { caseId });
    if (!loss) throw new Problem('not-found', 'There is no lost-device case with this id.');
    await this.standings.refuseUnlessOpen(tx, loss, 'wipe');
    const { deviceId, assetTag, holderId, deviceState, personId, corporateEmail } = await this.machine(tx, caseId);
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

  private async machine(tx: EntityManager, caseId: string): Promise<LostMachine> {
    const [machine] = await queryRows<LostMachine>(
      tx,
      `SELECT d.id AS "deviceId", d.asset_tag AS "assetTag", d.state AS "deviceState", d.holder_id AS "holderId",
         p.id AS "personId", p.corporate_email AS "corporateEmail"
       FROM losses l JOIN devices d ON d.id = l.device_id JOIN cases c ON c.id = l.case_id JOIN people p ON p.id = c.person_id
       WHERE l.case_id = $1`,
      [caseId],
    );
    if (!machine) throw new Error(`the loss ${caseId} is not there`);
    return machine;
  }

  private async carryOutWipe(tx: EntityManager, caseId: string, approved: Approved, actor: Actor): Promise<void> {
    const loss = await tx.findOneByOrFail(Loss, { caseId });
    const { personId } = await tx.findOneByOrFail(Case, { id: caseId });
    const permit = await this.permits.still(tx, approved.requestedById, 'lost-devices:decide');
    if (!permit || !(await reaches(tx, permit, 'whole person', personId))) {
      throw new Problem('forbidden', 'Whoever asked for this wipe may decide about lost machines no more.');
    }
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
    await this.losses.end(tx, caseId, 'decide-containment', actor.name);
    if (containment !== 'leave') {
      return this.commands.order(tx, actor, loss, { kind: containment, reason, approved });
    }
    await this.commands.supersede(tx, loss, 'It was decided anew: leave.', actor);
    await this.commands.endIfFollowed(tx, caseId, actor);
  }
}
