import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import { shelfAt, type LogShelf } from './log-shelf.js';
import { publishLog } from './publish-log.js';

/** Seconds for which one process publishes at a place before another may take over from it. */
const LEASE = 60;

/** Another publisher took the place over: it goes on where this one stopped. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface PublicationFailure {
  target: string;
  error: unknown;
  /** For so many seconds nothing has been published there. */
  failingFor: number;
}

/** Publishes the audit log at every place that is configured, by one process at a time. */
@Injectable()
export class Publisher {
  private readonly shelves: ReadonlyMap<string, LogShelf>;

  constructor(
    private readonly db: DataSource,
    config: Config,
  ) {
    this.shelves = new Map(config.auditPublishTo.map((target) => [target, shelfAt(target, config.awsRegion)]));
  }

  /**
   * Goes to each place where something is missing; they are independent of each other. An outage is made up for by a later
   * round.
   * @returns where it went well, and where not
   */
  async publish(): Promise<{ published: string[]; failures: PublicationFailure[] }> {
    const published: string[] = [];
    const failures: PublicationFailure[] = [];
    await Promise.all(
      [...this.shelves].map(async ([target, shelf]) => {
        try {
          if (await this.publishAt(target, shelf)) published.push(target);
        } catch (error) {
          if (error instanceof LeaseLost) return;
          failures.push({ target, error, failingFor: await this.noteFailure(target, error) });
        }
      }),
    );
    return { published, failures };
  }

  /** @returns false where there is nothing to do, or another process does it */
  private async publishAt(target: string, shelf: LogShelf): Promise<boolean> {
    const owner = newId();
    const taken = await queryRows(
      this.db,
      `INSERT INTO audit_publications AS p (target, lease_owner, lease_until)
       SELECT $1, $2, clock_timestamp() + make_interval(secs => $3) FROM audit_log
       WHERE audit_log.size <> COALESCE((SELECT size FROM audit_publications WHERE target = $1 AND problem IS NULL), 0)
         OR EXISTS (SELECT FROM audit_publications there WHERE there.target = $1
           AND there.cosignatures < (SELECT count(*) FROM audit_cosignatures s WHERE s.size = there.size))
       ON CONFLICT (target) DO UPDATE SET lease_owner = $2, lease_until = EXCLUDED.lease_until
         WHERE p.lease_until IS NULL OR p.lease_until < clock_timestamp() RETURNING target`,
      [target, owner, LEASE],
    );
    if (taken.length === 0) return false;
    try {
      const { size, cosignatures } = await publishLog(this.db, shelf, () => this.keepLease(target, owner));
      await this.db.query(
        `UPDATE audit_publications SET size = $2, cosignatures = $3, published_at = clock_timestamp(), problem = NULL,
           failing_since = NULL WHERE target = $1`,
        [target, size, cosignatures],
      );
      return true;
    } finally {
      await this.db.query(
        `UPDATE audit_publications SET lease_owner = NULL, lease_until = NULL WHERE target = $1 AND lease_owner = $2`,
        [target, owner],
      );
    }
  }

  private async keepLease(target: string, owner: string): Promise<void> {
    const kept = await queryRows(
      this.db,
      `UPDATE audit_publications SET lease_until = clock_timestamp() + make_interval(secs => $3)
       WHERE target = $1 AND lease_owner = $2 RETURNING target`,
      [target, owner, LEASE],
    );
    if (kept.length === 0) throw new LeaseLost();
  }

  private async noteFailure(target: string, error: unknown): Promise<number> {
    const [row] = await queryRows<{ seconds: number }>(
      this.db,
      `UPDATE audit_publications SET failing_since = COALESCE(failing_since, clock_timestamp()), problem = $2
       WHERE target = $1 RETURNING EXTRACT(EPOCH FROM clock_timestamp() - failing_since)::float8 AS seconds`,
      [target, problemOf(error)],
    );
    return row?.seconds ?? 0;
  }
}

/** What people read: never a provider's whole answer. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return (error.name === 'Error' ? error.message : `${error.name}: ${error.message}`).slice(0, 300);
}
