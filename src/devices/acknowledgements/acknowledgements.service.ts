import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { Problem } from '../../platform/errors/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor, Origin } from '../../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../../platform/sign-in/secret-token.js';
import { ReportCodes } from '../report-codes/report-codes.service.js';
import { AcknowledgementTexts } from './acknowledgement-texts.service.js';
import { DeviceAcknowledgement } from './device-acknowledgement.entity.js';

export interface AcknowledgementsFilter {
  signed?: boolean | undefined;
  personId?: string | undefined;
  deviceId?: string | undefined;
}

/** What somebody reads before they sign. */
export interface ToSign {
  text: string;
  assetTag: string;
  modelName: string;
  personName: string;
}

export interface AcknowledgementLink {
  url: string;
  expiresAt: Date;
}

const GONE = 'This link was used, replaced or is too old, or the device went back. Ask IT for a new one.';
const LINK_HOLDER = 'Holder of the one-time link';
const OPEN = 'a.signed_at IS NULL AND a.void_at IS NULL';

/** The only writer of `device_acknowledgements`: who was given a device signs for it. */
@Injectable()
export class Acknowledgements {
  constructor(
    private readonly texts: AcknowledgementTexts,
    private readonly reportCodes: ReportCodes,
    private readonly audit: AuditService,
    private readonly config: Config,
  ) {}

  /** In the transaction that gives the device. */
  async ask(tx: EntityManager, actor: Actor, deviceId: string, personId: string): Promise<void> {
    const { sha256: textSha256 } = await this.texts.current(tx);
    const id = newId();
    await tx.insert(DeviceAcknowledgement, { id, deviceId, personId, textSha256, askedBy: actor.name });
    await this.audit.record(tx, actor, 'device.acknowledgement-asked', {
      subject: { kind: 'device', id: deviceId },
      facts: { acknowledgementId: id, personId, textSha256 },
    });
  }

  /** The device went back: what wasn't signed needs no signature any more. */
  async drop(tx: EntityManager, deviceId: string): Promise<void> {
    await tx.query(
      `UPDATE device_acknowledgements a SET void_at = now(), link_hash = NULL, link_expires_at = NULL
       WHERE a.device_id = $1 AND ${OPEN}`,
      [deviceId],
    );
  }

  /**
   * A link by which the person signs without a sign-in, for seven days; the one before stops working.
   * @throws Problem `not-found`, `conflict` when it is signed or the device went back
   */
  async createLink(tx: EntityManager, actor: Actor, id: string): Promise<AcknowledgementLink> {
    const { deviceId } = await this.lockOpen(tx, actor, id);
    const token = newSecretToken();
    const [link] = await queryRows<{ expiresAt: Date }>(
      tx,
      `UPDATE device_acknowledgements SET link_hash = $2, link_expires_at = now() + interval '7 days'
       WHERE id = $1 RETURNING link_expires_at AS "expiresAt"`,
      [id, hashToken(token)],
    );
    if (!link) throw new Error('the acknowledgement is gone');
    const { expiresAt } = link;
    await this.audit.record(tx, actor, 'acknowledgement-link.created', {
      subject: { kind: 'device', id: deviceId },
      facts: { acknowledgementId: id, expiresAt: expiresAt.toISOString() },
    });
    return { url: `${this.config.publicUrl}/acknowledgement-links/${token}`, expiresAt };
  }

  /** By the person themselves, signed in here. @throws Problem `not-found`, `forbidden` for anybody else, `conflict` */
  async sign(tx: EntityManager, actor: Actor, id: string): Promise<DeviceAcknowledgement> {
    const open = await this.lockOpen(tx, actor, id);
    if (actor.kind !== 'admin' || actor.personId !== open.personId) {
      throw new Problem('forbidden', 'Only the person themselves signs for a device, signed in or by their link.');
    }
    return this.keepSignature(tx, actor, open, { by: actor.name, how: 'signed_in' });
  }

