import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { ImageMedia, type NewMedium } from '../images/image-media.service.js';
import type { ImageMedium } from '../images/image-medium.entity.js';
import { ImageVersions, type ImageVersionDetails } from '../images/image-versions.service.js';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { reportsOf } from './image-drift.js';

/** A machine that has a version by its record, or that told so itself last. */
export interface CarryingDevice {
  id: string;
  assetTag: string;
  serial: string;
  holderId: string | null;
  recorded: boolean;
  reported: boolean;
}

export interface Withdrawn {
  version: ImageVersionDetails;
  media: ImageMedium[];
  deviceCount: number;
  /** The first ones. */
  devices: CarryingDevice[];
}

/** Machines that the answer to a withdrawal lists; a list of its own has them all. */
const FIRST = 200;

const NEWEST_REPORT = `(SELECT o.value FROM device_observations o WHERE o.device_id = device.id AND o.kind = 'image_version'
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1)`;

/** What carries an image version, above all once it is withdrawn. */
@Injectable()
export class ImageCarriers {
  constructor(
    private readonly versions: ImageVersions,
    private readonly media: ImageMedia,
    private readonly alerts: AlertsService,
  ) {}

  /** Withdraws a version, and tells people what carries it. Again it changes nothing, and tells what carries it now. */
  async withdraw(tx: EntityManager, actor: Actor, id: string, reason: string): Promise<Withdrawn> {
    const version = await this.versions.withdraw(tx, actor, id, reason);
    const media = await this.media.carrying(tx, id);
    const devices = await this.devices(tx, actor, version, { after: null, limit: FIRST });
    const deviceCount = devices.length < FIRST ? devices.length : await this.count(tx, version);
    if (media.length + deviceCount > 0) {
      await this.alerts.raise(tx, {
        dedupKey: alertKey(id),
        kind: 'image_withdrawn',
        severity: 'error',
        owner: 'it',
        message: sentence(version, media, deviceCount),
      });
    }
    await this.settle(tx, id);
    return { version, media, deviceCount, devices };
  }

  /** A stick is going to be written: what was on it isn't from then on. */
  async beginMedium(tx: EntityManager, actor: Actor, want: NewMedium): Promise<ImageMedium> {
    const [before] = await this.media.list(tx, { serial: want.serial }, { before: null, limit: 1 });
    const medium = await this.media.begin(tx, actor, want);
    if (before) await this.settle(tx, before.imageVersionId);
    return medium;
  }

  /** Something carries this version no more: the alert about it is over once nothing does. */
  async settle(tx: EntityManager, versionId: string): Promise<void> {
    const version = await this.versions.get(tx, versionId);
    if (version.channel !== 'withdrawn') return;
    const media = await this.media.carrying(tx, versionId);
    const deviceCount = await this.count(tx, version);
    if (media.length + deviceCount === 0) await this.alerts.resolve(tx, [alertKey(versionId)]);
    else await this.alerts.reword(tx, alertKey(versionId), sentence(version, media, deviceCount));
  }

  /** By id, those within the actor's reach that are in use. */
  async devices(
    tx: EntityManager,
    actor: Actor,
    version: Pick<ImageVersionDetails, 'id' | 'image' | 'version'>,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<CarryingDevice[]> {
    const query = this.carrying(tx, version)
      .select('device.id', 'id')
      .addSelect('device.asset_tag', 'assetTag')
      .addSelect('device.serial', 'serial')
      .addSelect('device.holder_id', 'holderId')
      .addSelect('COALESCE(device.image_version_id = :versionId, false)', 'recorded')
      .addSelect(`COALESCE(${NEWEST_REPORT} IN (:...reports), false)`, 'reported')
      .orderBy('device.id')
      .limit(limit);
    keepWithin(query, actor, 'device');
    if (after) query.andWhere('device.id > :after', { after });
    return query.getRawMany<CarryingDevice>();
  }

  private async count(tx: EntityManager, version: ImageVersionDetails): Promise<number> {
    const row = await this.carrying(tx, version).select('count(*)::int', 'count').getRawOne<{ count: number }>();
    return row?.count ?? 0;
  }

  private carrying(tx: EntityManager, version: Pick<ImageVersionDetails, 'id' | 'image' | 'version'>) {
    return tx
      .createQueryBuilder()
      .from('devices', 'device')
      .where(`device.state NOT IN ('retired', 'disposed')`)
      .andWhere(`(device.image_version_id = :versionId OR ${NEWEST_REPORT} IN (:...reports))`, {
        versionId: version.id,
        reports: reportsOf(version),
      });
  }
}

function alertKey(versionId: string): string {
  return `image_withdrawn:${versionId}`;
}

function sentence(version: ImageVersionDetails, media: readonly ImageMedium[], deviceCount: number): string {
  const name = `${version.image} ${version.version}`;
  const sticks = media.length === 1 ? '1 stick' : `${media.length} sticks`;
  const machines = deviceCount === 1 ? '1 machine' : `${deviceCount} machines`;
  const serials = media.length > 0 ? ` The sticks: ${media.map(({ serial }) => serial).join(', ')}.` : '';
  const told = `The image ${name} was withdrawn (${version.withdrawalReason}). ${sticks} and ${machines} carry it.${serials}`;
  return told.length > 1_000 ? `${told.slice(0, 1_000)}…` : told;
}
