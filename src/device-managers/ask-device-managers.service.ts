import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { methodOf, supports } from '../../connectors/kit/capabilities.js';
import type { ComputerPage, DiskSeen, ObservedComputer } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { AlertsService } from '../cases/alerts.service.js';
import type { DiskReport } from '../devices/encryption/judge-report.js';
import { DeviceEnrolments } from '../devices/device-enrolments.service.js';
import { ObservationsService, type NewObservation } from '../devices/observations.service.js';
import { Config } from '../platform/config/config.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Connectors } from '../tools/connectors.js';
import { ToolSessions } from '../tools/tool-sessions.service.js';
import { Tool } from '../tools/tool.entity.js';
import { KeepManagersKeys, type EscrowedComputer } from './keep-managers-keys.service.js';

/** Milliseconds between two looks whether somebody is due. */
const EVERY = 30_000;
/** Milliseconds for one page of computers with their disks. */
const PAGE_MS = 120_000;
/** Of PostgreSQL. A round that dies is taken up again after its lease. */
const [ROUND, LEASE, AGAIN] = ['1 hour', '15 minutes', '5 minutes'];
/** How long a manager may fail before people hear of it. */
const PATIENCE = '6 hours';

interface Round {
  matched: number;
  unmatched: number;
}

/** A computer that is a device of ours, with what its manager knows of its disks. */
interface Seen {
  deviceId: string;
  computer: ObservedComputer;
  disk: DiskSeen;
}

/** Asks device managers, once an hour each, what they know of disks, and adds it to the devices' observations. */
@Injectable()
export class AskDeviceManagers {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    private readonly connectors: Connectors,
    private readonly sessions: ToolSessions,
    private readonly observations: ObservationsService,
    private readonly enrolments: DeviceEnrolments,
    private readonly keys: KeepManagersKeys,
    private readonly alerts: AlertsService,
  ) {}

  /** A worker's chore: returns at once until it is time again. */
  async askNowAndThen(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    this.notBefore = performance.now() + EVERY;
    await this.askAllDue();
  }

  /** @returns how many were asked */
  async askAllDue(): Promise<number> {
    let asked = 0;
    for (let tool = await this.takeDue(); tool; tool = await this.takeDue()) {
      await this.ask(tool);
      asked += 1;
    }
    return asked;
  }

  private async takeDue(): Promise<Tool | null> {
    const managers = this.connectors.all.filter((connector) => supports(connector, 'readDiskEncryption'));
    return inTransaction(this.db, async (tx) => {
      const names = managers.map(({ id }) => id);
      await tx.query(
        `INSERT INTO device_manager_rounds (tool_id)
         SELECT id FROM tools WHERE connector = ANY($1) AND environment = $2 ON CONFLICT DO NOTHING`,
        [names, this.config.environment],
      );
      const [due] = await queryRows<{ id: string }>(
        tx,
        `UPDATE device_manager_rounds SET next_at = now() + $3::interval WHERE tool_id = (
           SELECT r.tool_id FROM device_manager_rounds r JOIN tools t ON t.id = r.tool_id
           WHERE r.next_at <= now() AND t.state = 'active' AND t.connector = ANY($1) AND t.environment = $2
           ORDER BY r.next_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED)
         RETURNING tool_id AS id`,
        [names, this.config.environment, LEASE],
      );
      return due ? tx.findOneByOrFail(Tool, { id: due.id }) : null;
    });
  }

  private async ask(tool: Tool): Promise<void> {
    const round: Round = { matched: 0, unmatched: 0 };
    const since = await databaseNow(this.db);
    try {
      const escrowed: EscrowedComputer[] = [];
      let next: string | null = null;
      let complete = false;
      do {
        const { page, seen } = await this.askPage(tool, next);
        ({ complete } = page);
        round.matched += seen.length;
        round.unmatched += page.computers.length - seen.length;
        escrowed.push(...seen.flatMap(withKey));
        await inTransaction(this.db, (tx) => this.takeIn(tx, tool, seen));
        next = page.next;
      } while (next !== null);
      await this.finished(tool, round, complete ? since : null);
      await this.keepKeys(tool, escrowed);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await this.failed(tool, error);
    }
  }

  /** After the round, so that no key which can't be read keeps what is known of disks away. */
  private async keepKeys(tool: Tool, escrowed: readonly EscrowedComputer[]): Promise<void> {
    try {
      await this.keys.keep(tool, escrowed);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const problem = `Recovery keys can’t be read: ${error.message}`;
      await this.db.query(`UPDATE device_manager_rounds SET problem = $2 WHERE tool_id = $1`, [tool.id, problem]);
    }
  }

  /** Outside of any transaction. */
  private async askPage(tool: Tool, next: string | null): Promise<{ page: ComputerPage; seen: Seen[] }> {
    return this.sessions.talk(tool.id, PAGE_MS, async (session) => {
      const page = await methodOf(session, 'listComputers')(next);
      const devices = await this.devicesWith(page.computers.flatMap(({ serial }) => serial ?? []));
      const seen: Seen[] = [];
      for (const computer of page.computers) {
        const deviceId = devices.get(computer.serial ?? '');
        const disk = deviceId && (await diskOf(computer, methodOf(session, 'readDiskEncryption')));
        if (deviceId && disk) seen.push({ deviceId, computer, disk });
      }
      return { page, seen };
    });
  }

  private async devicesWith(serials: readonly string[]): Promise<Map<string, string>> {
    const rows = await queryRows<{ id: string; serial: string }>(
      this.db,
      `SELECT id, serial FROM devices WHERE serial = ANY($1)`,
      [serials],
    );
    return new Map(rows.map(({ id, serial }) => [serial, id]));
  }

  /** What was taken in before isn't again: a computer that is away shows the same for weeks. */
  private async takeIn(tx: EntityManager, { id, key }: Tool, all: readonly Seen[]): Promise<void> {
    const enrolled = all.map(({ deviceId, computer: { externalId } }) => ({ deviceId, externalId }));
    await this.enrolments.seen(tx, id, enrolled);
    const rows = await queryRows<{ id: string; kind: string; newest: Date }>(
      tx,
      `SELECT device_id AS id, kind, max(observed_at) AS newest FROM device_observations
       WHERE device_id = ANY($1) AND source = $2 AND kind IN ('disk_encryption', 'last_online') GROUP BY 1, 2`,
      [all.map(({ deviceId }) => deviceId), key],
    );
    const newest = new Map(rows.map(({ id, kind, newest: at }) => [`${id} ${kind}`, at.getTime()]));
    for (const { deviceId, computer, disk } of all) {
      const isNews = ({ kind, observedAt }: NewObservation): boolean =>
        observedAt.getTime() > (newest.get(`${deviceId} ${kind}`) ?? -Infinity);
      await this.observations.takeIn(tx, deviceId, observationsOf(key, computer, disk).filter(isNews));
    }
  }

  /** @param since when it began, of a round that saw everything there is; null: it didn't */
  private async finished({ id }: Tool, { matched, unmatched }: Round, since: Date | null): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      if (since) await this.enrolments.lookedThrough(tx, id, since);
      await tx.query(
        `UPDATE device_manager_rounds SET next_at = now() + $4::interval, finished_at = now(), matched = $2, unmatched = $3,
           problem = NULL, failing_since = NULL WHERE tool_id = $1`,
        [id, matched, unmatched, ROUND],
      );
      await this.alerts.resolve(tx, [awayKey(id)]);
    });
  }

  private async failed({ id, name, owners }: Tool, { message, resetAt }: ToolError): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [round] = await queryRows<{ long: boolean }>(
        tx,
        `UPDATE device_manager_rounds SET next_at = GREATEST(now() + $3::interval, $4), problem = $2,
           failing_since = COALESCE(failing_since, now()) WHERE tool_id = $1
         RETURNING failing_since < now() - $5::interval AS long`,
        [id, message, AGAIN, resetAt ?? null, PATIENCE],
      );
      if (!round?.long) return;
      await this.alerts.raise(tx, {
        dedupKey: awayKey(id),
        kind: 'device_manager_away',
        severity: 'warning',
        owner: owners[0] ?? 'it-admins',
        message: `“${name}” has told nothing of devices for six hours: ${message} What is known of their disks grows older.`,
        toolId: id,
      });
    });
  }
}

