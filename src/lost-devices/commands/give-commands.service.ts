import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { methodOf } from '../../../connectors/kit/capabilities.js';
import type { ComputerOrder, DeviceStatus } from '../../../connectors/kit/contract.js';
import { ToolError } from '../../../connectors/kit/errors.js';
import { AlertsService } from '../../cases/alerts.service.js';
import { TIMING } from '../../cases/engine/timing.js';
import { AuditService } from '../../platform/audit/audit.service.js';
import { InstallationKey } from '../../platform/crypto/installation-key.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { newId } from '../../platform/ids/new-id.js';
import { within } from '../../platform/lifecycle/within.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';
import type { ToolState } from '../../tools/tool.entity.js';
import { ToolSessions } from '../../tools/tool-sessions.service.js';
import { FOLLOWED_STATES } from '../command-states.js';
import { IS_LOST_ANEW } from '../losses.service.js';
import { METHOD_OF } from './choose-giver.js';
import type { CallOutcome } from './device-command-call.entity.js';
import { DeviceCommands, stuckKey } from './device-commands.service.js';
import { afterFailure, dueIn, type Outlook } from './follow-up.js';
import { judgeCommand, type GivenCommand, type Judgement } from './judge-command.js';
import { isSealed } from './seal-wipe.js';
import { whyNotGiven, type CommandStanding } from './why-not-given.js';

/** How many orders one process carries out at the same time. */
const AT_ONCE = 16;
/** How many of them at one manager: where it hangs, there is room for the orders of others. */
const AT_ONE_MANAGER = 8;
/** Longer than a look, a call and a look may take together: when it lapses, nothing of its holder is under way. */
const LEASE = 4 * TIMING.call;

/** A machine by its manager's own id, and the manager. */
export interface KnownComputer {
  tool: string;
  toolId: string;
  toolState: ToolState;
  computerId: string;
}

/** An order in hand, as it was when it was taken. */
interface TakenCommand extends GivenCommand, KnownComputer {
  id: string;
  caseId: string;
  deviceId: string;
  fence: number;
  failures: number;
  ageMs: number;
  /** By this process's clock: from then on somebody else may have it. */
  leasedUntil: number;
}

/** A call whose intent is committed, and that nobody has made yet. */
interface IntendedCall {
  command: TakenCommand;
  callId: string;
  act: ComputerOrder;
}

/**
 * Gives orders to device managers and follows them. The intent is committed before each call, the call isn't made before a
 * look shows that the order is neither pending nor done, and only a look says what became of it.
 */
