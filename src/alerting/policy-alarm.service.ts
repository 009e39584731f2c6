import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { LoadedPolicy } from '../access-policy/access-policy.service.js';
import { AlertsService } from '../cases/alerts.service.js';
import { inTransaction } from '../platform/database/transaction.js';

const KEY = 'policy_broken';

/** Tells people that the access policy's file was refused: what counted before still does, which nobody would notice. */
@Injectable()
export class PolicyAlarm {
  constructor(
    private readonly db: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /** @param file As configured; its mistakes are in the log. */
  async tell(loaded: LoadedPolicy, file: string | undefined): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      if (loaded.outcome !== 'refused') return this.alerts.resolve(tx, [KEY]);
      const [first] = loaded.mistakes;
      const rest = loaded.mistakes.length - 1;
      await this.alerts.raise(tx, {
        dedupKey: KEY,
        kind: 'policy_broken',
        severity: 'error',
        owner: 'it-admins',
        message: `The access policy ${file ?? ''} was refused and the one before still counts. Line ${first?.line}: ${first?.message}${rest > 0 ? ` And ${rest} more.` : ''}`,
      });
    });
  }
}
