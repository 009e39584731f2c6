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
import { networkOf } from '../../platform/rate-limits/caller-address.js';
import type { Actor, Origin } from '../../platform/sign-in/actor.js';
import { LostDevicesService, type DeviceNamed } from '../lost-devices.service.js';
import { alertKey, LossReport, type CONFIRMED_HOW } from './loss-report.entity.js';

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
/** How often one is said again before nothing more is written down: by then it is no news to anybody. */
const SAID_AT_MOST = 20;
/** Characters of what is kept of one, however often it is said. */
const WORDS_AT_MOST = 4_000;
/** Waiting reports of which on-call is paged one by one; of all beyond them, together and once. */
const PAGED_ALONE = 10;
const MANY = 'loss_reported:many';
const OR = ', or ';

/** The only writer of `loss_reports`, but for what is erased of them (`EraseLossReports`). */
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
   * Keeps what somebody says who can't prove who they are, and pages on-call. Said again while it waits it is the same one:
   * what was said first stands, since anybody may say something else in the same name.
   * @returns false when too many wait: they have to call
   */
  async tell(told: ToldLoss, from: Origin): Promise<boolean> {
    const email = told.email.toLowerCase();
    // Looked at before anybody waits for the lock below, so that a flood holds up nobody.
    const answer = await this.answerTo(this.db.manager, email, from);
    if (answer !== 'new' && answer !== 'again') return answer === 'known';
    return inTransaction(this.db, async (tx) => {
      // One after the other: the limits count what is there.
      await tx.query(`LOCK TABLE loss_reports IN SHARE ROW EXCLUSIVE MODE`);
      const now = await this.answerTo(tx, email, from);
      if (now === 'new') await this.keep(tx, email, told, from);
      if (now === 'again') await this.keepMore(tx, email, told, from);
      return now !== 'too many';
    });
  }

  private async answerTo(
    tx: EntityManager,
    email: string,
    { address }: Origin,
  ): Promise<'new' | 'again' | 'known' | 'too many'> {
    const earlier = await tx.findOneBy(LossReport, { email, state: 'waiting' });
    if (earlier) return earlier.times < SAID_AT_MOST ? 'again' : 'known';
    const waiting = await queryRows<{ from: string | null; isNew: boolean }>(
      tx,
      `SELECT from_address AS "from", reported_at > now() - interval '1 hour' AS "isNew"
       FROM loss_reports WHERE state = 'waiting' LIMIT ${ALTOGETHER}`,
    );
    const near = waiting.filter((one) => one.isNew && networkOf(one.from ?? '') === networkOf(address ?? ''));
    return waiting.length >= ALTOGETHER || near.length >= OF_ONE_NETWORK ? 'too many' : 'new';
  }

  private async keep(tx: EntityManager, email: string, told: ToldLoss, from: Origin): Promise<void> {
    const { assetTag = null, phone = null, words = null } = told;
    const waiting = await tx.countBy(LossReport, { state: 'waiting' });
    const id = newId();
    await tx.insert(LossReport, { id, email, assetTag, phone, words, fromAddress: from.address ?? null });
    await this.noteTold(tx, id, email, from);
    if (waiting >= PAGED_ALONE) return this.tellOfMany(tx, waiting + 1);
    await this.alerts.raise(tx, {
      ...ALERT,
      dedupKey: alertKey(id),
      message: `Somebody who says that they are ${email} lost a laptop${assetTag === null ? '' : ` (“${assetTag}”, they say)`}. Call them back on a number that you know, not only the one they gave, then confirm it: ${this.config.publicUrl}/app/lost-laptop?report=${id} or quartermaster loss-reports confirm ${id}`,
    });
  }

  /** What is new of it stands behind what was said before, with where it came from. */
  private async keepMore(tx: EntityManager, email: string, told: ToldLoss, from: Origin): Promise<void> {
    const earlier = await tx.findOneByOrFail(LossReport, { email, state: 'waiting' });
    const { assetTag, phone, words } = told;
    const more = [
      assetTag !== undefined && assetTag !== earlier.assetTag && `laptop: ${assetTag}`,
      words !== undefined && !earlier.words?.includes(words) && words,
    ].filter(Boolean);
    const added = more.length === 0 ? [] : [`Said again from ${from.address ?? 'somewhere'}: ${more.join('; ')}`];
    const all = [...(earlier.words === null ? [] : [earlier.words]), ...added].join('\n').slice(0, WORDS_AT_MOST);
    const phones = new Set([...(earlier.phone?.split(OR) ?? []), ...(phone === undefined ? [] : [phone])]);
    await tx.update(
      LossReport,
      { id: earlier.id },
      { times: earlier.times + 1, words: all || null, phone: [...phones].join(OR) || null },
    );
    await this.noteTold(tx, earlier.id, email, from);
  }

  private async noteTold(tx: EntityManager, id: string, email: string, from: Origin): Promise<void> {
    const actor: Actor = { kind: 'system', id: `loss-report:${id}`, name: 'Somebody at /lost', scopes: [], from };
    await this.audit.record(tx, actor, 'loss-report.told', {
      subject: { kind: 'loss-report', id },
      personal: { email },
    });
  }

  /** Somebody may be making them up: then a page for each would hide what is true. */
  private async tellOfMany(tx: EntityManager, waiting: number): Promise<void> {
    const message = `${waiting} reports of lost laptops wait at once; of those beyond ${PAGED_ALONE} there is no page for each. Somebody may be making them up, and among them some may be true: ${this.config.publicUrl}/app/lost-laptop or quartermaster loss-reports list`;
    await this.alerts.raise(tx, { ...ALERT, dedupKey: MANY, message });
    await this.alerts.reword(tx, MANY, message);
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
   * They are who they say: the loss is reported. Done twice, or after a crash in between, it is the same loss. Who they are
   * says nothing of whose laptop they named: unless whoever confirms names one, it has to be in the name of who reported it.
   * @throws Problem `not-found`; `conflict` when it was decided before, for somebody else's laptop, or as `LostDevicesService.report`
   */
  async confirm(
    actor: Actor,
    id: string,
    { how, note, scope, ...named }: Confirmation,
  ): Promise<{ caseId: string; again: boolean }> {
    const report = await this.waiting(this.db.manager, id);
    const device = nameOf(named) ?? (await this.ownOf(report));
    const said = `Reported by ${report.email}, ${IN_WORDS[how]}. ${note}`;
    const reported = await this.lostDevices.report({ ...device, ...(scope && { scope }) }, said, actor);
    await this.decide(actor, id, { state: 'confirmed', confirmedHow: how, caseId: reported.caseId, reason: note });
    return reported;
  }

  /** @throws Problem `not-found`; `conflict` when it was decided before */
  async dismiss(actor: Actor, id: string, reason: string): Promise<void> {
    await this.decide(actor, id, { state: 'dismissed', reason });
  }

  /** The laptop that they named, if it is theirs. */
  private async ownOf({ email, assetTag }: LossReport): Promise<DeviceNamed & { holderId: string }> {
    if (assetTag === null) {
      throw new Problem('invalid-request', 'Say which device it is: its id, asset tag or serial number.');
    }
    const [own] = await queryRows<{ holderId: string }>(
      this.db,
      `SELECT p.id AS "holderId" FROM devices d JOIN people p ON p.id = d.holder_id
       WHERE d.asset_tag = $1 AND p.corporate_email = $2`,
      [assetTag, email],
    );
    if (own) return { assetTag, holderId: own.holderId };
    throw new Problem(
      'conflict',
      `“${assetTag}” is not a laptop in the name of ${email}. Look up which one is theirs, and confirm with that one; with another one only if you know that it is lost.`,
    );
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
      await this.alerts.resolve(tx, [alertKey(id), ...((await this.anyWithoutPage(tx)) ? [] : [MANY])]);
    });
  }

  /** Whether one waits of which on-call was told only together with others. */
  private async anyWithoutPage(tx: EntityManager): Promise<boolean> {
    const some = await queryRows(
      tx,
      `SELECT FROM loss_reports r WHERE r.state = 'waiting' AND NOT EXISTS (
         SELECT FROM alerts a WHERE a.dedup_key = 'loss_reported:' || r.id AND a.resolved_at IS NULL) LIMIT 1`,
    );
    return some.length > 0;
  }

  private async waiting(tx: EntityManager, id: string): Promise<LossReport> {
    const lock = tx.queryRunner?.isTransactionActive ? ({ lock: { mode: 'pessimistic_write' } } as const) : {};
    const report = found(await tx.findOne(LossReport, { where: { id }, ...lock }));
    if (report.state !== 'waiting') throw new Problem('conflict', `This report was ${report.state} before.`);
    return report;
  }
}

const IN_WORDS: Record<Confirmation['how'], string> = {
  called_back: 'who was called back',
  in_person: 'in person',
  vouched: 'for whom somebody vouched',
};

const ALERT = { kind: 'loss_reported', severity: 'critical', owner: 'it-admins' } as const;

function found(report: LossReport | null): LossReport {
  if (!report) throw new Problem('not-found', 'There is no report of a loss with this id.');
  return report;
}

function nameOf({ deviceId, assetTag, serial }: DeviceNamed): DeviceNamed | null {
  return (deviceId ?? assetTag ?? serial) === undefined ? null : { deviceId, assetTag, serial };
}
