import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import type { Actor } from '../sign-in/actor.js';
import { Keyring } from './keyring.js';
import { SecretVault } from './secret-vault.service.js';
import { SecretError } from './secret-error.js';
import { wrapData, type SecretRow } from './secret-row.js';

type WrappedRow = Pick<SecretRow, 'id' | 'purpose' | 'version' | 'key_fingerprint' | 'wrapped_key'>;

/** A secret that its key doesn't open. */
export interface BrokenSecret {
  id: string;
  purpose: string;
  why: string;
}

export interface Rewrapped {
  rewrapped: number;
  broken: BrokenSecret[];
}

interface Options {
  /** Called after each batch. */
  onProgress?: (done: number, atTheBeginning: number) => void;
  /** Ends it after the batch in hand; what is left is for the next time. */
  signal?: AbortSignal;
  /** Secrets in one transaction. */
  batch?: number;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
/** Of the standard ring. */
const UNDER_OLD_KEYS = `key_fingerprint <> $1 AND key_fingerprint NOT IN (SELECT fingerprint FROM sealing_keys WHERE ring = 'recovery')`;

/** Brings secrets under the key that seals now. Data keys are wrapped anew; the secrets themselves are never opened. */
@Injectable()
export class RewrapSecrets {
  constructor(
    private readonly db: DataSource,
    private readonly keyring: Keyring,
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
  ) {}

  /**
   * In batches, each a transaction with its own audit entry. It may be ended or killed at any moment and run again, by
   * several at once, while secrets are sealed, opened and destroyed.
   * @throws KeysAway when an old key can't be had: what was done until then stays done
   */
  async run(actor: Actor, { onProgress, signal, batch = 100 }: Options = {}): Promise<Rewrapped> {
    const broken = new Map<string, BrokenSecret>();
    const atTheBeginning = await this.left();
    let rewrapped = 0;
    // The first pass leaves alone what somebody else has in hand, the second waits for it.
    for (const lock of ['FOR UPDATE SKIP LOCKED', 'FOR UPDATE']) {
      let after = FIRST_ID;
      while (!signal?.aborted) {
        const done = await this.rewrapBatch(actor, { after, batch, lock });
        for (const one of done.broken) broken.set(one.id, one);
        rewrapped += done.rewrapped;
        if (done.last === null) break;
        after = done.last;
        onProgress?.(rewrapped, atTheBeginning);
      }
    }
    return { rewrapped, broken: [...broken.values()] };
  }

  /** How many are sealed under another key than the one that seals now. */
  async left(): Promise<number> {
    const { fingerprint } = await this.keyring.current(this.db.manager);
    const [row] = await queryRows<{ count: number }>(
      this.db,
      `SELECT count(*)::int AS count FROM secrets WHERE ${UNDER_OLD_KEYS}`,
      [fingerprint],
    );
    return row?.count ?? 0;
  }

  /** Opens every secret of the standard ring and shows none. */
  async check(): Promise<{ opened: number; broken: BrokenSecret[] }> {
    const { manager } = this.db;
    const result = { opened: 0, broken: [] as BrokenSecret[] };
    for (let after = FIRST_ID; ;) {
      const rows = await queryRows<{ id: string; purpose: string }>(
        manager,
        `SELECT id, purpose FROM secrets
         WHERE id > $1 AND key_fingerprint NOT IN (SELECT fingerprint FROM sealing_keys WHERE ring = 'recovery')
         ORDER BY id LIMIT 200`,
        [after],
      );
      const last = rows.at(-1);
      if (!last) return result;
      after = last.id;
      const open = await this.vault.load(
        manager,
        rows.map(({ id }) => id),
      );
      for (const { id, purpose } of rows) {
        try {
          open(id);
          result.opened += 1;
        } catch (error) {
          if (!(error instanceof SecretError)) throw error;
          result.broken.push({ id, purpose, why: error.message });
        }
      }
    }
  }

  private async rewrapBatch(
    actor: Actor,
    { after, batch, lock }: { after: string; batch: number; lock: string },
  ): Promise<Rewrapped & { last: string | null }> {
    // Both keys are in memory before the rows are locked: nobody waits for a provider with a lock in hand.
    const current = await this.keyring.current(this.db.manager);
    return inTransaction(this.db, async (tx) => {
      const rows = await queryRows<WrappedRow>(
        tx,
        `SELECT id, purpose, version, key_fingerprint, wrapped_key FROM secrets
         WHERE ${UNDER_OLD_KEYS} AND id > $2 ORDER BY id LIMIT $3 ${lock}`,
        [current.fingerprint, after, batch],
      );
      const keyOf = await this.keyring.take(
        tx,
        rows.map((row) => row.key_fingerprint),
      );
      const broken: BrokenSecret[] = [];
      const moved: { id: string; wrapped: Buffer }[] = [];
      for (const row of rows) {
        try {
          const dataKey = unwrapped(row, keyOf(row.key_fingerprint));
          moved.push({ id: row.id, wrapped: current.wrap(dataKey, wrapData(row)) });
          dataKey.fill(0);
        } catch (error) {
          if (!(error instanceof SecretError)) throw error;
          broken.push({ id: row.id, purpose: row.purpose, why: error.message });
        }
      }
      await this.write(tx, actor, current.fingerprint, moved);
      return { rewrapped: moved.length, broken, last: rows.at(-1)?.id ?? null };
    });
  }

  private async write(
    tx: EntityManager,
    actor: Actor,
    fingerprint: string,
    moved: readonly { id: string; wrapped: Buffer }[],
  ): Promise<void> {
    if (moved.length === 0) return;
    await tx.query(
      `UPDATE secrets s SET wrapped_key = m.wrapped, key_fingerprint = $1
       FROM unnest($2::uuid[], $3::bytea[]) AS m (id, wrapped) WHERE s.id = m.id`,
      [fingerprint, moved.map(({ id }) => id), moved.map(({ wrapped }) => wrapped)],
    );
    await this.audit.record(tx, actor, 'secrets.rewrapped', {
      subject: { kind: 'sealing-key', id: fingerprint },
      facts: { count: moved.length },
    });
  }
}

function unwrapped(row: WrappedRow, key: { unwrap(wrapped: Buffer, additionalData: string): Buffer }): Buffer {
  try {
    return key.unwrap(row.wrapped_key, wrapData(row));
  } catch {
    throw new SecretError(`The secret ${row.id} was changed since it was sealed.`);
  }
}
