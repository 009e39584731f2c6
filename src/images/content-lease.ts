import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { newId } from '../platform/ids/new-id.js';

/** Seconds for which somebody who can't be heard any more keeps a content to themselves. */
const LEASE = 60;

/** Milliseconds between two renewals. */
const RENEWAL = 5_000;

/** Milliseconds without a renewal after which its holder stops: well before somebody else may begin. */
const PATIENCE = 45_000;

/** Lets one piece of work at a time have the content of a version: writing, checking or deleting it. */
export class ContentLease {
  /** What `lease_owner` says while it is held: what the work writes, it writes where that still stands. */
  readonly owner = newId();
  /** By `performance.now()`. */
  private renewedAt = performance.now();

  constructor(private readonly versionId: string) {}

  /** In the transaction that locked the row and saw that nobody else has it. */
  async take(tx: EntityManager): Promise<void> {
    this.renewedAt = performance.now();
    await tx.query(
      `UPDATE image_contents SET lease_owner = $2, lease_until = now() + make_interval(secs => $3) WHERE version_id = $1`,
      [this.versionId, this.owner, LEASE],
    );
  }

  /**
   * Renews it, however long the work takes, and gives it back at the end, however that is.
   * @param work has to stop at once when its signal fires: somebody else has the content, or soon may
   */
  async during<T>(db: DataSource, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const lost = new AbortController();
    let renewing: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      if (performance.now() - this.renewedAt > PATIENCE) lost.abort(new Error('the database could not be asked'));
      renewing = renewing.then(() => this.renew(db, lost));
    }, RENEWAL);
    try {
      return await work(lost.signal);
    } finally {
      clearInterval(timer);
      await renewing;
      await this.giveBack(db);
    }
  }

  private async renew(db: DataSource, lost: AbortController): Promise<void> {
    const askedAt = performance.now();
    const renewed = await queryRows(
      db,
      `UPDATE image_contents SET lease_until = now() + make_interval(secs => $3)
       WHERE version_id = $1 AND lease_owner = $2 RETURNING version_id`,
      [this.versionId, this.owner, LEASE],
    ).catch(() => null);
    if (renewed === null) return;
    if (renewed.length === 0) lost.abort(new Error('somebody else has taken the content over'));
    else this.renewedAt = askedAt;
  }

  private async giveBack(db: DataSource): Promise<void> {
    await db
      .query(
        `UPDATE image_contents SET lease_owner = NULL, lease_until = NULL WHERE version_id = $1 AND lease_owner = $2`,
        [this.versionId, this.owner],
      )
      // It ends by itself.
      .catch(() => undefined);
  }
}
