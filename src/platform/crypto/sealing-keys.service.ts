import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { inTransaction, sqlState } from '../database/transaction.js';
import { Problem } from '../errors/problem.js';
import type { Actor } from '../sign-in/actor.js';
import { KeyProviderError, type ProviderKind } from './key-provider.js';
import { Keyring } from './keyring.js';
import { SealingKey, type KeyRing, type SealingKeyState } from './sealing-key.entity.js';

export interface SealingKeyPlace {
  ring: KeyRing;
  state: Exclude<SealingKeyState, 'retired'>;
  provider: string;
  keyName: string;
}

export interface SealingKeySeen {
  fingerprint: string;
  ring: KeyRing;
  provider: string;
  keyName: string;
  state: SealingKeyState;
  /** Secrets that only this key opens. */
  secrets: number;
  madeAt: Date;
  retiredAt: Date | null;
}

/** With the installation's own key, `$1`, which has no row before the first rotation. */
const ALL_KEYS = `
  SELECT fingerprint, ring, provider, key_name, state, made_at, retired_at FROM sealing_keys
  UNION ALL
  SELECT key_fingerprint, 'standard', 'key-file', key_fingerprint,
    CASE WHEN EXISTS (SELECT FROM sealing_keys WHERE ring = 'standard' AND state = 'current')
      THEN 'opening' ELSE 'current' END, created_at, NULL
  FROM installation WHERE key_fingerprint = $1 AND key_fingerprint NOT IN (SELECT fingerprint FROM sealing_keys)`;

/** The lock that sealing holds shared (the trigger on `secrets`), and retiring alone. */
const SEALING_LOCK = 7_154_882_050;
const LOCK_NOT_AVAILABLE = '55P03';
const BUSY = 'Somebody has been sealing a secret for more than 5 seconds. Nothing was changed; try again.';

/** The keys that wrap data keys: the only writer of `sealing_keys`, but for recovery keys' own. */
@Injectable()
export class SealingKeys {
  constructor(
    private readonly db: DataSource,
    private readonly keyring: Keyring,
    private readonly audit: AuditService,
  ) {}

  /** Newest first. The installation's own key is among them, with a row or without. */
  async list(): Promise<SealingKeySeen[]> {
    const { fingerprint } = this.keyring.installation;
    return queryRows<SealingKeySeen>(
      this.db,
      `WITH sealed AS (SELECT key_fingerprint AS fingerprint, count(*)::int AS secrets FROM secrets GROUP BY 1)
       SELECT k.fingerprint, k.ring, k.provider, k.key_name AS "keyName", k.state, coalesce(s.secrets, 0) AS secrets,
              k.made_at AS "madeAt", k.retired_at AS "retiredAt"
       FROM (${ALL_KEYS}) k LEFT JOIN sealed s USING (fingerprint)
       ORDER BY k.made_at DESC, k.fingerprint`,
      [fingerprint],
    );
  }

  /** Where the keys are that seal or open anything: of each ring the one that seals first. */
  async inUse(): Promise<SealingKeyPlace[]> {
    return queryRows<SealingKeyPlace>(
      this.db,
      `SELECT ring, state, provider, key_name AS "keyName" FROM (${ALL_KEYS}) k WHERE state <> 'retired'
       ORDER BY ring DESC, state = 'opening', made_at DESC, fingerprint`,
      [this.keyring.installation.fingerprint],
    );
  }

