import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { keepCosignature } from '../platform/audit/cosigned-checkpoints.js';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { NotReached } from '../platform/outbound/post-once.js';
import { UntrustedAnswer, WitnessRefusal } from './ask-witness.js';
import { cosignNewest } from './cosign-newest.js';
import { passingAlertKeys, tellOfWitness, type WitnessTrouble } from './tell-of-witness.js';

/** Milliseconds between two looks for somebody to ask. */
const EVERY = 1_000;
/** Seconds in which one process asks and no other does. */
const LEASE = 30;
/** Seconds after a cosignature: the newest checkpoint is what counts, and one speaks for all before. */
const PAUSE = 5;
/** Seconds after a failure. */
const LONGER_PAUSE = 30;

interface DueWitness {
  id: string;
  name: string;
  publicKey: Buffer;
  url: string;
  allowPrivateAddresses: boolean;
  size: number;
}

/** Has each witness cosign the newest checkpoint, and tells people when one doesn't. */
@Injectable()
export class AskWitnesses {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /** A worker's chore: returns at once until it is time again. */
  async askNowAndThen(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    this.notBefore = performance.now() + EVERY;
    await this.askOrTell();
  }

  /** Asks those who haven't seen the newest checkpoint and aren't asked by another process, all at once. */
  async askOrTell(): Promise<void> {
    const due = await queryRows<DueWitness>(
      this.db,
      `UPDATE audit_witnesses w SET ask_after = clock_timestamp() + make_interval(secs => $1) FROM audit_log
       WHERE w.removed_at IS NULL AND w.ask_after <= clock_timestamp() AND audit_log.size <> w.size
       RETURNING w.id, w.name, w.public_key AS "publicKey", w.url, w.allow_private_addresses AS "allowPrivateAddresses", w.size`,
      [LEASE],
    );
    await Promise.all(due.map((witness) => this.ask(witness)));
  }

  private async ask(witness: DueWitness): Promise<void> {
    const { id, name, publicKey, url, allowPrivateAddresses } = witness;
    const verifier = new CosignatureVerifier(name, publicKey);
    try {
      const asked = { url, allowPrivateAddresses, verifier };
      const { size, cosignature } = await cosignNewest(this.db, asked, witness.size);
      await inTransaction(this.db, async (tx) => {
        await keepCosignature(tx, size, verifier, cosignature);
        await tx.query(
          `UPDATE audit_witnesses SET size = $2, cosigned_at = $3, ask_after = clock_timestamp() + make_interval(secs => $4),
             problem = NULL, failing_since = NULL WHERE id = $1`,
          [id, size, cosignature.at, PAUSE],
        );
        await this.alerts.resolve(tx, passingAlertKeys(id));
      });
    } catch (error) {
      if (!isOfTheWitness(error)) throw error;
      await this.noteFailure(witness, error);
    }
  }

  private async noteFailure({ id, name }: DueWitness, error: WitnessTrouble): Promise<void> {
    const problem = error.message.slice(0, 300);
    await inTransaction(this.db, async (tx) => {
      const [row] = await queryRows<{ seconds: number }>(
        tx,
        `UPDATE audit_witnesses SET problem = $2, failing_since = COALESCE(failing_since, clock_timestamp()),
           ask_after = clock_timestamp() + make_interval(secs => $3)
         WHERE id = $1 AND removed_at IS NULL RETURNING EXTRACT(EPOCH FROM clock_timestamp() - failing_since)::float8 AS seconds`,
        [id, problem, LONGER_PAUSE],
      );
      const alert = row && tellOfWitness({ id, name }, error, row.seconds);
      if (alert) await this.alerts.raise(tx, alert);
    });
  }
}

/** Everything else, such as a database that is away, is no fault of the witness's. */
function isOfTheWitness(error: unknown): error is WitnessTrouble {
  return [BrokenLog, UntrustedAnswer, WitnessRefusal, NotReached].some((kind) => error instanceof kind);
}
