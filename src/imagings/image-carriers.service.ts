import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService, type NewAlert } from '../cases/alerts.service.js';
import { ImageMedia } from '../images/image-media.service.js';
import type { ImageMedium } from '../images/image-medium.entity.js';
import { ImageVersions, type ImageVersionDetails } from '../images/image-versions.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
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

interface Carriers {
  media: ImageMedium[];
  deviceCount: number;
}

export interface Withdrawn extends Carriers {
  version: ImageVersionDetails;
  /** The first ones. */
  devices: CarryingDevice[];
}

/** Machines that the answer to a withdrawal lists; a list of its own has them all. */
const FIRST = 200;

/** Any fixed number: one process at a time looks. */
const LOOK_LOCK = 7_154_882_034;

const IN_USE = `device.state NOT IN ('retired', 'disposed')`;

const NEWEST_REPORT = `(SELECT o.value FROM device_observations o WHERE o.device_id = device.id AND o.kind = 'image_version'
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1)`;

/** What carries an image version, above all once it is withdrawn. */
@Injectable()
export class ImageCarriers {
  constructor(
    private readonly db: DataSource,
    private readonly versions: ImageVersions,
    private readonly media: ImageMedia,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * Withdraws a version, and tells people what carries it. Again it changes nothing, and tells what carries it now.
   * @throws Problem `not-found`, `conflict`
   */
  async withdraw(actor: Actor, id: string, reason: string): Promise<Withdrawn> {
    const version = await inTransaction(this.db, (tx) => this.versions.withdraw(tx, actor, id, reason));
    // Beside the decision: asking the whole fleet takes a while. Where this process dies now, the next look tells.
    const carriers = await inTransaction(this.db, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock($1)`, [LOOK_LOCK]);
      return this.tell(tx);
    });
    const { media = [], deviceCount = 0 } = carriers.get(id) ?? {};
    const devices = await this.devices(this.db.manager, actor, version, { after: null, limit: FIRST });
    return { version, media, deviceCount, devices };
  }

  /** Looks what carries withdrawn versions by now: people are told of new ones, and no longer of those that are gone. */
  async look(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        LOOK_LOCK,
      ]);
      if (lock?.mine) await this.tell(tx);
    });
  }

  /** @returns of each withdrawn version that anything carries */
  private async tell(tx: EntityManager): Promise<Map<string, Carriers>> {
    const withdrawn = await this.versions.withdrawn(tx);
    const media = Map.groupBy(
      await this.media.carrying(
        tx,
        withdrawn.map(({ id }) => id),
      ),
      ({ imageVersionId }) => imageVersionId,
    );
    const counts = await this.counts(tx, withdrawn);
    const carriers = new Map<string, Carriers>();
    const alerts: NewAlert[] = [];
    for (const version of withdrawn) {
      const its = { media: media.get(version.id) ?? [], deviceCount: counts.get(version.id) ?? 0 };
      if (its.media.length + its.deviceCount === 0) continue;
      carriers.set(version.id, its);
      alerts.push({
        dedupKey: `image_withdrawn:${version.id}`,
        kind: 'image_withdrawn',
        severity: 'error',
        owner: 'it',
        message: sentence(version, its),
      });
    }
    await this.alerts.keepTo(tx, 'image_withdrawn', alerts);
    for (const { dedupKey, message } of alerts) await this.alerts.reword(tx, dedupKey, message);
    return carriers;
  }

  /** By id, those within the actor's reach that are in use. */
  async devices(
    tx: EntityManager,
    actor: Actor,
    version: Pick<ImageVersionDetails, 'id' | 'image' | 'version'>,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<CarryingDevice[]> {
    const query = tx
      .createQueryBuilder()
      .select('device.id', 'id')
      .addSelect('device.asset_tag', 'assetTag')
      .addSelect('device.serial', 'serial')
      .addSelect('device.holder_id', 'holderId')
      .addSelect('COALESCE(device.image_version_id = :versionId, false)', 'recorded')
      .addSelect(`COALESCE(${NEWEST_REPORT} IN (:...reports), false)`, 'reported')
      .from('devices', 'device')
      .where(IN_USE)
      .andWhere(`(device.image_version_id = :versionId OR ${NEWEST_REPORT} IN (:...reports))`, {
        versionId: version.id,
        reports: reportsOf(version),
      })
      .orderBy('device.id')
      .limit(limit);
    keepWithin(query, actor, 'device');
    if (after) query.andWhere('device.id > :after', { after });
    return query.getRawMany<CarryingDevice>();
  }

  /** How many machines in use carry each of these versions, where any does: the fleet is asked once for all of them. */
  private async counts(tx: EntityManager, versions: readonly ImageVersionDetails[]): Promise<Map<string, number>> {
    if (versions.length === 0) return new Map();
    const reports = versions.flatMap((version) => reportsOf(version).map((value) => ({ id: version.id, value })));
    const rows = await queryRows<{ id: string; count: number }>(
      tx,
      `SELECT carried.version_id AS id, count(*)::int AS count FROM (
         SELECT device.id, device.image_version_id AS version_id FROM devices device
         WHERE ${IN_USE} AND device.image_version_id = ANY ($1)
         UNION
         SELECT told.id, report.version_id
         FROM (SELECT device.id, ${NEWEST_REPORT} AS value FROM devices device WHERE ${IN_USE} OFFSET 0) told
         JOIN unnest($2::uuid[], $3::text[]) AS report (version_id, value) ON report.value = told.value
       ) carried GROUP BY carried.version_id`,
      [versions.map(({ id }) => id), reports.map(({ id }) => id), reports.map(({ value }) => value)],
    );
    return new Map(rows.map(({ id, count }) => [id, count]));
  }
}

function sentence(version: ImageVersionDetails, { media, deviceCount }: Carriers): string {
  const name = `${version.image} ${version.version}`;
  const sticks = media.length === 1 ? '1 stick' : `${media.length} sticks`;
  const machines = deviceCount === 1 ? '1 machine' : `${deviceCount} machines`;
  const serials = media.length > 0 ? ` The sticks: ${media.map(({ serial }) => serial).join(', ')}.` : '';
  const told = `The image ${name} was withdrawn (${version.withdrawalReason}). ${sticks} and ${machines} carry it.${serials}`;
  return told.length > 1_000 ? `${told.slice(0, 1_000)}…` : told;
}
