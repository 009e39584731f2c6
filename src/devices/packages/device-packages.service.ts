import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { queryRows } from '../../platform/database/query-rows.js';
import { comparePackages, type PackageComparison, type PinnedPackage } from './compare-packages.js';
import { DevicePackages, type Package } from './device-packages.entity.js';

/** An input of a build manifest; one without a list isn't a package of the system that is built. */
const Inputs = z.array(z.object({ name: z.string(), version: z.string(), list: z.string().optional() })).catch([]);

/** The packages that the image of a device pins. */
interface Pinned {
  imageVersionId: string;
  /** Empty: its manifest names none. */
  packages: PinnedPackage[];
}

/** The only writer of `device_packages`, and of how they compare with the device's image. */
@Injectable()
export class DevicePackagesService {
  /** Takes the place of an older list; one that is older than what is there changes nothing. */
  async replace(
    tx: EntityManager,
    deviceId: string,
    { packages, source, observedAt }: { packages: readonly Package[]; source: string; observedAt: Date },
  ): Promise<void> {
    const byName = packages.toSorted((a, b) => order(a.name, b.name) || order(a.version, b.version));
    const [taken] = await queryRows(
      tx,
      `INSERT INTO device_packages AS kept (device_id, packages, source, observed_at)
       VALUES ($1, $2, $3, LEAST($4::timestamptz, now()))
       ON CONFLICT (device_id) DO UPDATE SET packages = EXCLUDED.packages, source = EXCLUDED.source,
         observed_at = EXCLUDED.observed_at, recorded_at = now()
       WHERE kept.observed_at <= EXCLUDED.observed_at RETURNING device_id`,
      [deviceId, JSON.stringify(byName), source, observedAt],
    );
    if (!taken) return;
    const pinned = await this.pinnedFor(tx, deviceId);
    if (pinned && pinned.packages.length > 0) {
      await this.noteComparison(tx, deviceId, pinned.imageVersionId, comparePackages(pinned.packages, byName));
    }
  }

  /** Null: nobody ever told. */
  async of(tx: EntityManager, deviceId: string): Promise<DevicePackages | null> {
    return tx.findOneBy(DevicePackages, { deviceId });
  }

  /** By the version that the device was given last; null: nobody recorded one. */
  async pinnedFor(tx: EntityManager, deviceId: string): Promise<Pinned | null> {
    const [image] = await queryRows<{ id: string; inputs: unknown }>(
      tx,
      `SELECT v.id, v.manifest -> 'inputs' AS inputs FROM devices d JOIN image_versions v ON v.id = d.image_version_id
       WHERE d.id = $1`,
      [deviceId],
    );
    if (!image) return null;
    const packages = Inputs.parse(image.inputs).flatMap(({ name, version, list }) =>
      list === undefined ? [] : [{ name, version, list }],
    );
    return { imageVersionId: image.id, packages };
  }

  private async noteComparison(
    tx: EntityManager,
    deviceId: string,
    imageVersionId: string,
    { missing, otherVersion, extra }: PackageComparison,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO device_package_comparisons (device_id, image_version_id, observed_at, missing, other_version, extra)
       SELECT device_id, $2, observed_at, $3, $4, $5 FROM device_packages WHERE device_id = $1
       ON CONFLICT (device_id) DO UPDATE SET image_version_id = EXCLUDED.image_version_id, observed_at = EXCLUDED.observed_at,
         missing = EXCLUDED.missing, other_version = EXCLUDED.other_version, extra = EXCLUDED.extra`,
      [deviceId, imageVersionId, missing.length, otherVersion.length, extra],
    );
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
