import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Device } from '../devices/device.entity.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { RecoveryVault } from '../platform/crypto/recovery-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { formatOf } from './key-format.js';
import { RecoveryKeyReveal } from './recovery-key-reveal.entity.js';
import type { RotationReason } from './recovery-key-rotation.entity.js';
import type { RecoveryKey } from './recovery-key.entity.js';

export interface KeptKey extends Pick<
  RecoveryKey,
  'id' | 'deviceId' | 'protects' | 'source' | 'keptBy' | 'keptAt' | 'format' | 'provedAt'
> {
  /** Since it was kept: never, or the last time. */
  revealedAt: Date | null;
  /** False: another one of its kind was kept after it. A disk may not have heard of that. */
  isNewest: boolean;
  /** Null: nobody asks for another one, or it is there. */
  rotationAskedAt: Date | null;
  rotationAskedBecause: RotationReason | null;
}

export interface KeyOnDevice extends KeptKey {
  assetTag: string;
}

/** What is to be read, and whose device it opens. */
export interface KnownKey extends Pick<RecoveryKey, 'id' | 'deviceId' | 'protects' | 'secretId'> {
  assetTag: string;
  holder: { id: string; corporateEmail: string } | null;
}

export interface ReadKey extends KnownKey {
  key: string;
}

const PURPOSE = 'recovery-key';

/** The only writer of `recovery_keys`, of who read one, and of which are to be replaced. */
@Injectable()
export class RecoveryKeysService {
  constructor(
    private readonly vault: RecoveryVault,
    private readonly audit: AuditService,
  ) {}

  /** Keeps one more, beside those before it. @throws Problem `not-found`; `not-set-up` */
  async keep(
    tx: EntityManager,
    actor: Actor,
    deviceId: string,
    about: { key: string; protects: RecoveryKey['protects']; source: string },
  ): Promise<KeptKey> {
    await this.requireDevice(tx, actor, deviceId);
    return this.add(tx, actor, deviceId, { ...about, provedAt: null });
  }

  /**
   * As `keep`, for a device that is known and is the actor's to speak for.
   * @param about.provedAt when the device itself saw that the key unlocks; one from the future was seen when it arrived
   */
  async add(
    tx: EntityManager,
    actor: Actor,
    deviceId: string,
    about: { key: string; protects: RecoveryKey['protects']; source: string; provedAt: Date | null },
  ): Promise<KeptKey> {
    const { key, protects, source, provedAt } = about;
    const id = newId();
    const secretId = await this.vault.seal(tx, PURPOSE, key);
    const format = formatOf(protects, key);
    await tx.query(
      `INSERT INTO recovery_keys (id, device_id, protects, secret_id, source, kept_by, format, proved_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8::timestamptz IS NOT NULL THEN LEAST($8::timestamptz, now()) END)`,
      [id, deviceId, protects, secretId, source, actor.name, format, provedAt],
    );
    await this.audit.record(tx, actor, 'recovery-key.kept', {
      subject: { kind: 'device', id: deviceId },
      facts: { recoveryKeyId: id, protects, source, format, provedAt: provedAt?.toISOString() ?? null },
    });
    const [kept] = await queryRows<KeptKey>(tx, `${KEPT} WHERE k.id = $1`, [id]);
    if (!kept) throw new Error('the recovery key is gone');
    return kept;
  }

  /** Newest first, and no key itself. @throws Problem `not-found` */
  async list(tx: EntityManager, actor: Actor, deviceId: string): Promise<KeptKey[]> {
    await this.requireDevice(tx, actor, deviceId);
    return queryRows<KeptKey>(tx, `${KEPT} WHERE k.device_id = $1 ORDER BY k.id DESC`, [deviceId]);
  }

