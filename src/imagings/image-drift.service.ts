import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { driftOf, reportsOf, type DriftFinding, type ImageFacts, type VersionFacts } from './image-drift.js';
import type { PackageCounts } from './package-drift.js';

export interface DriftingDevice extends ImageFacts {
  deviceId: string;
  assetTag: string;
  holderId: string | null;
  findings: DriftFinding[];
}

export interface DriftFilter {
  finding?: DriftFinding;
  imageId?: string;
  deviceId?: string;
}

/** Devices that are looked at in one statement. */
const BATCH = 1_000;

/** Holds what machines report against what they were imaged with, and that against the standard. */
@Injectable()
export class ImageDrift {
  /** The devices with a finding, by id; those that are in use, within the actor's reach. */
  async list(
    tx: EntityManager,
    actor: Actor,
    { finding, ...chosen }: DriftFilter,
    { after, limit }: { after: string | null; limit: number },
  ): Promise<DriftingDevice[]> {
    const known = { versions: await this.versionsByReport(tx), pinning: await this.pinning(tx) };
    const drifting: DriftingDevice[] = [];
    for (let last = after; drifting.length < limit;) {
      const batch = await this.facts(tx, actor, known, chosen, last);
      for (const device of batch) {
        const findings = driftOf(device);
        const isWanted = finding === undefined ? findings.length > 0 : findings.includes(finding);
        if (isWanted && drifting.length < limit) drifting.push({ ...device, findings });
      }
      last = batch.at(-1)?.deviceId ?? null;
      if (batch.length < BATCH) break;
    }
    return drifting;
  }

  /** Every version, under each way in which a machine may report it. */
  private async versionsByReport(tx: EntityManager): Promise<Map<string, VersionFacts>> {
    const versions = await queryRows<VersionFacts>(
      tx,
      `SELECT ${VERSION_COLUMNS} FROM image_versions v JOIN images i ON i.id = v.image_id ORDER BY v.id DESC`,
    );
    return new Map(versions.flatMap((version) => reportsOf(version).map((report) => [report, version])));
  }

  /** The versions whose manifest names packages. */
  private async pinning(tx: EntityManager): Promise<Set<string>> {
    const versions = await queryRows<{ id: string }>(
      tx,
      `SELECT id FROM image_versions WHERE jsonb_path_exists(manifest, '$.inputs[*].list')`,
    );
    return new Set(versions.map(({ id }) => id));
  }

  private async facts(
    tx: EntityManager,
    actor: Actor,
    { versions, pinning }: { versions: ReadonlyMap<string, VersionFacts>; pinning: ReadonlySet<string> },
    { imageId, deviceId }: Omit<DriftFilter, 'finding'>,
    after: string | null,
  ): Promise<Omit<DriftingDevice, 'findings'>[]> {
    const chosen = tx
      .createQueryBuilder()
      .select('device.id', 'id')
      .addSelect('device.asset_tag', 'asset_tag')
      .addSelect('device.holder_id', 'holder_id')
      .addSelect('device.image_version_id', 'image_version_id')
      .from('devices', 'device')
      .where(`device.state NOT IN ('retired', 'disposed')`)
      .orderBy('device.id')
      .limit(BATCH);
    keepWithin(chosen, actor, 'device');
    if (after) chosen.andWhere('device.id > :after', { after });
    if (deviceId) chosen.andWhere('device.id = :deviceId', { deviceId });
    if (imageId) {
      const ofImage = 'SELECT id FROM image_versions WHERE image_id = :imageId';
      chosen.andWhere(`device.image_version_id IN (${ofImage})`, { imageId });
    }
    const [sql, parameters] = chosen.getQueryAndParameters();
    const rows = await queryRows<FactsRow>(
      tx,
      `SELECT ${COLUMNS} FROM (${sql}) AS device ORDER BY device.id`,
      parameters,
    );
    return rows.map(({ recorded, standard, reported, imagedAt, told, counts, ...device }) => ({
      ...device,
      recorded,
      standard,
      reported: reported && { value: reported.value, observedAt: new Date(reported.observedAt) },
      reportedVersion: (reported && versions.get(reported.value)) ?? null,
      imagedAt,
      packages:
        recorded !== null && pinning.has(recorded.id)
          ? { told: told && { ...told, observedAt: new Date(told.observedAt) }, counts }
          : null,
    }));
  }
}

/** Of the version `v` and its image `i`. */
const VERSION_COLUMNS = `v.id, i.name AS image, v.version, v.channel`;

interface FactsRow {
  deviceId: string;
  assetTag: string;
  holderId: string | null;
  recorded: VersionFacts | null;
  standard: Pick<VersionFacts, 'id' | 'version'> | null;
  reported: { value: string; observedAt: string } | null;
  imagedAt: Date | null;
  told: { observedAt: string; ageSeconds: number } | null;
  counts: PackageCounts | null;
}

const NEWEST_REPORT = `FROM device_observations o WHERE o.device_id = device.id AND o.kind = 'image_version'
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1`;

const COLUMNS = `
  device.id AS "deviceId", device.asset_tag AS "assetTag", device.holder_id AS "holderId",
  (SELECT to_jsonb(r) FROM (SELECT ${VERSION_COLUMNS} FROM image_versions v JOIN images i ON i.id = v.image_id
    WHERE v.id = device.image_version_id) r) AS recorded,
  (SELECT jsonb_build_object('id', c.id, 'version', c.version) FROM image_versions v
    JOIN image_versions c ON c.image_id = v.image_id AND c.architecture = v.architecture AND c.channel = 'current'
    WHERE v.id = device.image_version_id) AS standard,
  (SELECT jsonb_build_object('value', o.value, 'observedAt', o.observed_at) ${NEWEST_REPORT}) AS reported,
  (SELECT max(m.imaged_at) FROM device_imagings m WHERE m.device_id = device.id) AS "imagedAt",
  (SELECT jsonb_build_object('observedAt', p.observed_at, 'ageSeconds', extract(epoch FROM now() - p.observed_at)::float8)
    FROM device_packages p WHERE p.device_id = device.id) AS told,
  (SELECT jsonb_build_object('missing', c.missing, 'otherVersion', c.other_version, 'extra', c.extra)
    FROM device_package_comparisons c JOIN device_packages p ON p.device_id = c.device_id AND p.observed_at = c.observed_at
    WHERE c.device_id = device.id AND c.image_version_id = device.image_version_id) AS counts`;
