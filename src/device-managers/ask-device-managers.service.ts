import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { methodOf } from '../../connectors/kit/capabilities.js';
import type { ComputerPage, DiskSeen, ObservedComputer } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { DeviceEnrolments } from '../devices/device-enrolments.service.js';
import type { DiskReport } from '../devices/encryption/judge-report.js';
import { ObservationsService, type NewObservation } from '../devices/observations.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { ToolSessions } from '../tools/tool-sessions.service.js';
import { DeviceManagerRounds, RoundLost, type HeldRound } from './device-manager-rounds.service.js';
import { KeepManagersKeys, type EscrowedComputer } from './keep-managers-keys.service.js';
import { COMPUTER_MS, readComputers, type Unread } from './read-computers.js';

/** Milliseconds between two looks whether somebody is due. */
const EVERY = 1_000;
/** Milliseconds for one page of computers, without their disks. */
const PAGE_MS = 120_000;
/** Computers that are read before what was told is written: their times together are well within the lease of a round. */
const BATCH = 50;

/** A computer that is a device of ours. */
interface Ours {
  deviceId: string;
  computer: ObservedComputer;
}

/** Asks device managers, once an hour each, what they know of disks, and adds it to the devices' observations. */
@Injectable()
export class AskDeviceManagers {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly rounds: DeviceManagerRounds,
    private readonly sessions: ToolSessions,
    private readonly observations: ObservationsService,
    private readonly enrolments: DeviceEnrolments,
    private readonly keys: KeepManagersKeys,
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
    for (let round = await this.rounds.takeDue(); round; round = await this.rounds.takeDue()) {
      try {
        await this.ask(round);
      } catch (error) {
        if (!(error instanceof RoundLost)) throw error;
      }
      asked += 1;
    }
    return asked;
  }

  private async ask(round: HeldRound): Promise<void> {
    const unread: Unread = { count: 0, inARow: 0, newest: null };
    const since = await databaseNow(this.db);
    const escrowed: EscrowedComputer[] = [];
    let [matched, unmatched, complete] = [0, 0, false];
    try {
      let next: string | null = null;
      do {
        await this.rounds.hold(round);
        const page = await this.listPage(round, next);
        ({ complete } = page);
        const ours = await this.oursIn(page);
        await this.rounds.hold(round, (tx) => this.enrolments.seen(tx, round.tool.id, enrolled(ours)));
        escrowed.push(...ours.flatMap(withKey));
        matched += ours.length;
        unmatched += page.computers.length - ours.length;
        for (let from = 0; from < ours.length; from += BATCH) {
          await this.readAndTakeIn(round, ours.slice(from, from + BATCH), unread);
        }
        next = page.next;
      } while (next !== null);
      if (unread.newest && unread.count === matched) throw unread.newest;
      await this.rounds.finished(round, { matched, unmatched, unread: unread.count }, async (tx) => {
        // Only a round that was shown everything there is tells that the rest is gone.
        if (complete) await this.enrolments.lookedThrough(tx, round.tool.id, since);
      });
      await this.keepKeys(round, escrowed);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await this.rounds.failed(round, error);
    }
  }

  /** After the round, so that no key which can't be read keeps what is known of disks away. */
  private async keepKeys({ tool }: HeldRound, escrowed: readonly EscrowedComputer[]): Promise<void> {
    try {
      await this.keys.keep(tool, escrowed);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await this.rounds.noteProblem(tool, `Recovery keys can’t be read: ${error.message}`);
    }
  }

  private async listPage({ tool }: HeldRound, next: string | null): Promise<ComputerPage> {
    return this.sessions.talk(tool.id, PAGE_MS, (session) => methodOf(session, 'listComputers')(next));
  }

  /** What was read before the manager gave up is taken in as well. */
  private async readAndTakeIn(round: HeldRound, ours: readonly Ours[], unread: Unread): Promise<void> {
    const told: (Ours & { disk: DiskSeen })[] = [];
    try {
      await this.sessions.talk(round.tool.id, BATCH * COMPUTER_MS, async (session) => {
        const ask = methodOf(session, 'readDiskEncryption');
        const read = ({ computer }: Ours): Promise<DiskSeen> => ask(computer.externalId);
        for await (const { one, told: disk } of readComputers(ours, read, unread)) told.push({ ...one, disk });
      });
    } finally {
      await this.rounds.hold(round, (tx) => this.takeIn(tx, round.tool.key, told));
    }
  }

  private async oursIn({ computers }: ComputerPage): Promise<Ours[]> {
    const rows = await queryRows<{ id: string; serial: string }>(
      this.db,
      `SELECT id, serial FROM devices WHERE serial = ANY($1)`,
      [computers.flatMap(({ serial }) => serial ?? [])],
    );
    const devices = new Map(rows.map(({ id, serial }) => [serial, id]));
    return computers.flatMap((computer) => {
      const deviceId = devices.get(computer.serial ?? '');
      return deviceId === undefined ? [] : [{ deviceId, computer }];
    });
  }

  private async takeIn(tx: EntityManager, source: string, told: readonly (Ours & { disk: DiskSeen })[]): Promise<void> {
    for (const { deviceId, computer, disk } of told) {
      await this.observations.takeIn(tx, deviceId, observationsOf(source, computer, disk));
    }
  }
}

function enrolled(ours: readonly Ours[]): { deviceId: string; externalId: string }[] {
  return ours.map(({ deviceId, computer: { externalId } }) => ({ deviceId, externalId }));
}

function withKey({ deviceId, computer }: Ours): EscrowedComputer[] {
  const { serial, recoveryKey } = computer;
  return serial && recoveryKey ? [{ deviceId, computer: { ...computer, serial, recoveryKey } }] : [];
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
