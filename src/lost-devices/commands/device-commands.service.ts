import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import { AlertsService } from '../../cases/alerts.service.js';
import { Device } from '../../devices/device.entity.js';
import { AuditService } from '../../platform/audit/audit.service.js';
import { InstallationKey } from '../../platform/crypto/installation-key.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { newId } from '../../platform/ids/new-id.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { Tool } from '../../tools/tool.entity.js';
import { COMMAND_ENDS, FOLLOWED_STATES, type CommandState } from '../command-states.js';
import { DeviceCommandEvent } from '../device-command-event.entity.js';
import { DeviceCommand, type CommandKind, type VerifiedBy } from '../device-command.entity.js';
import type { Loss } from '../loss.entity.js';
import { BEGAN_IN, Losses } from '../losses.service.js';
import type { EarlierOrder } from '../why-not-decided.js';
import type { Giver } from './choose-giver.js';
import { CommandGivers } from './command-givers.service.js';
import { DeviceCommandCall } from './device-command-call.entity.js';
import { TO_DECIDE } from './follow-up.js';
import { sealWipe } from './seal-wipe.js';

/** An order with everything that was seen of it, oldest first. */
export interface FollowedCommand {
  command: DeviceCommand;
  /** The device manager's name, of an order that the service gives. */
  tool: string | null;
  events: DeviceCommandEvent[];
}

/** One that was ordered of a machine, in whichever of its losses. */
type EarlierCommand = EarlierOrder &
  Pick<DeviceCommand, 'id' | 'caseId' | 'deviceId'> & {
    /** The first report of the loss that it is of. */
    beganIn: string;
  };

interface NewCommand {
  kind: CommandKind;
  reason: string;
  /** Of a wipe: what two people approved. */
  approved?: { approvalId: string; planHash: string } | undefined;
}

/** Writes orders, what was seen of them, and what ends with that; calls nobody. */
@Injectable()
export class DeviceCommands {
  constructor(
    private readonly losses: Losses,
    private readonly givers: CommandGivers,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly key: InstallationKey,
  ) {}

  /** In place of whatever isn't over; by the service where a device manager of ours has the machine, else by hand. */
  async order(tx: EntityManager, actor: Actor, loss: Loss, { kind, reason, approved }: NewCommand): Promise<void> {
    const { caseId, deviceId } = loss;
    await this.supersede(tx, loss, `It was decided anew: ${kind}.`, actor);
    // An order of before may have been followed to its end: this one isn't.
    await this.losses.reopen(tx, loss, 'follow-containment');
    const giver = (await this.givers.of(tx, deviceId))[kind];
    const id = newId();
    await tx.insert(DeviceCommand, {
      id,
      caseId,
      deviceId,
      kind,
      state: 'ordered',
      approvalId: approved?.approvalId ?? null,
      orderedBy: actor.name,
      givenBy: giver.by,
      ...(giver.by === 'hand'
        ? { problem: giver.because }
        : {
            toolId: giver.toolId,
            computerId: giver.computerId,
            dueAt: () => 'now()',
            seal: approved ? await this.seal(tx, id, loss, giver, approved) : null,
          }),
    });
    await tx.insert(DeviceCommandEvent, {
      id: newId(),
      commandId: id,
      state: 'ordered',
      note: reason,
      seenBy: actor.name,
    });
  }

  async followed(tx: EntityManager, caseId: string): Promise<FollowedCommand[]> {
    const commands = await tx.find(DeviceCommand, { where: { caseId }, order: { id: 'ASC' } });
    const tools = await tx.findBy(Tool, { id: In(commands.flatMap(({ toolId }) => toolId ?? [])) });
    return Promise.all(
      commands.map(async (command) => ({
        command,
        tool: tools.find(({ id }) => id === command.toolId)?.name ?? null,
        events: await tx.find(DeviceCommandEvent, { where: { commandId: command.id }, order: { id: 'ASC' } }),
      })),
    );
  }