@Injectable()
export class GiveCommands {
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly db: DataSource,
    private readonly sessions: ToolSessions,
    private readonly commands: DeviceCommands,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly key: InstallationKey,
  ) {}

  /** A worker's chore: begins what is due and doesn't wait for it, so that a manager that hangs holds up no other order. */
  async beginDue(onError: (error: unknown) => void): Promise<void> {
    if (this.underWay.size >= AT_ONCE) return;
    for (const command of await this.takeDue(AT_ONCE - this.underWay.size)) {
      const work = this.carryOn(command)
        .catch(onError)
        .finally(() => this.underWay.delete(work));
      this.underWay.add(work);
    }
  }

  /** Waits for what is under way, and not for long: whoever takes it over looks first. */
  async stop(): Promise<void> {
    await within(TIMING.farewell, Promise.allSettled(this.underWay)).catch(() => undefined);
  }

  /** Leased: nobody else has them before the lease lapses. */
  async takeDue(most = AT_ONCE): Promise<TakenCommand[]> {
    const leasedUntil = performance.now() + LEASE;
    return inTransaction(this.db, async (tx) => {
      const taken = await queryRows<{ id: string }>(
        tx,
        `WITH due AS (
           SELECT c.id, row_number() OVER (PARTITION BY c.tool_id ORDER BY c.due_at) + (
             SELECT count(*) FROM device_commands held WHERE held.tool_id = c.tool_id AND held.leased_until >= now()) AS place
           FROM device_commands c WHERE ${IS_DUE})
         UPDATE device_commands SET leased_until = now() + $3 * interval '1 ms', fence = fence + 1 WHERE id IN (
           SELECT c.id FROM device_commands c JOIN due ON due.id = c.id WHERE due.place <= $4 AND ${IS_DUE}
           ORDER BY c.due_at LIMIT $2 FOR UPDATE OF c SKIP LOCKED)
         RETURNING id`,
        [FOLLOWED_STATES, most, LEASE, AT_ONE_MANAGER],
      );
      if (taken.length === 0) return [];
      const ids = taken.map(({ id }) => id);
      await tx.query(
        `UPDATE device_command_calls SET ended_at = now(), outcome = 'lost', note = $2
         WHERE command_id = ANY($1) AND outcome IS NULL`,
        [ids, 'Its worker ended before it could tell what came of it.'],
      );
      return (await this.load(tx, ids)).map((command) => ({ ...command, leasedUntil }));
    });
  }

  async carryOn(command: TakenCommand): Promise<void> {
    const intended = await this.prepare(command);
    if (intended) await this.carryOut(intended);
  }

  /** Looks, and writes down what is next; null: no call is. */
  async prepare(command: TakenCommand): Promise<IntendedCall | null> {
    const seen = await this.look(command);
    const judged = seen instanceof ToolError ? seen : judgeCommand(command, seen);
    if (judged instanceof ToolError || judged.next !== 'give') {
      await this.settle(command, judged);
      return null;
    }
    return this.intend(command, judged.act);
  }

  /** Makes the call, and looks again on another connection: what that shows counts, not what the call answered. */
  async carryOut({ command, callId, act }: IntendedCall): Promise<void> {
    // A process that was frozen since must not send what another one may have sent: the call ends with its lease.
    if (performance.now() + TIMING.call > command.leasedUntil) return;
    const given = await this.give(command, act, callId);
    await this.ended(command, callId, act, given);
    if (given.next) return this.settle(command, given.next);
    const seen = await this.look(command);
    const after = { ...command, lastGiven: { act, ageMs: 0, times: (command.lastGiven?.times ?? 0) + 1 } };
    await this.settle(command, seen instanceof ToolError ? seen : judgeCommand(after, seen));
  }

  /** What the manager shows of a machine now. */
  async look({ tool, toolId, toolState, computerId }: KnownComputer): Promise<DeviceStatus | ToolError> {
    if (toolState !== 'active') return new ToolError('transient', `“${tool}” is ${toolState} in Quartermaster.`);
    return this.sessions
      .talk(toolId, TIMING.call, (session) => methodOf(session, 'readDeviceStatus')(computerId))
      .catch(asToolError);
  }

  /** `next`: nothing was done, and this is why. */
  private async give(
    { toolId, computerId }: TakenCommand,
    act: ComputerOrder,
    callId: string,
  ): Promise<{ outcome: CallOutcome; note: string | null; next?: Judgement | ToolError }> {
    const work = this.sessions.talk(
      toolId,
      TIMING.call,
      (session) => methodOf(session, METHOD_OF[act])(computerId),
      callId,
    );
    const result = await work.catch(asToolError);
    if (result instanceof ToolError) {
      const { kind, message } = result;
      // Somebody else was faster, or it may have been carried out: a look tells.
      if (kind === 'ambiguous' || kind === 'conflict') return { outcome: 'lost', note: message };
      return { outcome: 'refused', note: message, next: result };
    }
    if (result.outcome !== 'action-required') return { outcome: 'taken', note: null };
    const because = result.instructions;
    return { outcome: 'refused', note: because, next: { next: 'person', because } };
  }

  /** What it stands on is loaded again, with the loss locked: a hold or a decision of this moment comes before or after. */
  private async intend(command: TakenCommand, act: ComputerOrder): Promise<IntendedCall | null> {
    const intended = await inTransaction(this.db, async (tx): Promise<IntendedCall | Judgement | null> => {
      const now = await this.current(tx, command);
      if (!now) return null;
      if (now.whyNot !== null) return { next: 'person', because: now.whyNot };
      const callId = newId();
      await tx.query(`INSERT INTO device_command_calls (id, command_id, act) VALUES ($1, $2, $3)`, [
        callId,
        command.id,
        act,
      ]);
      await this.record(tx, command, 'device-command.giving', { callId, act });
      return { command, callId, act };
    });
    if (intended !== null && !('next' in intended)) return intended;
    if (intended) await this.settle(command, intended);
    else await this.release(command);
    return null;
  }

  private async ended(
    command: TakenCommand,
    callId: string,
    act: ComputerOrder,
    { outcome, note }: { outcome: CallOutcome; note: string | null },
  ): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await tx.query(`UPDATE device_command_calls SET ended_at = now(), outcome = $2, note = $3 WHERE id = $1`, [
        callId,
        outcome,
        note,
      ]);
      await this.record(tx, command, 'device-command.given', { callId, act, outcome });
    });
  }

  private async settle(command: TakenCommand, judged: Judgement | ToolError): Promise<void> {
    const outlook = judged instanceof ToolError ? afterFailure(command, judged, new Date()) : dueIn(command, judged);
    const isOurs = await inTransaction(this.db, async (tx) => {
      if (!(await this.current(tx, command))) return false;
      if (outlook.shows) await this.commands.note(tx, command, outlook.shows.state, outlook.shows.note, SYSTEM);
      await this.write(tx, command, outlook);
      return true;
    });
    if (!isOurs) await this.release(command);
  }

  private async write(
    tx: EntityManager,
    { id, caseId, assetTag, kind, toolId }: TakenCommand,
    outlook: Outlook,
  ): Promise<void> {
    const { problem, needsPerson, failures, ms } = outlook;
    await tx.query(
      `UPDATE device_commands SET problem = $2, needs_person = $3, failures = $4, leased_until = NULL,
         due_at = CASE WHEN state = ANY($6) THEN now() + $5 * interval '1 ms' END WHERE id = $1`,
      [id, problem, needsPerson, failures, ms, FOLLOWED_STATES],
    );
    if (!needsPerson) return this.alerts.resolve(tx, [stuckKey(id)]);
    const message = `The order to ${kind} ${assetTag}, which was lost, needs a person: ${problem} quartermaster loss ${caseId}`;
    const dedupKey = stuckKey(id);
    await this.alerts.raise(tx, {
      dedupKey,
      kind: 'device_command_stuck',
      severity: 'error',
      owner: 'it-admins',
      message,
      toolId,
    });
    await this.alerts.reword(tx, dedupKey, message);
  }

  /** Somebody decided or saw something meanwhile: it is looked at anew. */
  private async release({ id, fence }: TakenCommand): Promise<void> {
    await this.db.query(`UPDATE device_commands SET leased_until = NULL WHERE id = $1 AND fence = $2`, [id, fence]);
  }

  /** Null when it was overtaken: another worker has it, or its state isn't what this one saw. */
  private async current(tx: EntityManager, { id, caseId, fence, state }: TakenCommand): Promise<StoredCommand | null> {
    await tx.query(`SELECT FROM losses WHERE case_id = $1 FOR UPDATE`, [caseId]);
    await tx.query(`SELECT FROM device_commands WHERE id = $1 FOR UPDATE`, [id]);
    const [now] = await this.load(tx, [id]);
    return now?.fence === fence && now.state === state ? now : null;
  }

  private async load(tx: EntityManager, ids: readonly string[]): Promise<StoredCommand[]> {
    const rows = await queryRows<LoadedCommand>(
      tx,
      `SELECT c.id, c.case_id AS "caseId", c.device_id AS "deviceId", c.kind, c.state, c.fence, c.failures, c.seal,
         c.tool_id AS "toolId", c.computer_id AS "computerId", c.approval_id AS "approvalId",
         (extract(epoch FROM now() - c.ordered_at) * 1000)::float AS "ageMs",
         d.serial, d.asset_tag AS "assetTag", d.state AS "deviceState",
         d.holder_id IS NOT DISTINCT FROM k.person_id AS "isTheirs", ${IS_LOST_ANEW} AS "isLostAnew",
         t.name AS tool, t.state AS "toolState",
         EXISTS (SELECT FROM losses h WHERE h.device_id = c.device_id AND h.legal_hold) AS "legalHold",
         EXISTS (SELECT FROM losses n WHERE n.device_id = c.device_id AND n.case_id > c.case_id) AS "hasNewer", l.containment, a.plan_hash AS "planHash", a.state AS "approvalState",
         (SELECT jsonb_build_object('act', g.act, 'ageMs', extract(epoch FROM now() - g.intended_at) * 1000,
            'times', count(*) FILTER (WHERE g.command_id = c.id) OVER ())
          FROM device_command_calls g JOIN device_commands o ON o.id = g.command_id
          WHERE (o.id = c.id OR (c.kind = 'unlock' AND o.device_id = c.device_id AND g.act = 'lock'))
            AND g.outcome IS DISTINCT FROM 'refused'
          ORDER BY g.intended_at DESC LIMIT 1) AS "lastGiven"
       FROM device_commands c JOIN devices d ON d.id = c.device_id JOIN tools t ON t.id = c.tool_id
       JOIN losses l ON l.case_id = c.case_id JOIN cases k ON k.id = c.case_id LEFT JOIN approvals a ON a.id = c.approval_id
       WHERE c.id = ANY($1) ORDER BY c.id`,
      [ids],
    );
    return rows.map((row) => ({ ...row, whyNot: whyNotGiven({ ...row, isAsApproved: this.isAsApproved(row) }) }));
  }

  private isAsApproved({ id, approvalId, approvalState, planHash, seal, ...row }: LoadedCommand): boolean {
    if (approvalId === null || planHash === null || seal === null || approvalState !== 'approved') return false;
    return isSealed(this.key, seal, { ...row, commandId: id, approvalId, planHash });
  }

  private async record(
    tx: EntityManager,
    { id, caseId, deviceId, toolId, computerId }: TakenCommand,
    action: string,
    facts: object,
  ): Promise<void> {
    await this.audit.record(tx, SYSTEM, action, {
      subject: { kind: 'device', id: deviceId },
      caseId,
      facts: { commandId: id, toolId, computerId, ...facts },
    });
  }
}

/** SQL, of the order `c`: somebody has to look at it, and nobody does. */
const IS_DUE = `c.due_at <= now() AND c.given_by = 'service' AND c.state = ANY($1)
  AND (c.leased_until IS NULL OR c.leased_until < now())`;

type StoredCommand = Omit<TakenCommand, 'leasedUntil'>;

type LoadedCommand = Omit<StoredCommand, 'whyNot'> &
  Omit<CommandStanding, 'isAsApproved'> & {
    seal: string | null;
    approvalId: string | null;
    approvalState: string | null;
    planHash: string | null;
  };

function asToolError(error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  throw error;
}
