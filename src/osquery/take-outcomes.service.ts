import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OSQUERY } from '../devices/device-observation.entity.js';
import type { DiskReport } from '../devices/encryption/judge-report.js';
import { ObservationsService, type NewObservation } from '../devices/observations.service.js';
import type { Package } from '../devices/packages/device-packages.entity.js';
import { DevicePackagesService } from '../devices/packages/device-packages.service.js';
import type { OsqueryNode } from './osquery-node.entity.js';
import type { AgentQuery } from './queries.js';
import { readDisks } from './read-disks.js';
import type { QueryOutcome } from './read-log.js';
import { readRows, type Row } from './read-rows.js';

/** Writes what an agent saw into the records of its device. */
@Injectable()
export class TakeOutcomes {
  constructor(
    private readonly observations: ObservationsService,
    private readonly packages: DevicePackagesService,
  ) {}

  /** Of a node that belongs to no device nothing is kept: nobody could say of what. */
  async take(tx: EntityManager, node: OsqueryNode, outcomes: readonly QueryOutcome[]): Promise<void> {
    if (node.deviceId === null) return;
    for (const { query, observedAt, outcome } of outcomes) {
      const seen = { source: OSQUERY, observedAt };
      if (query.subject === 'disk_encryption') {
        const report = diskReport(query, outcome, node.agentVersion);
        await this.observations.takeIn(tx, node.deviceId, [{ ...seen, kind: 'disk_encryption', report }]);
      } else if ('rows' in outcome) {
        const rows = readRows(outcome.rows).flatMap((read) => ('row' in read ? [read.row] : []));
        if (query.subject === 'packages') {
          const packages = packagesIn(rows, query.list ?? query.platform);
          // The list of another kind of Linux, which has no such packages.
          if (packages.length > 0) await this.packages.replace(tx, node.deviceId, { ...seen, packages });
        } else {
          const value = query.subject === 'image_version' ? imageIn(rows) : systemIn(rows);
          if (value !== null)
            await this.observations.takeIn(tx, node.deviceId, [valueSeen(query.subject, value, seen)]);
        }
      }
    }
  }
}

function valueSeen(
  kind: 'image_version' | 'os_version',
  value: string,
  seen: { source: string; observedAt: Date },
): NewObservation {
  return { ...seen, kind, value };
}

function diskReport({ platform }: AgentQuery, outcome: QueryOutcome['outcome'], version: string | null): DiskReport {
  if ('rows' in outcome) return readDisks(platform, readRows(outcome.rows), version);
  const agent = { name: 'osquery', platform, ...(version !== null && { version }) };
  return { agent, volumes: [], why: `the query failed: ${outcome.failed}` };
}

function packagesIn(rows: readonly Row[], list: string): Package[] {
  return rows.flatMap(({ name, version = '' }) => (name ? [{ name, version, list }] : []));
}

/** The marks of an image: IMAGE_ID and IMAGE_VERSION, as os-release(5) has them. Without both nothing is known. */
function imageIn(rows: readonly Row[]): string | null {
  const mark = (name: string): string => unquoted(rows.find((row) => row['name'] === name)?.['value'] ?? '');
  const [id, version] = [mark('IMAGE_ID'), mark('IMAGE_VERSION')];
  return id === '' || version === '' ? null : `${id} ${version}`.slice(0, 200);
}

function systemIn([row]: readonly Row[]): string | null {
  const told = [row?.['name'], row?.['version']].filter((part) => part);
  return told.length === 0 ? null : told.join(' ').slice(0, 200);
}

/** Augeas hands on the quotes of a shell's assignment. */
function unquoted(text: string): string {
  return /^(["'])(.*)\1$/.exec(text.trim())?.[2] ?? text.trim();
}
