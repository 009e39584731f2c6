import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ContentLease } from './content-lease.js';
import { ImageContent } from './image-content.entity.js';
import { ImageVersions, refuseUnlessDraft } from './image-versions.service.js';
import { IncomingContent } from './incoming-content.js';
import { isFull } from './store/folder-store.js';
import { IMAGE_STORE, type Appended, type Held, type ImageStore } from './store/image-store.js';

/** Milliseconds between two words of how far a hash is computed. */
const TELLING = 5_000;

/** Seconds after a failed check before the next one: so long everybody who asks hears of the failure. */
const REST = 30;

/** Milliseconds in which a store that is read has to send something. */
const STALLED = 60_000;

/** A content that can be read. */
export interface StoredContent {
  sizeBytes: number;
  /** In lower-case hex. */
  sha256: string;
  /** As in `Debian workstation 2026.11`. */
  name: string;
}

interface Row extends Pick<ImageContent, 'state' | 'receivedBytes' | 'held'> {
  /** Somebody writes, checks or deletes it. */
  busy: boolean;
  /** A check failed just now. */
  resting: boolean;
}

/** A content whose bytes are all there. */
interface ContentToCheck {
  /** Of its version. */
  id: string;
  imageId: string;
  store: ImageStore;
  held: Held;
  size: number;
  sha256: string;
}

