import { readFile } from 'node:fs/promises';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import * as client from 'openid-client';
import { Config, ConfigError, type OidcConfig } from '../../config/config.js';
import { OidcStrategy } from './oidc-strategy.js';

/** Milliseconds after which the provider is asked anew for its addresses and abilities. */
const FRESH = 3_600_000;
/** Seconds that the provider has for each answer. */
const PATIENCE = 10;

/** The provider as it described itself. */
export interface DiscoveredProvider {
  strategy: OidcStrategy;
  configuration: client.Configuration;
  /** Its keys, fetched again when a signature names one that isn't known yet. */
  keys: JWTVerifyGetKey;
}

/** The OpenID provider of this installation. It is asked when somebody needs it: while it is away the service starts and works. */
@Injectable()
export class OidcProvider implements OnApplicationBootstrap {
  private discovered: { at: number; provider: Promise<DiscoveredProvider> } | null = null;

  constructor(
    private readonly config: Config,
    private readonly server: HttpAdapterHost,
  ) {}

  get settings(): OidcConfig | null {
    return this.config.oidc ?? null;
  }

  /** A secret that can't be read is found when the server starts, not when somebody wants in. @throws ConfigError */
  async onApplicationBootstrap(): Promise<void> {
    // A worker and a command sign nobody in.
    if (this.settings && this.server.httpAdapter) await readSecret(this.settings);
  }

  /** Rejects when the provider doesn't answer, or not as itself. */
  async discover(): Promise<DiscoveredProvider> {
    const { settings } = this;
    if (!settings) throw new Error('no OpenID provider is set up');
    const now = performance.now();
    if (!this.discovered || now - this.discovered.at > FRESH) {
      const discovery = { at: now, provider: discover(settings, this.config.publicUrl) };
      this.discovered = discovery;
      // The next one asks again.
      discovery.provider.catch(() => {
        if (this.discovered === discovery) this.discovered = null;
      });
    }
    return this.discovered.provider;
  }
}

async function discover(settings: OidcConfig, publicUrl: string): Promise<DiscoveredProvider> {
  // https is required of an issuer, except on this machine (`config.ts`).
  const isPlain = settings.issuer.startsWith('http:');
  const secret = await readSecret(settings);
  const found = await client.discovery(new URL(settings.issuer), settings.clientId, undefined, client.None(), {
    timeout: PATIENCE,
    ...(isPlain && { execute: [client.allowInsecureRequests] }),
  });
  const metadata = found.serverMetadata();
  const configuration = new client.Configuration(
    metadata,
    settings.clientId,
    undefined,
    authentication(secret, metadata),
  );
  configuration.timeout = PATIENCE;
  if (isPlain) client.allowInsecureRequests(configuration);
  // The code flow could do with TLS alone; a signature checked is a broken proxy noticed.
  client.enableNonRepudiationChecks(configuration);
  if (metadata.jwks_uri === undefined) throw new Error('The provider names no keys (jwks_uri).');
  return {
    configuration,
    strategy: new OidcStrategy(configuration, `${publicUrl}/sign-in/oidc/callback`),
    keys: createRemoteJWKSet(new URL(metadata.jwks_uri), { timeoutDuration: PATIENCE * 1000 }),
  };
}

/** `client_secret_basic` is what clients are registered with unless they say otherwise (OpenID Connect Registration, section 2). */
function authentication(secret: string | null, metadata: client.ServerMetadata): client.ClientAuth {
  if (secret === null) return client.None();
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
}

async function readSecret({ clientSecretFile }: OidcConfig): Promise<string | null> {
  if (clientSecretFile === undefined) return null;
  const secret = await readFile(clientSecretFile, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
  if (!secret) throw new ConfigError(['OIDC_CLIENT_SECRET_FILE names a file that is empty or can not be read']);
  return secret;
}
