import { hostname } from 'node:os';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { Keyring } from '../platform/crypto/keyring.js';
import { inTransaction } from '../platform/database/transaction.js';

/** Keeps the sealing keys at hand, and tells people while there is still time when one can't be had any more. */
@Injectable()
export class KeyWatch {
  constructor(
    private readonly db: DataSource,
    private readonly keyring: Keyring,
    private readonly alerts: AlertsService,
  ) {}

  /**
   * @param processName each kind of process has its own way to a provider, so each tells for itself; not each host, whose
   * name may never come back to say that it is over
   */
  async look(processName: string): Promise<void> {
    const dedupKey = `keys_away/${processName}`;
    const [trouble] = await this.keyring.renew(this.db.manager);
    await inTransaction(this.db, async (tx) => {
      if (!trouble) return this.alerts.resolve(tx, [dedupKey]);
      await this.alerts.raise(tx, {
        dedupKey,
        kind: 'keys_away',
        severity: 'critical',
        owner: 'it-admins',
        message: `${processName} on ${hostname()} can't get the sealing key ${trouble.fingerprint} from ${trouble.provider}. ${trouble.error.message} Secrets open for some minutes yet; then work that needs one waits, and nothing is lost.`,
      });
    });
  }
}