  /** Of all devices, the newest key of each kind. @param page.before the last id of the page before */
  async newest(
    tx: EntityManager,
    actor: Actor,
    { rotationAsked }: { rotationAsked?: boolean | undefined },
    page: { before: string | null; limit: number },
  ): Promise<KeyOnDevice[]> {
    const devices = tx.createQueryBuilder(Device, 'device').select('device.id', 'id');
    keepWithin(devices, actor, 'device');
    const [within, parameters]: [string, unknown[]] = devices.getQueryAndParameters();
    const place = (number: number): string => `$${parameters.length + number}`;
    return queryRows<KeyOnDevice>(
      tx,
      `SELECT kept.*, d.asset_tag AS "assetTag" FROM (${KEPT}) kept JOIN devices d ON d.id = kept."deviceId"
       WHERE kept."isNewest" AND d.id IN (${within}) AND (${place(1)}::uuid IS NULL OR kept.id < ${place(1)})
         AND (${place(2)}::boolean IS NULL OR (kept."rotationAskedAt" IS NOT NULL) = ${place(2)})
       ORDER BY kept.id DESC LIMIT ${place(3)}`,
      [...parameters, page.before, rotationAsked ?? null, page.limit],
    );
  }

  /** In the order of their ids. @throws Problem `not-found` when one isn't there */
  async known(tx: EntityManager, ids: readonly string[]): Promise<KnownKey[]> {
    const found = await queryRows<KnownKey>(
      tx,
      `SELECT k.id, k.device_id AS "deviceId", k.protects, k.secret_id AS "secretId", d.asset_tag AS "assetTag",
         CASE WHEN p.id IS NOT NULL THEN jsonb_build_object('id', p.id, 'corporateEmail', p.corporate_email) END AS holder
       FROM recovery_keys k JOIN devices d ON d.id = k.device_id LEFT JOIN people p ON p.id = d.holder_id
       WHERE k.id = ANY($1) ORDER BY k.id`,
      [ids],
    );
    if (found.length < new Set(ids).size) throw new Problem('not-found', 'There is no such recovery key.');
    return found;
  }

  /**
   * Opens them; each is written down, and asks for another one in its place, before anybody sees it.
   *
   * @throws Problem `not-set-up` in a process that can't open them
   */
  async read(
    tx: EntityManager,
    actor: Actor,
    keys: readonly KnownKey[],
    { reason, approvalId }: { reason: string; approvalId?: string },
  ): Promise<ReadKey[]> {
    const read: ReadKey[] = [];
    for (const known of keys) {
      const { id, deviceId, secretId } = known;
      read.push({ ...known, key: await this.vault.open(tx, secretId) });
      await tx.insert(RecoveryKeyReveal, {
        id: newId(),
        recoveryKeyId: id,
        reason,
        revealedBy: actor.name,
        revealedById: actor.id,
        approvalId: approvalId ?? null,
      });
      await tx.query(
        `INSERT INTO recovery_key_rotations (recovery_key_id, because) VALUES ($1, 'revealed') ON CONFLICT DO NOTHING`,
        [id],
      );
      await this.audit.record(tx, actor, 'recovery-key.revealed', {
        subject: { kind: 'device', id: deviceId },
        facts: { recoveryKeyId: id },
        personal: { reason },
        ...(approvalId !== undefined && { approvalId }),
      });
    }
    return read;
  }

  private async requireDevice(tx: EntityManager, actor: Actor, deviceId: string): Promise<void> {
    await requireWithin(tx, actor, 'device', deviceId);
    if (await tx.existsBy(Device, { id: deviceId })) return;
    throw new Problem('not-found', 'There is no device with this id.');
  }
}

const KEPT = `
  SELECT k.id, k.protects, k.source, k.kept_by AS "keptBy", k.kept_at AS "keptAt", k.device_id AS "deviceId",
    k.format, k.proved_at AS "provedAt",
    (SELECT max(r.revealed_at) FROM recovery_key_reveals r WHERE r.recovery_key_id = k.id) AS "revealedAt",
    n.id IS NULL AS "isNewest",
    CASE WHEN n.id IS NULL THEN t.asked_at END AS "rotationAskedAt",
    CASE WHEN n.id IS NULL THEN t.because END AS "rotationAskedBecause"
  FROM recovery_keys k
  LEFT JOIN recovery_key_rotations t ON t.recovery_key_id = k.id
  LEFT JOIN LATERAL (
    SELECT newer.id FROM recovery_keys newer
    WHERE newer.device_id = k.device_id AND newer.protects = k.protects AND newer.id > k.id LIMIT 1) n ON true`;
