import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { databaseNow } from '../../database/database-now.js';
import { inTransaction } from '../../database/transaction.js';
import { Problem } from '../../errors/problem.js';
import { SYSTEM, type Origin } from '../actor.js';
import { BrowserSessions } from '../browser-sessions.service.js';
import { UsedOnce } from '../used-once.service.js';
import { checkLogoutToken, LOGOUT_TOKEN_MINUTES } from './logout-token.js';
import { OidcProvider, type DiscoveredProvider } from './oidc-provider.service.js';

/** The provider tells that somebody signed out there, or was signed out: their sessions here end at once. */
@Injectable()
export class BackChannelLogout {
  constructor(
    private readonly db: DataSource,
    private readonly provider: OidcProvider,
    private readonly sessions: BrowserSessions,
    private readonly usedOnce: UsedOnce,
    private readonly log: PinoLogger,
  ) {}

  /** @throws Problem `not-found`, `invalid-request`; `provider-away` when its keys can't be had: the provider tries again */
  async end(token: string, from: Origin): Promise<void> {
    const { settings } = this.provider;
    if (!settings) throw new Problem('not-found', 'No OpenID provider is set up.');
    const { configuration, keys } = await this.discover();
    const { issuer, id_token_signing_alg_values_supported: algorithms } = configuration.serverMetadata();
    const now = await databaseNow(this.db);
    const expected = { issuer, clientId: settings.clientId, keys, algorithms: algorithms ?? ['RS256'], now };
    const logout = await checkLogoutToken(token, expected).catch((error: unknown) => {
      this.log.warn({ err: error }, 'a logout token was refused');
      throw error;
    });
    await inTransaction(this.db, async (tx) => {
      // Twice its life, for clocks that differ.
      if (!(await this.usedOnce.use(tx, `logout-token:${logout.issuer} ${logout.jti}`, 2 * LOGOUT_TOKEN_MINUTES))) {
        throw new Problem('invalid-request', 'The logout token was used before.');
      }
      await this.sessions.endAtProvider(tx, { ...SYSTEM, from }, logout);
    });
  }

  private async discover(): Promise<DiscoveredProvider> {
    try {
      return await this.provider.discover();
    } catch (cause) {
      throw new Problem('provider-away', 'The OpenID provider does not answer, so nothing can be checked.', { cause });
    }
  }
}
