import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { supports } from '../../connectors/kit/capabilities.js';
import type { ToolError } from '../../connectors/kit/errors.js';
import { AlertsService } from '../cases/alerts.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Connectors } from '../tools/connectors.js';
import { Tool } from '../tools/tool.entity.js';

/** Of PostgreSQL. A round that dies is taken up again after its lease. */
const [ROUND, LEASE, AGAIN] = ['1 hour', '15 minutes', '5 minutes'];
/** How long a manager may fail before people hear of it. */
const PATIENCE = '6 hours';

/** A round that this worker asks in. */
export interface HeldRound {
  readonly tool: Tool;
  /** When its lease ends, as PostgreSQL writes it, with microseconds: whoever takes it over gets another end. */
  until: string;
}

interface RoundCounts {
  /** Of these computers, how many are devices of ours. */
  matched: number;
  unmatched: number;
  /** Devices of ours of which the manager couldn't tell. */
  unread: number;
}

/** The lease ended before the round did, and somebody else took it over: whatever was to be written is theirs now. */
export class RoundLost extends Error {}

/** The only writer of `device_manager_rounds`: who asks which manager, and when it is asked next. */
@Injectable()
export class DeviceManagerRounds {
  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    private readonly connectors: Connectors,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
  ) {}

  /**
   * Somebody needn't wait until its hour is over: a worker asks it within seconds. A round that is under way begins anew.
   *
   * @throws Problem `not-found`
   */
  async askSoon(actor: Actor, toolId: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [asked] = await queryRows(
        tx,
        `INSERT INTO device_manager_rounds (tool_id)
         SELECT id FROM tools WHERE id = $1 AND connector = ANY($2) AND environment = $3
         ON CONFLICT (tool_id) DO UPDATE SET next_at = now() RETURNING tool_id`,
        [toolId, this.managers, this.config.environment],
      );
      if (!asked) throw new Problem('not-found', 'There is no device manager with this id.');
      await this.audit.record(tx, actor, 'device-manager.asked', { subject: { kind: 'tool', id: toolId } });
    });
  }

  async takeDue(): Promise<HeldRound | null> {
    return inTransaction(this.db, async (tx) => {
      await tx.query(
        `INSERT INTO device_manager_rounds (tool_id)
         SELECT id FROM tools WHERE connector = ANY($1) AND environment = $2 ON CONFLICT DO NOTHING`,
        [this.managers, this.config.environment],
      );
      const [due] = await queryRows<{ id: string; until: string }>(
        tx,
        `UPDATE device_manager_rounds SET next_at = now() + $3::interval WHERE tool_id = (
           SELECT r.tool_id FROM device_manager_rounds r JOIN tools t ON t.id = r.tool_id
           WHERE r.next_at <= now() AND t.state = 'active' AND t.connector = ANY($1) AND t.environment = $2
           ORDER BY r.next_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
         RETURNING tool_id AS id, next_at::text AS until`,
        [this.managers, this.config.environment, LEASE],
      );
      return due ? { tool: await tx.findOneByOrFail(Tool, { id: due.id }), until: due.until } : null;
    });
  }

  /** Moves the lease on, and writes what was learned. @throws RoundLost with nothing written */
  async hold(round: HeldRound, write?: (tx: EntityManager) => Promise<void>): Promise<void> {
    await this.moveOn(round, { by: LEASE }, write);
  }

  /** @param write what else is known at its end @throws RoundLost */
  async finished(
    round: HeldRound,
    { matched, unmatched, unread }: RoundCounts,
    write: (tx: EntityManager) => Promise<void>,
  ): Promise<void> {
    const { id } = round.tool;
    await this.moveOn(round, { by: ROUND }, async (tx) => {
      await write(tx);
      await tx.query(
        `UPDATE device_manager_rounds SET finished_at = now(), matched = $2, unmatched = $3, unread = $4,
           problem = NULL, failing_since = NULL WHERE tool_id = $1`,
        [id, matched, unmatched, unread],
      );
      await this.alerts.resolve(tx, [awayKey(id)]);
    });
  }

  /** @throws RoundLost */
  async failed(round: HeldRound, { message, resetAt }: ToolError): Promise<void> {
    const { id, name, owners } = round.tool;
    await this.moveOn(round, { by: AGAIN, notBefore: resetAt }, async (tx) => {
      const [failing] = await queryRows<{ long: boolean }>(
        tx,
        `UPDATE device_manager_rounds SET problem = $2, failing_since = COALESCE(failing_since, now()) WHERE tool_id = $1
         RETURNING failing_since < now() - $3::interval AS long`,
        [id, message, PATIENCE],
      );
      if (!failing?.long) return;
      await this.alerts.raise(tx, {
        dedupKey: awayKey(id),
        kind: 'device_manager_away',
        severity: 'warning',
        owner: owners[0] ?? 'it-admins',
        message: `“${name}” hasn’t told of all its devices for six hours: ${message} What is known of their disks grows older.`,
        toolId: id,
      });
    });
  }

  /** The round is over, and something beside it went wrong. */
  async noteProblem({ id }: Tool, problem: string): Promise<void> {
    await this.db.query(`UPDATE device_manager_rounds SET problem = $2 WHERE tool_id = $1`, [id, problem]);
  }

  /** The connectors of those tools that can tell of disks. */
  private get managers(): string[] {
    return this.connectors.all.flatMap((connector) =>
      supports(connector, 'readDiskEncryption') ? [connector.id] : [],
    );
  }

  private async moveOn(
    round: HeldRound,
    { by, notBefore }: { by: string; notBefore?: Date | undefined },
    write?: (tx: EntityManager) => Promise<void>,
  ): Promise<void> {
    round.until = await inTransaction(this.db, async (tx) => {
      const [held] = await queryRows<{ until: string }>(
        tx,
        `UPDATE device_manager_rounds SET next_at = GREATEST(now() + $3::interval, $4::timestamptz)
         WHERE tool_id = $1 AND next_at = $2::timestamptz RETURNING next_at::text AS until`,
        [round.tool.id, round.until, by, notBefore ?? null],
      );
      if (!held) throw new RoundLost();
      await write?.(tx);
      return held.until;
    });
  }
}

function awayKey(toolId: string): string {
  return `device_manager_away:${toolId}`;
}