  /** What the link is for, without using it up. @throws Problem `gone` */
  async look(tx: EntityManager, token: string): Promise<ToSign> {
    const [found] = await queryRows<ToSign>(
      tx,
      `SELECT t.text, d.asset_tag AS "assetTag", m.name AS "modelName", p.display_name AS "personName"
       FROM device_acknowledgements a JOIN acknowledgement_texts t ON t.sha256 = a.text_sha256
       JOIN devices d ON d.id = a.device_id JOIN device_models m ON m.id = d.model_id JOIN people p ON p.id = a.person_id
       WHERE a.link_hash = $1 AND a.link_expires_at > now() AND ${OPEN}`,
      [hashToken(token)],
    );
    if (!found) throw new Problem('gone', GONE);
    return found;
  }

  /**
   * By whoever holds the link, once.
   * @returns with what they report a loss themselves; null: they have left
   * @throws Problem `gone`
   */
  async signByLink(tx: EntityManager, token: string, from: Origin): Promise<{ reportCode: string | null }> {
    const open = await tx
      .createQueryBuilder(DeviceAcknowledgement, 'a')
      .where(`a.link_hash = :hash AND a.link_expires_at > now() AND ${OPEN}`, { hash: hashToken(token) })
      .setLock('pessimistic_write')
      .getOne();
    if (!open) throw new Problem('gone', GONE);
    // Nobody is signed in on this page: who opens it is known only as the holder of the link.
    const actor: Actor = { kind: 'system', id: `acknowledgement-link:${open.id}`, name: LINK_HOLDER, scopes: [], from };
    await this.keepSignature(tx, actor, open, { by: LINK_HOLDER, how: 'link' });
    return { reportCode: await this.reportCodes.give(tx, actor, open.personId) };
  }

  /** Newest first. What went back unsigned is told only when nobody asks for signed or unsigned ones. */
  async list(
    tx: EntityManager,
    actor: Actor,
    { signed, personId, deviceId }: AcknowledgementsFilter,
    page: { before: string | null; limit: number },
  ): Promise<DeviceAcknowledgement[]> {
    const query = tx.createQueryBuilder(DeviceAcknowledgement, 'a').orderBy('a.id', 'DESC').limit(page.limit);
    keepWithin(query, actor, 'acknowledgement');
    if (page.before) query.andWhere('a.id < :before', { before: page.before });
    if (signed !== undefined) query.andWhere(signed ? 'a.signed_at IS NOT NULL' : OPEN);
    if (personId) query.andWhere('a.person_id = :personId', { personId });
    if (deviceId) query.andWhere('a.device_id = :deviceId', { deviceId });
    return query.getMany();
  }

  /** Who hasn't signed for three days, oldest first, so that they can be told. At most 200 of them. */
  async overdue(tx: EntityManager): Promise<{ id: string; askedAt: Date; assetTag: string; email: string }[]> {
    return queryRows(
      tx,
      `SELECT a.id, a.asked_at AS "askedAt", d.asset_tag AS "assetTag", p.corporate_email AS email
       FROM device_acknowledgements a JOIN devices d ON d.id = a.device_id JOIN people p ON p.id = a.person_id
       WHERE ${OPEN} AND a.asked_at < now() - interval '3 days' ORDER BY a.asked_at LIMIT 200`,
    );
  }

  private async lockOpen(tx: EntityManager, actor: Actor, id: string): Promise<DeviceAcknowledgement> {
    await requireWithin(tx, actor, 'acknowledgement', id);
    const found = await tx.findOne(DeviceAcknowledgement, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!found) throw new Problem('not-found', 'There is no acknowledgement with this id.');
    if (found.signedAt) throw new Problem('conflict', 'This was signed before.');
    if (found.voidAt) throw new Problem('conflict', 'The device went back before anybody signed for it.');
    return found;
  }

  private async keepSignature(
    tx: EntityManager,
    actor: Actor,
    { id, deviceId, personId, textSha256 }: DeviceAcknowledgement,
    signed: { by: string; how: 'link' | 'signed_in' },
  ): Promise<DeviceAcknowledgement> {
    await tx.update(
      DeviceAcknowledgement,
      { id },
      {
        signedAt: () => 'now()',
        signedBy: signed.by,
        signedHow: signed.how,
        signedFrom: actor.from?.address ?? null,
        linkHash: null,
        linkExpiresAt: null,
      },
    );
    await this.audit.record(tx, actor, 'device.acknowledged', {
      subject: { kind: 'device', id: deviceId },
      facts: { acknowledgementId: id, personId, textSha256, how: signed.how },
    });
    return tx.findOneByOrFail(DeviceAcknowledgement, { id });
  }
}
