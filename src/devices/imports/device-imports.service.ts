import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { Problem } from '../../platform/errors/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { DevicesService } from '../devices.service.js';
import { DeviceImport } from './device-import.entity.js';
import {
  LINE_OUTCOMES,
  planImport,
  type KnownDevice,
  type KnownThings,
  type PlannedLine,
  type Wanted,
} from './plan-import.js';
import { readDeviceCsv, type CsvLine } from './read-device-csv.js';

/** Bytes. */
export const IMPORT_LIMIT = 1024 * 1024;

export type Counts = Record<(typeof LINE_OUTCOMES)[number], number>;

/** The only writer of `device_imports`: devices that come from a file, shown first and then all of them or none. */
@Injectable()
export class DeviceImports {
  constructor(
    private readonly devices: DevicesService,
    private readonly audit: AuditService,
  ) {}

  /** What the file would do, line by line; it does nothing yet. @throws Problem `invalid-request`, `too-large` */
  async preview(tx: EntityManager, actor: Actor, content: Buffer): Promise<DeviceImport> {
    if (content.length > IMPORT_LIMIT) throw importTooLarge();
    const read = readDeviceCsv(content);
    const lines = planImport(read, await thingsNamedIn(tx, read, ''));
    const id = newId();
    const sha256 = createHash('sha256').update(content).digest('hex');
    await tx.query(`INSERT INTO device_imports (id, sha256, lines, made_by) VALUES ($1, $2, $3, $4)`, [
      id,
      sha256,
      JSON.stringify(lines),
      actor.name,
    ]);
    await this.audit.record(tx, actor, 'device-import.previewed', {
      subject: { kind: 'device-import', id },
      facts: { sha256, ...countsOf(lines) },
    });
    return this.get(tx, id);
  }

  /**
   * Does what was shown, all of it or nothing.
   * @throws Problem `not-found`; `conflict` when a line has an error, anything changed since it was shown, or it was applied
   */
  async apply(tx: EntityManager, actor: Actor, id: string): Promise<DeviceImport> {
    const found = await tx.findOne(DeviceImport, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!found) throw unknown();
    if (found.appliedAt) throw new Problem('conflict', `${found.appliedBy} applied this before. Nothing was changed.`);
    const wrong = found.lines.filter(({ outcome }) => outcome === 'error').map(({ line }) => line);
    if (wrong.length > 0) {
      const detail = `Line ${wrong.slice(0, 20).join(', ')} can’t be imported. Correct the file and send it again; nothing was changed.`;
      throw new Problem('conflict', detail);
    }
    const shown = found.lines.map(({ line, cells }) => ({ line, cells, isAskew: false }));
    const now = planImport(shown, await thingsNamedIn(tx, shown, 'ORDER BY d.id FOR UPDATE OF d'));
    if (!isDeepStrictEqual(now, found.lines)) {
      throw new Problem(
        'conflict',
        'Something changed since this was shown. Send the file again and look; nothing was changed.',
      );
    }
    for (const { outcome, serial, deviceId, version, change } of found.lines) {
      if (outcome === 'create') await this.devices.create(tx, actor, { ...(change as Wanted), serial });
      if (outcome === 'change' && deviceId !== null && version !== null) {
        const { state, ...fields } = change;
        await this.devices.update(tx, actor, deviceId, { ...fields, ...(state === 'in_stock' && { state }) }, version);
      }
    }
    await tx.update(DeviceImport, { id }, { appliedBy: actor.name, appliedAt: () => 'now()' });
    await this.audit.record(tx, actor, 'device-import.applied', {
      subject: { kind: 'device-import', id },
      facts: { sha256: found.sha256, ...countsOf(found.lines) },
    });
    return this.get(tx, id);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<DeviceImport> {
    const found = await tx.findOneBy(DeviceImport, { id });
    if (!found) throw unknown();
    return found;
  }
}

export function countsOf(lines: readonly PlannedLine[]): Counts {
  return Object.fromEntries(
    LINE_OUTCOMES.map((outcome) => [outcome, lines.filter((line) => line.outcome === outcome).length]),
  ) as Counts;
}

export function importTooLarge(): Problem {
  return new Problem('too-large', `A file may have ${IMPORT_LIMIT / 1024 / 1024} MiB at most. Divide it.`);
}

/** @param locking what follows the query of devices */
async function thingsNamedIn(
  tx: EntityManager,
  lines: readonly Pick<CsvLine, 'cells'>[],
  locking: string,
): Promise<KnownThings> {
  const all = (column: keyof CsvLine['cells']): string[] => [
    ...new Set(lines.map(({ cells }) => cells[column] ?? '').filter((value) => value !== '')),
  ];
  const devices = await queryRows<KnownDevice>(
    tx,
    `SELECT d.id, d.serial, d.asset_tag AS "assetTag", d.version, d.model_id AS "modelId", d.site_id AS "siteId", d.state,
       d.purchased_on::text AS "purchasedOn", d.warranty_until::text AS "warrantyUntil"
     FROM devices d WHERE d.serial = ANY ($1) OR d.asset_tag = ANY ($2) ${locking}`,
    [all('serial'), all('asset_tag')],
  );
  return {
    bySerial: new Map(devices.map((device) => [device.serial, device])),
    byTag: new Map(devices.map((device) => [device.assetTag, device])),
    models: await idsByName(tx, 'device_models', all('model')),
    sites: await idsByName(tx, 'sites', all('site')),
  };
}

async function idsByName(
  tx: EntityManager,
  table: 'device_models' | 'sites',
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queryRows<{ id: string; name: string }>(
    tx,
    `SELECT id, name FROM ${table} WHERE name = ANY ($1)`,
    [names],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}

function unknown(): Problem {
  return new Problem('not-found', 'There is no import with this id.');
}
