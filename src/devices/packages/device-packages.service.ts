import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { DevicePackages, type Package } from './device-packages.entity.js';

/** The only writer of `device_packages`. */
@Injectable()
export class DevicePackagesService {
  /** Takes the place of an older list; one that is older than what is there changes nothing. */
  async replace(
    tx: EntityManager,
    deviceId: string,
    { packages, source, observedAt }: { packages: readonly Package[]; source: string; observedAt: Date },
  ): Promise<void> {
    const byName = packages.toSorted((a, b) => order(a.name, b.name) || order(a.version, b.version));
    await tx.query(
      `INSERT INTO device_packages AS kept (device_id, packages, source, observed_at)
       VALUES ($1, $2, $3, LEAST($4::timestamptz, now()))
       ON CONFLICT (device_id) DO UPDATE SET packages = EXCLUDED.packages, source = EXCLUDED.source,
         observed_at = EXCLUDED.observed_at, recorded_at = now()
       WHERE kept.observed_at <= EXCLUDED.observed_at`,
      [deviceId, JSON.stringify(byName), source, observedAt],
    );
  }

  /** Null: nobody ever told. */
  async of(tx: EntityManager, deviceId: string): Promise<DevicePackages | null> {
    return tx.findOneBy(DevicePackages, { deviceId });
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