  /**
   * Makes a new key that seals from now on, wrapped by the provider; what is sealed under others opens as before. Moving to
   * another provider is the same act.
   * @throws KeyProviderError, and nothing is changed
   */
  async rotate(actor: Actor, kind?: ProviderKind): Promise<string> {
    const provider = this.keyring.provider(kind ?? (await this.currentProvider()));
    const bytes = randomBytes(32);
    // Before the transaction: no provider is waited for inside one.
    const { fingerprint, wrapped } = await this.keyring.adopt(provider, bytes);
    bytes.fill(0);
    await inTransaction(this.db, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock($1)`, [SEALING_LOCK]);
      const own = this.keyring.installation.fingerprint;
      await tx
        .createQueryBuilder()
        .insert()
        .into(SealingKey)
        .values({
          fingerprint: own,
          ring: 'standard',
          provider: 'key-file',
          keyName: own,
          state: 'opening',
          madeAt: () => `coalesce((SELECT created_at FROM installation), now())`,
        })
        .orIgnore()
        .execute();
      await tx.update(SealingKey, { ring: 'standard', state: 'current' }, { state: 'opening' });
      const { kind: name, keyName } = provider;
      await tx.insert(SealingKey, {
        fingerprint,
        ring: 'standard',
        provider: name,
        keyName,
        wrapped,
        state: 'current',
      });
      await this.audit.record(tx, actor, 'sealing-key.made', {
        subject: { kind: 'sealing-key', id: fingerprint },
        facts: { provider: name, keyName },
      });
    });
    return fingerprint;
  }

  /**
   * Nothing will be sealed under the key any more, and nothing is: its provider's key may go.
   * @throws Problem `not-found`; `conflict` for the key that seals, and while anything is sealed under it
   */
  async retire(actor: Actor, fingerprint: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      // Whoever is sealing now has committed when this is granted, and who comes later sees what is decided here. They
      // wait behind us meanwhile, so not for long.
      await tx.query(`SET LOCAL lock_timeout = '5s'`);
      await tx.query(`SELECT pg_advisory_xact_lock($1)`, [SEALING_LOCK]).catch((error: unknown) => {
        throw sqlState(error) === LOCK_NOT_AVAILABLE ? new Problem('conflict', BUSY) : error;
      });
      const key = await tx.findOneBy(SealingKey, { fingerprint });
      // Before the first rotation the installation's key has no row.
      const isCurrent = key ? key.state === 'current' : fingerprint === this.keyring.installation.fingerprint;
      if (isCurrent) {
        throw new Problem('conflict', `The key ${fingerprint} seals at present. Make another first: secrets rotate.`);
      }
      if (!key) throw noSuchKey(fingerprint);
      if (key.state === 'retired') return;
      const left = await countSealed(tx, fingerprint);
      if (left > 0) {
        throw new Problem(
          'conflict',
          `${left} secret(s) are sealed under the key ${fingerprint}, and only it opens them. Run \`quartermaster secrets rewrap\` first.`,
        );
      }
      await tx.update(SealingKey, { fingerprint }, { state: 'retired', retiredAt: () => 'now()' });
      await this.audit.record(tx, actor, 'sealing-key.retired', {
        subject: { kind: 'sealing-key', id: fingerprint },
        facts: { provider: key.provider, keyName: key.keyName },
      });
    });
  }

  /** Asks the key's provider for it, now. @returns what is wrong, or null */
  async prove(fingerprint: string): Promise<string | null> {
    if (fingerprint === this.keyring.installation.fingerprint) return null;
    try {
      await this.keyring.prove(this.db.manager, fingerprint);
      return null;
    } catch (error) {
      if (error instanceof KeyProviderError) return error.message;
      throw error;
    }
  }

  private async currentProvider(): Promise<ProviderKind> {
    const current = await this.db.manager.findOneBy(SealingKey, { ring: 'standard', state: 'current' });
    return (current?.provider ?? 'key-file') as ProviderKind;
  }
}

async function countSealed(tx: EntityManager, fingerprint: string): Promise<number> {
  const [row] = await queryRows<{ count: number }>(
    tx,
    `SELECT count(*)::int AS count FROM secrets WHERE key_fingerprint = $1`,
    [fingerprint],
  );
  return row?.count ?? 0;
}

function noSuchKey(fingerprint: string): Problem {
  return new Problem('not-found', `There is no sealing key ${fingerprint}. See \`quartermaster secrets list\`.`);
}
