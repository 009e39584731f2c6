import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { comparePackages, type PackageComparison } from '../devices/packages/compare-packages.js';
import { DevicePackagesService } from '../devices/packages/device-packages.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { whyListSaysNothing, type PackagesUnknownBecause } from './package-drift.js';

/** A machine's packages against those of its image. */
interface PackageDrift {
  /** Null: nobody recorded one. */
  imageVersionId: string | null;
  /** Of the newest list; null: there is none. */
  observedAt: Date | null;
  unknownBecause: PackagesUnknownBecause | null;
  /** Null where it isn't known. */
  comparison: PackageComparison | null;
}

/** Names what a machine's packages differ in from those that its image pins. */
@Injectable()
export class PackageDrifts {
  constructor(private readonly packages: DevicePackagesService) {}

  /** @throws Problem `not-found` */
  async of(tx: EntityManager, actor: Actor, deviceId: string): Promise<PackageDrift> {
    await requireWithin(tx, actor, 'device', deviceId);
    const [device] = await queryRows<{ imagedAt: Date | null; ageSeconds: number | null }>(
      tx,
      `SELECT (SELECT max(m.imaged_at) FROM device_imagings m WHERE m.device_id = d.id) AS "imagedAt",
         (SELECT extract(epoch FROM now() - p.observed_at)::float8 FROM device_packages p WHERE p.device_id = d.id) AS "ageSeconds"
       FROM devices d WHERE d.id = $1`,
      [deviceId],
    );
    if (!device) throw new Problem('not-found', 'There is no device with this id.');
    const [pinned, told] = [await this.packages.pinnedFor(tx, deviceId), await this.packages.of(tx, deviceId)];
    const about = { imageVersionId: pinned?.imageVersionId ?? null, observedAt: told?.observedAt ?? null };
    const unknown = (unknownBecause: PackagesUnknownBecause): PackageDrift => ({
      ...about,
      unknownBecause,
      comparison: null,
    });
    if (pinned === null) return unknown('not_imaged');
    if (pinned.packages.length === 0) return unknown('nothing_pinned');
    if (told === null) return unknown('never_reported');
    const { observedAt, packages } = told;
    const why = whyListSaysNothing({ observedAt, ageSeconds: device.ageSeconds ?? 0 }, device.imagedAt);
    if (why !== null) return unknown(why);
    return { ...about, unknownBecause: null, comparison: comparePackages(pinned.packages, packages) };
  }
}
