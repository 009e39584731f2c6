import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { Departures } from '../devices/departures.service.js';
import type { DeviceState } from '../devices/device-states.js';
import { DevicesService } from '../devices/devices.service.js';
import { ObservationsService } from '../devices/observations.service.js';
import type { ReportingEnd } from '../devices/reporting-ends.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { newId } from '../platform/ids/new-id.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../platform/sign-in/secret-token.js';
import { DeviceToken } from './device-token.entity.js';

/** The device that speaks. */
export interface Sender {
  deviceId: string;
  tokenId: string;
  assetTag: string;
  state: DeviceState;
}

/** Why nobody speaks. `ended`: by a version that didn't say why. */
export type Unheard = 'unknown' | 'other machine' | 'ended' | ReportingEnd;

const MISSED: readonly DeviceState[] = ['lost', 'stolen'];
const ONLINE = { kind: 'last_online', value: 'its reporter asked', source: 'reporter' } as const;

/** The only writer of `device_tokens`. */
@Injectable()
export class DeviceTokens {
  constructor(
    private readonly devices: DevicesService,
    private readonly observations: ObservationsService,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
    departures: Departures,
  ) {
    departures.listen((tx, actor, { deviceId, because }) => this.endLive(tx, actor, deviceId, because));
  }

  /** Shown this once; the one before opens nothing any more. @throws Problem `not-found` */
  async create(tx: EntityManager, actor: Actor, deviceId: string): Promise<string> {
    await requireWithin(tx, actor, 'held device', deviceId);
    await this.devices.lock(tx, deviceId);
    await tx.query(
      `UPDATE device_tokens SET ended_at = now(), ended_because = 'replaced' WHERE device_id = $1 AND ended_at IS NULL`,
      [deviceId],
    );
    const [id, token] = [newId(), newSecretToken()];
    await tx.insert(DeviceToken, { id, deviceId, tokenHash: hashToken(token), madeBy: actor.name });
    await this.alerts.resolve(tx, [copiedKey(deviceId)]);
    await this.audit.record(tx, actor, 'device-token.created', {
      subject: { kind: 'device', id: deviceId },
      facts: { tokenId: id },
    });
    return token;
  }

  /** It opens nothing from now on. Without one nothing happens. @throws Problem `not-found` */
  async end(tx: EntityManager, actor: Actor, deviceId: string): Promise<void> {
    await requireWithin(tx, actor, 'held device', deviceId);
    await this.devices.lock(tx, deviceId);
    await this.endLive(tx, actor, deviceId, 'withdrawn');
  }

  /** The newest one, ended or not; null: there was never one. @throws Problem `not-found` */
  async newest(tx: EntityManager, actor: Actor, deviceId: string): Promise<DeviceToken | null> {
    await requireWithin(tx, actor, 'device', deviceId);
    await this.devices.get(tx, deviceId);
    return tx.findOne(DeviceToken, { where: { deviceId }, order: { id: 'DESC' } });
  }

  private async endLive(tx: EntityManager, actor: Actor, deviceId: string, because: ReportingEnd): Promise<void> {
    const [ended] = await queryRows<{ id: string }>(
      tx,
      `UPDATE device_tokens SET ended_at = now(), ended_because = $2
       WHERE device_id = $1 AND ended_at IS NULL RETURNING id`,
      [deviceId, because],
    );
    if (!ended) return;
    await this.alerts.resolve(tx, [copiedKey(deviceId)]);
    await this.audit.record(tx, actor, 'device-token.ended', {
      subject: { kind: 'device', id: deviceId },
      facts: { tokenId: ended.id, because },
    });
  }

  /**
   * Whose token it is. A machine with another serial number than the device's shows a token that was copied: it speaks
   * for nobody, and somebody is told.
   */
  async senderOf(tx: EntityManager, token: string, serial: string): Promise<Sender | Unheard> {
    const [known] = await queryRows<Sender & { serial: string; isEnded: boolean; endedBecause: ReportingEnd | null }>(
      tx,
      `SELECT t.device_id AS "deviceId", t.id AS "tokenId", d.asset_tag AS "assetTag", d.state, d.serial,
         t.ended_at IS NOT NULL AS "isEnded", t.ended_because AS "endedBecause"
       FROM device_tokens t JOIN devices d ON d.id = t.device_id WHERE t.token_hash = $1`,
      [hashToken(token)],
    );
    if (!known) return 'unknown';
    const { serial: own, isEnded, endedBecause, ...sender } = known;
    if (isEnded) return endedBecause ?? 'ended';
    if (serial !== own) {
      await this.tellOfCopy(tx, sender, serial);
      return 'other machine';
    }
    const [used] = await queryRows<{ observedAt: Date }>(
      tx,
      `UPDATE device_tokens SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
       RETURNING last_used_at AS "observedAt"`,
      [sender.tokenId],
    );
    // A lost machine is watched for: whatever it asks, and whatever time it thinks it is, it is in use.
    if (used && MISSED.includes(sender.state))
      await this.observations.takeIn(tx, sender.deviceId, [{ ...ONLINE, ...used }]);
    return sender;
  }

  private async tellOfCopy(tx: EntityManager, { deviceId, assetTag }: Sender, serial: string): Promise<void> {
    await this.alerts.raise(tx, {
      dedupKey: copiedKey(deviceId),
      kind: 'device_duplicate',
      severity: 'warning',
      owner: 'it-admins',
      message:
        `A machine that calls itself by the serial number “${serial}” shows the token of ${assetTag}: it was copied, as with an ` +
        `image that was made of a machine. It was refused. Make a new token for ${assetTag}: the copies open nothing then.`,
    });
  }
}

function copiedKey(deviceId: string): string {
  return `device_duplicate:token:${deviceId}`;
}