function withKey({ deviceId, computer }: Seen): EscrowedComputer[] {
  const { serial, recoveryKey } = computer;
  return serial && recoveryKey ? [{ deviceId, computer: { ...computer, serial, recoveryKey } }] : [];
}

function awayKey(toolId: string): string {
  return `device_manager_away:${toolId}`;
}

/** Null for one that was deleted since the page was made. */
async function diskOf(
  { externalId }: ObservedComputer,
  read: (externalId: string) => Promise<DiskSeen>,
): Promise<DiskSeen | null> {
  try {
    return await read(externalId);
  } catch (error) {
    if (error instanceof ToolError && error.kind === 'not-found') return null;
    throw error;
  }
}

function observationsOf(source: string, computer: ObservedComputer, disk: DiskSeen): NewObservation[] {
  const { lastSeenAt, externalId } = computer;
  const details = { computer: externalId };
  return [
    // One whose agent never looked told nothing, not even that it couldn't.
    ...(disk.observedAt === null
      ? []
      : [{ kind: 'disk_encryption' as const, source, details, observedAt: disk.observedAt, report: reportOf(disk) }]),
    ...(lastSeenAt === null
      ? []
      : [
          {
            kind: 'last_online' as const,
            source,
            details,
            observedAt: lastSeenAt,
            value: 'seen by its device manager',
          },
        ]),
  ];
}

function reportOf({ state, why, agent, platform, raw }: DiskSeen): DiskReport {
  return {
    volumes: [{ volume: 'all disks', role: 'system', state, raw, ...(why !== undefined && { why }) }],
    ...(agent && { agent: { ...agent, ...(platform && { platform }) } }),
  };
}