/** The only writer of `image_contents` and of the store of images. */
@Injectable()
export class ImageContents implements OnModuleDestroy {
  private readonly checks = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly db: DataSource,
    private readonly versions: ImageVersions,
    private readonly audit: AuditService,
    private readonly log: PinoLogger,
    @Inject(IMAGE_STORE) private readonly store: ImageStore | null,
  ) {}

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort(new Error('the service is stopping'));
    await Promise.all(this.checks);
  }

  /** How much is there, and how much there will be. @throws Problem `not-found`, `conflict` for what takes no content */
  async progress(id: string): Promise<{ received: number; size: number }> {
    const version = await this.versions.get(this.db.manager, id);
    refuseUnlessDraft(version);
    return { received: version.content?.receivedBytes ?? 0, size: expectedOf(version).size };
  }

  /**
   * Adds to what is there. What was sent before the body broke off is kept.
   * @param from where the body begins: exactly behind what is there
   * @param length of the body, where that is known
   * @returns how much is there now
   * @throws Problem `conflict` for another place, `request-in-flight` while another request writes, `too-large`, `no-room`,
   * `store-failed`, `not-set-up`
   */
  async append(actor: Actor, id: string, from: number, length: number | null, body: Readable): Promise<number> {
    const lease = new ContentLease(id);
    const { store, held, size } = await inTransaction(this.db, (tx) =>
      this.claimForAppend(tx, id, lease, from, length),
    );
    const { received, failure, tooMuch } = await lease.during(this.db, async (signal) => {
      const incoming = new IncomingContent(body, size - from, signal);
      const appended = await store.append(id, held, { from, size, chunks: incoming.chunks() }, signal);
      await this.recordAppended(id, lease, appended);
      return { ...appended, tooMuch: incoming.tooMuch };
    });
    if (failure !== undefined) this.refuseFailure(failure);
    if (tooMuch) throw tooLarge(size);
    if (received === size) await this.check(actor, id);
    return received;
  }

  /**
   * Deletes what was sent of a draft. Nothing there: nothing happens.
   * @throws Problem `conflict` for what was published or withdrawn, `request-in-flight`, `store-failed`, `not-set-up`
   */
  async discard(actor: Actor, id: string): Promise<void> {
    const lease = new ContentLease(id);
    const claimed = await inTransaction(this.db, async (tx) => {
      const version = await this.versions.lock(tx, id);
      refuseUnlessDraft(version);
      const row = await this.row(tx, id);
      if (!row) return null;
      if (row.busy) throw busy();
      const store = this.storeOrProblem();
      // Before a byte of it goes: what is going to be deleted can't be published any more, nor what is left of it.
      await tx.query(
        `UPDATE image_contents SET state = 'receiving', received_bytes = 0, checked_bytes = 0, stored_at = NULL
         WHERE version_id = $1`,
        [id],
      );
      await lease.take(tx);
      return { store, held: row.held, imageId: version.imageId };
    });
    if (!claimed) return;
    const { store, held, imageId } = claimed;
    await lease.during(this.db, async (signal) => {
      await store.remove(id, held, signal).catch((failure: unknown) => this.refuseFailure(failure));
      await inTransaction(this.db, async (tx) => {
        const deleted = await queryRows(
          tx,
          `DELETE FROM image_contents WHERE version_id = $1 AND lease_owner = $2 RETURNING version_id`,
          [id, lease.owner],
        );
        if (deleted.length === 0) throw busy();
        await this.audit.record(tx, actor, 'image-content.discarded', {
          subject: { kind: 'image', id: imageId },
          facts: { imageVersionId: id },
        });
      });
    });
  }

  /**
   * Begins to compute the hash of what is there, from the store itself, unless somebody is doing that, it is done, or it
   * failed just now. It goes on after this answers; whoever waits for it and hears of nobody who is at it calls again.
   */
  async check(actor: Actor, id: string): Promise<void> {
    if (!(await this.db.manager.existsBy(ImageContent, { versionId: id, state: 'received' }))) return;
    const lease = new ContentLease(id);
    const content = await inTransaction(this.db, (tx) => this.claimForCheck(tx, id, lease));
    if (!content) return;
    const run = lease
      .during(this.db, async (lost) => {
        const signal = AbortSignal.any([lost, this.stopping.signal]);
        const found = await this.hash(content, lease, signal).catch(async (err: unknown) => {
          this.log.warn({ err, imageVersionId: id }, 'the content of an image could not be checked; ask for it again');
          // Whoever comes next finds out.
          if (!signal.aborted) await this.tellOfFailure(id, lease);
          return null;
        });
        if (found !== null) await this.settle(actor, content, lease, found, signal);
      })
      .catch((err: unknown) => this.log.warn({ err, imageVersionId: id }, 'a check of an image ended without a word'))
      .finally(() => this.checks.delete(run));
    this.checks.add(run);
  }

  /** @throws Problem `not-found` for what has no content, `gone` for what was withdrawn */
  async stored(id: string): Promise<StoredContent> {
    const version = await this.versions.get(this.db.manager, id);
    if (version.channel === 'withdrawn') {
      throw new Problem(
        'gone',
        `This version was withdrawn: ${version.withdrawalReason ?? 'nobody may use it any more.'}`,
      );
    }
    if (version.content?.state !== 'stored') throw new Problem('not-found', 'This version has no checked content yet.');
    const { size, sha256 } = expectedOf(version);
    return { sizeBytes: size, sha256, name: `${version.image} ${version.version}` };
  }

  /** The bytes from the first to the last of these, both included. @throws Problem `store-failed`, `not-set-up` */
  async read(id: string, first: number, last: number, signal: AbortSignal): Promise<Readable> {
    return this.storeOrProblem()
      .read(id, first, last, signal)
      .catch((failure: unknown) => this.refuseFailure(failure));
  }

  private async claimForAppend(
    tx: EntityManager,
    id: string,
    lease: ContentLease,
    from: number,
    length: number | null,
  ): Promise<{ store: ImageStore; held: Held; size: number }> {
    const version = await this.versions.lock(tx, id);
    refuseUnlessDraft(version);
    const { size } = expectedOf(version);
    await tx.query(`INSERT INTO image_contents (version_id) VALUES ($1) ON CONFLICT DO NOTHING`, [id]);
    const row = await this.row(tx, id);
    if (!row) throw new Error('the content that was just made is gone');
    if (row.busy) throw busy();
    if (row.state === 'received' || row.state === 'stored') {
      throw new Problem('conflict', 'All of its content is there. Discard it first to send another one.');
    }
    if (row.receivedBytes !== from) {
      throw new Problem('conflict', `There are ${row.receivedBytes} bytes of it: go on from there.`);
    }
    if (length !== null && from + length > size) throw tooLarge(size);
    const store = this.storeOrProblem();
    await lease.take(tx);
    return { store, held: row.held, size };
  }

  /** Null where there is nothing to check, or somebody else has it. */
  private async claimForCheck(tx: EntityManager, id: string, lease: ContentLease): Promise<ContentToCheck | null> {
    const version = await this.versions.get(tx, id);
    const row = await this.row(tx, id);
    if (row?.state !== 'received' || row.busy || row.resting) return null;
    const store = this.storeOrProblem();
    await tx.query(`UPDATE image_contents SET checked_bytes = 0, problem = NULL WHERE version_id = $1`, [id]);
    await lease.take(tx);
    return { id, imageId: version.imageId, store, held: row.held, ...expectedOf(version) };
  }

  private async row(tx: EntityManager, id: string): Promise<Row | undefined> {
    const [row] = await queryRows<Row>(
      tx,
      `SELECT state, received_bytes AS "receivedBytes", held,
         lease_owner IS NOT NULL AND lease_until > now() AS busy,
         lease_owner IS NULL AND COALESCE(lease_until > now(), false) AS resting
       FROM image_contents WHERE version_id = $1 FOR UPDATE`,
      [id],
    );
    return row;
  }

  /** @throws Problem `conflict` when somebody else took over in the meantime */
  private async recordAppended(id: string, { owner }: ContentLease, { received, held }: Appended): Promise<void> {
    const recorded = await queryRows(
      this.db,
      `UPDATE image_contents c SET received_bytes = $3, held = $4, problem = NULL, lease_owner = NULL, lease_until = NULL,
         state = CASE WHEN $3 = v.size_bytes THEN 'received' ELSE 'receiving' END
       FROM image_versions v WHERE c.version_id = $1 AND v.id = c.version_id AND c.lease_owner = $2 RETURNING c.version_id`,
      [id, owner, received, JSON.stringify(held)],
    );
    if (recorded.length === 0) throw busy();
  }

  /** SHA-256 in lower-case hex of what the store reads back: what it holds is shown, not what it was sent. */
  private async hash(
    { id, store, held, size }: ContentToCheck,
    { owner }: ContentLease,
    signal: AbortSignal,
  ): Promise<string> {
    await store.seal(id, held, signal);
    const stalled = new AbortController();
    const patience = setTimeout(() => stalled.abort(new Error('the store sends nothing any more')), STALLED);
    try {
      const hash = createHash('sha256');
      let checked = 0;
      let tellAt = performance.now() + TELLING;
      for await (const chunk of await store.read(id, 0, size - 1, AbortSignal.any([signal, stalled.signal]))) {
        patience.refresh();
        hash.update(chunk as Buffer);
        checked += (chunk as Buffer).length;
        if (performance.now() < tellAt) continue;
        tellAt = performance.now() + TELLING;
        await this.db.query(`UPDATE image_contents SET checked_bytes = $3 WHERE version_id = $1 AND lease_owner = $2`, [
          id,
          owner,
          checked,
        ]);
      }
      return hash.digest('hex');
    } finally {
      clearTimeout(patience);
    }
  }

  /** The hash is known: the content counts, or goes. Nothing happens where somebody else has taken it over. */
  private async settle(
    actor: Actor,
    { id, imageId, store, held, sha256 }: ContentToCheck,
    { owner }: ContentLease,
    found: string,
    signal: AbortSignal,
  ): Promise<void> {
    const isRight = found === sha256;
    // What is refused is still ours until it is deleted: whoever sends it again must not find their bytes gone.
    const change = isRight
      ? `state = 'stored', stored_at = now(), lease_owner = NULL, lease_until = NULL`
      : `state = 'refused', received_bytes = 0`;
    const problem = `What was sent has the SHA-256 ${found}; the version says ${sha256}. It was deleted: send it again.`;
    const isOurs = await inTransaction(this.db, async (tx) => {
      const settled = await queryRows(
        tx,
        `UPDATE image_contents SET held = '{}', problem = $3, ${change}
         WHERE version_id = $1 AND lease_owner = $2 RETURNING version_id`,
        [id, owner, isRight ? null : problem],
      );
      if (settled.length === 0) return false;
      await this.audit.record(tx, actor, isRight ? 'image-content.stored' : 'image-content.refused', {
        subject: { kind: 'image', id: imageId },
        facts: { imageVersionId: id, sha256, ...(!isRight && { found }) },
      });
      return true;
    });
    if (isOurs && !isRight) await store.remove(id, held, signal);
  }

  private async tellOfFailure(id: string, { owner }: ContentLease): Promise<void> {
    await this.db.query(
      `UPDATE image_contents SET checked_bytes = 0, problem = $3, lease_owner = NULL,
         lease_until = now() + make_interval(secs => $4)
       WHERE version_id = $1 AND lease_owner = $2`,
      [
        id,
        owner,
        `It couldn’t be checked: the store of images doesn’t answer as it should. Look after that, and ask again in ${REST} seconds.`,
        REST,
      ],
    );
  }

  private storeOrProblem(): ImageStore {
    if (this.store) return this.store;
    throw new Problem('not-set-up', 'There is no store of images: set IMAGE_STORE to a folder or a bucket.');
  }

  private refuseFailure(failure: unknown): never {
    if (isFull(failure)) throw new Problem('no-room', 'The store of images is full. What was sent so far is kept.');
    this.log.warn({ err: failure }, 'the store of images failed');
    throw new Problem('store-failed', 'The store of images doesn’t answer as it should. Go on from what is there.');
  }
}

/** @throws Problem `conflict` */
function expectedOf({ sizeBytes, sha256 }: { sizeBytes: number | null; sha256: string | null }): {
  size: number;
  sha256: string;
} {
  if (sizeBytes !== null && sha256 !== null) return { size: sizeBytes, sha256 };
  throw new Problem('conflict', 'Say first how large it is, and its SHA-256: `sizeBytes` and `sha256` of the version.');
}

function tooLarge(size: number): Problem {
  return new Problem('too-large', `The version says that it has ${size} bytes, and this would be more.`);
}

function busy(): Problem {
  return new Problem(
    'request-in-flight',
    'Another request is writing or checking this content. Try again in a moment.',
  );
}
