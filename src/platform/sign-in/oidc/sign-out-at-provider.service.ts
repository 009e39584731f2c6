import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { buildEndSessionUrl } from 'openid-client';
import { Config } from '../../config/config.js';
import type { EndedSession } from '../browser-sessions.service.js';
import { OidcProvider } from './oidc-provider.service.js';

/** OpenID Connect RP-Initiated Logout 1.0. */
@Injectable()
export class SignOutAtProvider {
  constructor(
    private readonly provider: OidcProvider,
    private readonly config: Config,
    private readonly log: PinoLogger,
  ) {}

  /** Where the browser ends its session at the provider, too; null when there is none, or the provider is away. */
  async addressFor({ idToken }: EndedSession): Promise<string | null> {
    if (idToken === null || !this.provider.settings) return null;
    try {
      const { configuration } = await this.provider.discover();
      return buildEndSessionUrl(configuration, {
        id_token_hint: idToken,
        post_logout_redirect_uri: `${this.config.publicUrl}/sign-in`,
      }).href;
    } catch (error) {
      this.log.warn({ err: error }, 'somebody signed out here, and could not be sent to the provider to do so there');
      return null;
    }
  }
}
