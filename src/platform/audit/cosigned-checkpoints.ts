import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import type { Cosignature, CosignatureVerifier } from './cosignature.js';

/** A checkpoint as others are to see it. */
export interface StoredCheckpoint {
  size: number;
  /** Signed by the log, and by the witnesses that have cosigned it so far. */
  note: string;
  sealedAt: Date;
}

/** The note of a checkpoint, where SQL calls it `c`, with the cosignatures that it has. */
export const COSIGNED_NOTE = `c.note || COALESCE(
  (SELECT string_agg(s.line || E'\\n', '' ORDER BY s.key) FROM audit_cosignatures s WHERE s.size = c.size), '')`;

const CHECKPOINT = `SELECT c.size, ${COSIGNED_NOTE} AS note, c.sealed_at AS "sealedAt" FROM audit_checkpoints c`;

/** Keeps what a witness signed; it was verified before. */
export async function keepCosignature(
  tx: EntityManager,
  size: number,
  { name, keyHash }: CosignatureVerifier,
  { at, line }: Cosignature,
): Promise<void> {
  await tx.query(
    `INSERT INTO audit_cosignatures (size, key, line, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [size, `${name}+${keyHash}`, line, at],
  );
}

/** Undefined before anything is sealed. */
export async function newestCheckpoint(tx: EntityManager): Promise<StoredCheckpoint | undefined> {
  const [newest] = await queryRows<StoredCheckpoint>(tx, `${CHECKPOINT} ORDER BY c.size DESC LIMIT 1`);
  return newest;
}

/** The newest one that a witness cosigned. @param least speaks for so many entries at least */
export async function newestCosigned(tx: EntityManager, least = 0): Promise<StoredCheckpoint | undefined> {
  const [newest] = await queryRows<StoredCheckpoint>(
    tx,
    `${CHECKPOINT} WHERE c.size = (SELECT max(size) FROM audit_cosignatures WHERE size >= $1)`,
    [least],
  );
  return newest;
}

/**
 * The one to publish: the newest, or for some seconds rather the newest that was cosigned, since witnesses answer a moment
 * after the sealer. Without it a busy log would never show a cosignature.
 *
 * @param least what is published already
 * @param patience seconds for which what came later may wait for a witness
 */
export async function checkpointToPublish(
  tx: EntityManager,
  least: number,
  patience: number,
): Promise<StoredCheckpoint | undefined> {
  const cosigned = await newestCosigned(tx, least);
  if (!cosigned) return newestCheckpoint(tx);
  const overdue = await queryRows(
    tx,
    `SELECT FROM audit_checkpoints WHERE size > $1 AND sealed_at < clock_timestamp() - make_interval(secs => $2) LIMIT 1`,
    [cosigned.size, patience],
  );
  return overdue.length === 0 ? cosigned : newestCheckpoint(tx);
}