  /** What was seen of an order. The service goes on following it, or has nothing more to do. */
  async note(
    tx: EntityManager,
    { id, caseId, deviceId, kind }: Pick<DeviceCommand, 'id' | 'caseId' | 'deviceId' | 'kind'>,
    state: CommandState,
    note: string,
    actor: Actor,
    shown: { verifiedBy?: VerifiedBy } = {},
  ): Promise<void> {
    const isFollowed = (FOLLOWED_STATES as readonly CommandState[]).includes(state);
    await tx.update(
      DeviceCommand,
      { id },
      { state, ...shown, ...(!isFollowed && { dueAt: null, problem: null, needsPerson: false }) },
    );
    await tx.insert(DeviceCommandEvent, { id: newId(), commandId: id, state, note, seenBy: actor.name });
    await this.audit.record(tx, actor, 'device-command.progressed', {
      subject: { kind: 'device', id: deviceId },
      caseId,
      facts: { commandId: id, kind, state, ...shown },
      reason: note,
    });
    if (!isFollowed) await this.alerts.resolve(tx, [stuckKey(id)]);
    if (!isFollowed || state === 'failed') await this.alerts.resolve(tx, [underHoldKey(id)]);
  }

  /** The orders of a machine, in all of its losses. */
  async ofDevice(tx: EntityManager, deviceId: string): Promise<EarlierCommand[]> {
    return queryRows<EarlierCommand>(
      tx,
      `SELECT c.id, c.case_id AS "caseId", c.device_id AS "deviceId", c.kind, c.state, ${BEGAN_IN} AS "beganIn", (
         SELECT min(g.at) FROM (
           SELECT e.seen_at AS at FROM device_command_events e
           WHERE e.command_id = c.id AND e.state IN ('requested', 'delivered', 'acknowledged')
           UNION ALL SELECT k.intended_at FROM device_command_calls k
           WHERE k.command_id = c.id AND k.act = c.kind AND k.outcome IS DISTINCT FROM 'refused') g
         WHERE g.at > COALESCE((SELECT max(f.seen_at) FROM device_command_events f
                                WHERE f.command_id = c.id AND f.state = 'failed'), '-infinity')) AS "givenAt"
       FROM device_commands c JOIN losses l ON l.case_id = c.case_id WHERE c.device_id = $1 ORDER BY c.id`,
      [deviceId],
    );
  }

  /**
   * A machine came under legal hold. A wipe that nobody has given is taken back; of one that was given people are told at
   * once, since only its device manager can still stop it, and of one for which the machine was unlocked, which stands
   * open. Answers the losses whose wipe was taken back.
   */
  async stopWipes(
    tx: EntityManager,
    { id: deviceId, assetTag }: Pick<Device, 'id' | 'assetTag'>,
    actor: Actor,
  ): Promise<string[]> {
    const wipes = (await this.ofDevice(tx, deviceId)).filter(({ kind, state }) => kind === 'wipe' && !isEnded(state));
    for (const wipe of wipes.filter(({ givenAt }) => givenAt === null)) {
      await this.note(tx, wipe, 'superseded', 'It is under legal hold by now.', actor);
      if (!(await this.mayBeThere(tx, wipe, 'unlock'))) continue;
      await this.alerts.raise(tx, {
        dedupKey: underHoldKey(wipe.id),
        kind: 'wipe_under_hold',
        severity: 'critical',
        owner: 'it-admins',
        message: `${assetTag} is under legal hold by now: its wipe is taken back, and for it the device manager was asked to unlock it. Decide to lock it again. quartermaster loss ${wipe.caseId}`,
      });
    }
    for (const { id, caseId, givenAt } of wipes) {
      if (givenAt === null) continue;
      await this.alerts.raise(tx, {
        dedupKey: underHoldKey(id),
        kind: 'wipe_under_hold',
        severity: 'critical',
        owner: 'it-admins',
        message: `${assetTag} is under legal hold by now, and its wipe was requested at the device manager at ${givenAt.toISOString()}: cancel it there at once, then note “failed” here. quartermaster loss ${caseId}`,
      });
    }
    return wipes.flatMap(({ caseId, givenAt }) => (givenAt === null ? [caseId] : []));
  }

  /** The legal hold is over: what was given may be carried out. */
  async allowWipes(tx: EntityManager, deviceId: string): Promise<void> {
    const commands = await this.ofDevice(tx, deviceId);
    await this.alerts.resolve(
      tx,
      commands.map(({ id }) => underHoldKey(id)),
    );
  }

