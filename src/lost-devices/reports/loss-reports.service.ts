import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../../cases/alerts.service.js';
import type { CaseScope } from '../../cases/case.entity.js';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { Problem } from '../../platform/errors/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import type { Actor, Origin } from '../../platform/sign-in/actor.js';
import { LostDevicesService, type DeviceNamed } from '../lost-devices.service.js';
import { LossReport, type CONFIRMED_HOW } from './loss-report.entity.js';

/** What somebody says who has no code. */
export interface ToldLoss {
  email: string;
  assetTag?: string | undefined;
  phone?: string | undefined;
  words?: string | undefined;
}

export interface Confirmation extends DeviceNamed {
  how: (typeof CONFIRMED_HOW)[number];
  note: string;
  scope?: CaseScope | undefined;
}

/** Waiting reports from one network within an hour, and altogether: past them people are asked to call. */
const OF_ONE_NETWORK = 5;
const ALTOGETHER = 500;

/** The only writer of `loss_reports`. */
@Injectable()
export class LossReports {
  constructor(
    private readonly db: DataSource,
    private readonly lostDevices: LostDevicesService,
    private readonly alerts: AlertsService,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /**
   * Keeps what somebody says who can't prove who they are, and pages on-call. Said again while it waits it is the same one.
   * @returns false when too many wait: they have to call
   */
  async tell(told: ToldLoss, from: Origin): Promise<boolean> {
    const email = told.email.toLowerCase();
    return inTransaction(this.db, async (tx) => {
      // One after the other: the limits count what is there.
      await tx.query(`LOCK TABLE loss_reports IN SHARE ROW EXCLUSIVE MODE`);
      const earlier = await tx.findOneBy(LossReport, { email, state: 'waiting' });
      if (!earlier && (await this.tooMany(tx, from))) return false;
      const id = earlier?.id ?? newId();
      await tx.query(
        `INSERT INTO loss_reports (id, email, asset_tag, phone, words, from_address) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (email) WHERE state = 'waiting' DO UPDATE SET times = loss_reports.times + 1,
           asset_tag = COALESCE(excluded.asset_tag, loss_reports.asset_tag),
           phone = COALESCE(excluded.phone, loss_reports.phone), words = COALESCE(excluded.words, loss_reports.words)`,
        [id, email, told.assetTag ?? null, told.phone ?? null, told.words ?? null, from.address ?? null],
      );
      const actor: Actor = { kind: 'system', id: `loss-report:${id}`, name: 'Somebody at /lost', scopes: [], from };
      await this.audit.record(tx, actor, 'loss-report.told', {
        subject: { kind: 'loss-report', id },
        personal: { email },
      });
      await this.alerts.raise(tx, {
        dedupKey: alertKey(id),
        kind: 'loss_reported',
        severity: 'critical',
        owner: 'it-admins',
        message: `Somebody who says that they are ${email} lost a laptop${told.assetTag === undefined ? '' : ` (${told.assetTag})`}. Call them back on a number that you know, not only the one they gave, then confirm it: ${this.config.publicUrl}/app/lost-laptop?report=${id} or quartermaster loss-reports confirm ${id}`,
      });
      return true;
    });
  }

  /** Newest first. */
  async list(
    state: LossReport['state'] | undefined,
    page: { before: string | null; limit: number },
  ): Promise<LossReport[]> {
    const query = this.db.manager.createQueryBuilder(LossReport, 'r').orderBy('r.id', 'DESC').limit(page.limit);
    if (page.before) query.andWhere('r.id < :before', { before: page.before });
    if (state) query.andWhere('r.state = :state', { state });
    return query.getMany();
  }

  /** @throws Problem `not-found` */
  async get(id: string): Promise<LossReport> {
    return found(await this.db.manager.findOneBy(LossReport, { id }));
  }

  /**
   * They are who they say: the loss is reported. Done twice, or after a crash in between, it is the same loss.
   * @throws Problem `not-found`; `conflict` when it was decided before, or as `LostDevicesService.report`
   */
  async confirm(
    actor: Actor,
    id: string,
    { how, note, scope, ...named }: Confirmation,
  ): Promise<{ caseId: string; again: boolean }> {
    const report = await this.waiting(this.db.manager, id);
    const device = nameOf(named) ?? (report.assetTag === null ? null : { assetTag: report.assetTag });
    if (!device) throw new Problem('invalid-request', 'Say which device it is: its id, asset tag or serial number.');
    const said = `Reported by ${report.email}, ${IN_WORDS[how]}. ${note}`;
    const reported = await this.lostDevices.report({ ...device, ...(scope && { scope }) }, said, actor);
    await this.decide(actor, id, { state: 'confirmed', confirmedHow: how, caseId: reported.caseId, reason: note });
    return reported;
  }

  /** @throws Problem `not-found`; `conflict` when it was decided before */
  async dismiss(actor: Actor, id: string, reason: string): Promise<void> {
    await this.decide(actor, id, { state: 'dismissed', reason });
  }

  private async decide(
    actor: Actor,
    id: string,
    decision: Partial<Pick<LossReport, 'confirmedHow' | 'caseId'>> & Pick<LossReport, 'state' | 'reason'>,
  ): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await this.waiting(tx, id);
      // The telephone number served its purpose.
      const decided = { ...decision, phone: null, decidedBy: actor.name, decidedAt: () => 'now()' };
      await tx.update(LossReport, { id }, decided);
      await this.audit.record(tx, actor, `loss-report.${decision.state}`, {
        subject: { kind: 'loss-report', id },
        facts: { caseId: decision.caseId ?? null, how: decision.confirmedHow ?? null },
        ...(decision.reason !== null && { reason: decision.reason }),
      });
      await this.alerts.resolve(tx, [alertKey(id)]);
    });
  }

  private async waiting(tx: EntityManager, id: string): Promise<LossReport> {
    const lock = tx.queryRunner?.isTransactionActive ? ({ lock: { mode: 'pessimistic_write' } } as const) : {};
    const report = found(await tx.findOne(LossReport, { where: { id }, ...lock }));
    if (report.state !== 'waiting') throw new Problem('conflict', `This report was ${report.state} before.`);
    return report;
  }

  private async tooMany(tx: EntityManager, { address }: Origin): Promise<boolean> {
    const [counted] = await queryRows<{ all: number; near: number }>(
      tx,
      `SELECT count(*)::int AS all, count(*) FILTER (WHERE from_address = $1 AND reported_at > now() - interval '1 hour')::int AS near
       FROM loss_reports WHERE state = 'waiting'`,
      [address ?? null],
    );
    return !counted || counted.all >= ALTOGETHER || counted.near >= OF_ONE_NETWORK;
  }
}

const IN_WORDS: Record<Confirmation['how'], string> = {
  called_back: 'who was called back',
  in_person: 'in person',
  vouched: 'for whom somebody vouched',
};

function found(report: LossReport | null): LossReport {
  if (!report) throw new Problem('not-found', 'There is no report of a loss with this id.');
  return report;
}

function alertKey(id: string): string {
  return `loss_reported:${id}`;
}

function nameOf({ deviceId, assetTag, serial }: DeviceNamed): DeviceNamed | null {
  return (deviceId ?? assetTag ?? serial) === undefined ? null : { deviceId, assetTag, serial };
}
