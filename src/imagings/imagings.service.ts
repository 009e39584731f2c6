import { Injectable } from '@nestjs/common';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { DevicesService } from '../devices/devices.service.js';
import { ImageMedia } from '../images/image-media.service.js';
import { ImageVersions } from '../images/image-versions.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin, requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DeviceImaging, type ImagingCheck } from './device-imaging.entity.js';

export interface NewImaging {
  imageVersionId: string;
  mediumId: string | null;
  verified: ImagingCheck;
  /** Null: now. */
  imagedAt: Date | null;
}

interface ListPage {
  before: string | null;
  limit: number;
}

/** The only writer of `device_imagings`. */
@Injectable()
export class Imagings {
  constructor(
    private readonly devices: DevicesService,
    private readonly versions: ImageVersions,
    private readonly media: ImageMedia,
    private readonly audit: AuditService,
  ) {}

  /**
   * What happened is recorded, whatever became of the image since. From then on the device has this version, unless it was
   * imaged again after that.
   * @throws Problem `not-found`; `invalid-request` for another image's stick, or a time to come
   */
  async record(tx: EntityManager, actor: Actor, deviceId: string, want: NewImaging): Promise<DeviceImaging> {
    await requireWithin(tx, actor, 'held device', deviceId);
    const device = await this.devices.lock(tx, deviceId);
    const version = await this.versions.get(tx, want.imageVersionId).catch(refuse('/imageVersionId'));
    if (want.mediumId !== null) {
      const medium = await this.media.get(tx, want.mediumId).catch(refuse('/mediumId'));
      if (medium.imageVersionId !== version.id) throw wrong('/mediumId', 'There is another image on this stick.');
    }
    const [when] = await queryRows<{ at: Date; future: boolean; isNewest: boolean }>(
      tx,
      `SELECT at, at > now() + interval '5 minutes' AS future,
         NOT EXISTS (SELECT FROM device_imagings WHERE device_id = $2 AND imaged_at > at) AS "isNewest"
       FROM (SELECT COALESCE($1::timestamptz, now()) AS at) asked`,
      [want.imagedAt, deviceId],
    );
    if (!when || when.future) throw wrong('/imagedAt', 'No machine was imaged in the future: look at that clock.');
    const id = newId();
    await tx.insert(DeviceImaging, { ...want, id, deviceId, imagedAt: when.at, imagedBy: actor.name });
    await this.audit.record(tx, actor, 'device.imaged', {
      subject: { kind: 'device', id: deviceId },
      facts: {
        imagingId: id,
        imageVersionId: version.id,
        image: version.image,
        version: version.version,
        mediumId: want.mediumId,
        verified: want.verified,
        imagedAt: when.at.toISOString(),
      },
    });
    if (when.isNewest && device.imageVersionId !== version.id) {
      await this.devices.update(tx, actor, deviceId, { imageVersionId: version.id }, device.version);
    }
    return tx.findOneByOrFail(DeviceImaging, { id });
  }

  /** Newest record first. */
  async ofDevice(tx: EntityManager, actor: Actor, deviceId: string, page: ListPage): Promise<DeviceImaging[]> {
    await requireWithin(tx, actor, 'device', deviceId);
    await this.devices.get(tx, deviceId);
    return this.listed(tx, page, (query) => query.where('imaging.device_id = :deviceId', { deviceId }));
  }

  /** Of the devices within the actor's reach; newest record first. */
  async ofVersion(tx: EntityManager, actor: Actor, versionId: string, page: ListPage): Promise<DeviceImaging[]> {
    await this.versions.get(tx, versionId);
    const within = tx.createQueryBuilder().select('device.id', 'id').from('devices', 'device');
    keepWithin(within, actor, 'device');
    return this.listed(tx, page, (query) =>
      query
        .where('imaging.image_version_id = :versionId', { versionId })
        .andWhere(`imaging.device_id IN (${within.getQuery()})`, within.getParameters()),
    );
  }

  private async listed(
    tx: EntityManager,
    { before, limit }: ListPage,
    chosen: (query: SelectQueryBuilder<DeviceImaging>) => SelectQueryBuilder<DeviceImaging>,
  ): Promise<DeviceImaging[]> {
    const query = chosen(tx.createQueryBuilder(DeviceImaging, 'imaging')).orderBy('imaging.id', 'DESC').limit(limit);
    if (before) query.andWhere('imaging.id < :before', { before });
    return query.getMany();
  }
}

function refuse(pointer: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Problem ? wrong(pointer, error.message) : error;
  };
}

function wrong(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer, detail }]);
}
