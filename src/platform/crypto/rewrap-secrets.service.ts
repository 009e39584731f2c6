import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import type { Actor } from '../sign-in/actor.js';
import { Keyring } from './keyring.js';
import { RecoveryRing } from './recovery-ring.js';
import { RecoveryVault } from './recovery-vault.service.js';
import { SecretVault } from './secret-vault.service.js';
import { SecretError } from './secret-error.js';
import type { KeyRing } from './sealing-key.entity.js';
import { StandardRing } from './standard-ring.js';
import type { WrappedRow, WrappingRing } from './wrapping-ring.js';

/** A secret that its key doesn't open. */
export interface BrokenSecret {
  id: string;
  purpose: string;
  why: string;
}

export interface CheckedSecrets {
  opened: number;
  /** Recovery keys that this process can't open. */
  unchecked: number;
  broken: BrokenSecret[];
}

export interface Rewrapped {
  rewrapped: number;
  broken: BrokenSecret[];
}

interface Options {
  ring?: KeyRing;
  /** Called after each batch. */
  onProgress?: (done: number, atTheBeginning: number) => void;
  /** Ends it after the batch in hand; what is left is for the next time. */
  signal?: AbortSignal;
  /** Secrets in one transaction. */
  batch?: number;
}

const WRAPPED_COLUMNS = 'id, purpose, version, key_fingerprint, wrapped_key';
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const RECOVERY_KEYS = `(SELECT fingerprint FROM sealing_keys WHERE ring = 'recovery')`;
const ON_RING: Readonly<Record<KeyRing, string>> = {
  standard: `key_fingerprint NOT IN ${RECOVERY_KEYS}`,
  recovery: `key_fingerprint IN ${RECOVERY_KEYS}`,
};

/** Brings the secrets of a ring under the key that seals there now. Data keys are wrapped anew; the secrets themselves are never opened. */
@Injectable()
export class RewrapSecrets {
  private readonly rings: Readonly<Record<KeyRing, WrappingRing>>;

  constructor(
    private readonly db: DataSource,
    keyring: Keyring,
    private readonly recoveryRing: RecoveryRing,
    private readonly vault: SecretVault,
    private readonly recoveryVault: RecoveryVault,
    private readonly audit: AuditService,
  ) {
    this.rings = { standard: new StandardRing(keyring), recovery: recoveryRing };
  }

  /**
   * In batches, each a transaction with its own audit entry. It may be ended or killed at any moment and run again, by
   * several at once, while secrets are sealed, opened and destroyed.
   * @throws KeysAway when an old key can't be had: what was done until then stays done
   */
  async run(
    actor: Actor,
    { ring: name = 'standard', onProgress, signal, batch = 100 }: Options = {},
  ): Promise<Rewrapped> {
    const broken = new Map<string, BrokenSecret>();
    const ring = this.rings[name];
    const atTheBeginning = await this.left(name);
    await this.getKeys(ring);
    let rewrapped = 0;
    // The first pass leaves alone what somebody else has in hand, the second waits for it.
    for (const lock of ['FOR UPDATE SKIP LOCKED', 'FOR UPDATE']) {
      let after = FIRST_ID;
      while (!signal?.aborted) {
        const done = await this.rewrapBatch(actor, { ring, after, batch, lock });
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
  async left(ring: KeyRing = 'standard'): Promise<number> {
    const { fingerprint } = await this.rings[ring].current(this.db.manager);
    const [row] = await queryRows<{ count: number }>(
      this.db,
      `SELECT count(*)::int AS count FROM secrets WHERE key_fingerprint <> $1 AND ${ON_RING[ring]}`,
      [fingerprint],
    );
    return row?.count ?? 0;
  }

  /** Opens every secret and shows none; those of the recovery ring only where this process can. */
  async check(): Promise<CheckedSecrets> {
    const result = { opened: 0, unchecked: 0, broken: [] as BrokenSecret[] };
    await this.checkStandard(result);
    await this.checkRecovery(result);
    return result;
  }

  private async checkRecovery(result: CheckedSecrets): Promise<void> {
    const { manager } = this.db;
    const rows = await queryRows<{ id: string; purpose: string }>(
      manager,
      `SELECT id, purpose FROM secrets WHERE ${ON_RING.recovery} ORDER BY id`,
    );
    if (!this.recoveryRing.opens) {
      result.unchecked = rows.length;
      return;
    }
    for (const { id, purpose } of rows) {
      await this.tally(result, { id, purpose }, () => this.recoveryVault.open(manager, id));
    }
  }

  private async checkStandard(result: CheckedSecrets): Promise<void> {
    const { manager } = this.db;
    for (let after = FIRST_ID; ;) {
      const rows = await queryRows<{ id: string; purpose: string }>(
        manager,
        `SELECT id, purpose FROM secrets
         WHERE id > $1 AND ${ON_RING.standard} ORDER BY id LIMIT 200`,
        [after],
      );
      const last = rows.at(-1);
      if (!last) return;
      after = last.id;
      const open = await this.vault.load(
        manager,
        rows.map(({ id }) => id),
      );
      for (const row of rows) await this.tally(result, row, () => open(row.id));
    }
  }

  private async tally(
    result: CheckedSecrets,
    about: { id: string; purpose: string },
    open: () => string | Promise<string>,
  ): Promise<void> {
    try {
      await open();
      result.opened += 1;
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      result.broken.push({ ...about, why: error.message });
    }
  }

  /** Asks for every old key before rows are locked: nobody waits for a provider with a lock in hand. */
  private async getKeys(ring: WrappingRing): Promise<void> {
    const { manager } = this.db;
    const rows = await queryRows<WrappedRow>(
      manager,
      `SELECT DISTINCT ON (key_fingerprint) ${WRAPPED_COLUMNS} FROM secrets WHERE ${ON_RING[ring.ring]}`,
    );
    await ring.opener(manager, rows);
  }

  private async rewrapBatch(
    actor: Actor,
    { ring, after, batch, lock }: { ring: WrappingRing; after: string; batch: number; lock: string },
  ): Promise<Rewrapped & { last: string | null }> {
    const current = await ring.current(this.db.manager);
    return inTransaction(this.db, async (tx) => {
      const rows = await queryRows<WrappedRow>(
        tx,
        `SELECT ${WRAPPED_COLUMNS} FROM secrets
         WHERE key_fingerprint <> $1 AND ${ON_RING[ring.ring]} AND id > $2 ORDER BY id LIMIT $3 ${lock}`,
        [current.fingerprint, after, batch],
      );
      const openDataKey = await ring.opener(tx, rows);
      const broken: BrokenSecret[] = [];
      const moved: { id: string; wrapped: Buffer }[] = [];
      for (const row of rows) {
        try {
          const dataKey = await openDataKey(row);
          moved.push({ id: row.id, wrapped: await current.wrap(dataKey, row) });
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