  /** Somebody said that it failed: they have this long to decide otherwise before the service gives it again. */
  async waitForDecision(tx: EntityManager, { id }: DeviceCommand): Promise<void> {
    await tx.query(
      `UPDATE device_commands SET due_at = now() + $2 * interval '1 ms' WHERE id = $1 AND due_at IS NOT NULL`,
      [id, TO_DECIDE],
    );
  }

  /** The orders of this loss of a machine, in whichever report of it; none of a loss before or after. */
  async ofThisLoss(
    tx: EntityManager,
    { caseId, deviceId }: Pick<DeviceCommand, 'caseId' | 'deviceId'>,
  ): Promise<EarlierCommand[]> {
    const [loss] = await queryRows<{ beganIn: string }>(
      tx,
      `SELECT ${BEGAN_IN} AS "beganIn" FROM losses l WHERE l.case_id = $1`,
      [caseId],
    );
    return (await this.ofDevice(tx, deviceId)).filter(({ beganIn }) => beganIn === loss?.beganIn);
  }

  /**
   * Another decision replaces what isn't over, and an unlock of an earlier loss of the machine. What a manager was asked for
   * stays there until somebody takes it back.
   */
  async supersede(
    tx: EntityManager,
    { caseId, deviceId }: Pick<DeviceCommand, 'caseId' | 'deviceId'>,
    because: string,
    actor: Actor,
  ): Promise<void> {
    const orders = await this.ofThisLoss(tx, { caseId, deviceId });
    // Also of what was taken back before: from now on this decision counts.
    await this.alerts.resolve(
      tx,
      orders.map(({ id }) => underHoldKey(id)),
    );
    const unlocks = (await this.ofDevice(tx, deviceId)).filter(
      ({ id, kind }) => kind === 'unlock' && !orders.some((order) => order.id === id),
    );
    for (const command of [...orders, ...unlocks]) {
      if (isEnded(command.state)) continue;
      const isHere = command.caseId === caseId;
      const where = isHere ? '' : ` That stands in another case of its loss: ${caseId}.`;
      const there = (await this.mayBeThere(tx, command)) ? ' The device manager may still carry this one out.' : '';
      await this.note(tx, command, 'superseded', `${because}${where}${there}`, actor);
      if (!isHere) await this.endIfFollowed(tx, command.caseId, actor);
    }
  }

  /** @param act without it: any */
  private async mayBeThere(
    tx: EntityManager,
    { id: commandId }: Pick<DeviceCommand, 'id'>,
    act?: DeviceCommandCall['act'],
  ): Promise<boolean> {
    const calls = await tx.findBy(DeviceCommandCall, { commandId, ...(act && { act }) });
    return calls.some(({ outcome }) => outcome !== 'refused');
  }

  /** Nothing is left to be done about the machine: every order is verified, replaced, or its risk accepted by name. */
  async endIfFollowed(tx: EntityManager, caseId: string, actor: Actor): Promise<void> {
    const commands = await tx.findBy(DeviceCommand, { caseId });
    if (commands.every(({ state }) => isEnded(state))) {
      await this.losses.end(tx, caseId, 'follow-containment', actor.name);
    }
  }

  private async seal(
    tx: EntityManager,
    commandId: string,
    { caseId, deviceId }: Loss,
    { toolId, computerId }: Extract<Giver, { by: 'service' }>,
    approved: { approvalId: string; planHash: string },
  ): Promise<string> {
    const { serial } = await tx.findOneByOrFail(Device, { id: deviceId });
    return sealWipe(this.key, { commandId, caseId, deviceId, serial, toolId, computerId, ...approved });
  }
}

/** Of the alert that a machine came under legal hold after its wipe was given. */
function underHoldKey(commandId: string): string {
  return `wipe_under_hold:${commandId}`;
}

/** Of the alert that the service can't get on with an order. */
export function stuckKey(commandId: string): string {
  return `device_command_stuck:${commandId}`;
}

function isEnded(state: CommandState): boolean {
  return (COMMAND_ENDS as readonly CommandState[]).includes(state);
}
