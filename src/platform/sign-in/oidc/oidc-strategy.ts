import type { Request } from 'express';
import * as client from 'openid-client';
import { Strategy, type AuthenticateOptions } from 'openid-client/passport';
import { FRESH_MINUTES } from '../fresh-sign-in.js';

/** What has to be remembered between sending somebody to the provider and their coming back; nobody else may read it. */
export type ProviderState = Record<string, unknown>;

/** What the provider says of who came; every claim was checked. */
export interface ProviderAnswer {
  issuer: string;
  subject: string;
  authenticatedAt: Date | null;
  /** The provider's own id of the session at its side (`sid`). */
  providerSession: string | null;
  /** For signing out at the provider; null where it has no such thing. */
  idToken: string | null;
}

export type Outcome =
  | { kind: 'sent'; url: string; state: ProviderState }
  | { kind: 'came'; answer: ProviderAnswer }
  | { kind: 'refused'; reason: string };

const SESSION_KEY = 'oidc';

/**
 * openid-client's passport strategy: authorization code with PKCE, and the request pushed where the provider takes that.
 * It looks after `code_verifier`, `state`, `nonce`, `iss` (RFC 9207), and the ID token's signature and claims.
 */
export class OidcStrategy extends Strategy {
  constructor(
    config: client.Configuration,
    private readonly callbackUrl: string,
  ) {
    const { pushed_authorization_request_endpoint: par, end_session_endpoint: end } = config.serverMetadata();
    super(
      // Neither address nor profile: who somebody is here is said here.
      {
        config,
        name: 'oidc',
        sessionKey: SESSION_KEY,
        scope: 'openid',
        callbackURL: callbackUrl,
        usePAR: par !== undefined,
      },
      (tokens, verified) => verified(null, answerIn(tokens, end !== undefined)),
    );
  }

  /** Where to send the browser. @param fresh whoever signed in at the provider longer ago has to do it again */
  async begin(request: Request, fresh: boolean): Promise<Outcome> {
    return this.run(request, {}, fresh ? { prompt: 'login' } : {});
  }

  /** Who came back. Rejects when the answer can't be right: another state, nonce, issuer, signature … */
  async finish(request: Request, state: ProviderState): Promise<Outcome> {
    return this.run(request, { [SESSION_KEY]: state }, {});
  }

  /** What passport does with a strategy: it lends it ways to end. Ours remembers the state before the browser leaves. */
  private async run(request: Request, session: Record<string, unknown>, wish: AuthenticateOptions): Promise<Outcome> {
    const carrier = Object.create(request, { session: { value: session } }) as Request;
    return new Promise((resolve, reject) => {
      const acting = Object.assign(Object.create(this) as OidcStrategy, {
        redirect: (url: string) => resolve({ kind: 'sent', url, state: session[SESSION_KEY] as ProviderState }),
        success: (answer: unknown) => resolve({ kind: 'came', answer: answer as ProviderAnswer }),
        fail: (why?: unknown) => resolve({ kind: 'refused', reason: messageIn(why) }),
        error: (error: unknown) => reject(error),
        pass: () => reject(new Error('the strategy passed')),
      });
      acting.authenticate(carrier, wish);
    });
  }

  override authorizationRequestParams(request: Request, wish: AuthenticateOptions): URLSearchParams {
    const parameters = new URLSearchParams(super.authorizationRequestParams(request, wish));
    parameters.set('state', client.randomState());
    parameters.set('nonce', client.randomNonce());
    // With it the provider has to say when they signed in, so that one which knows no `prompt` is found out.
    if (wish.prompt === 'login') parameters.set('max_age', String(FRESH_MINUTES * 60));
    return parameters;
  }

  /** By our public address: what a Host header says is anybody's word. */
  override currentUrl(request: Request): URL {
    const url = new URL(this.callbackUrl);
    url.search = new URL(request.originalUrl, this.callbackUrl).search;
    return url;
  }

  /** Whoever has something to go on with came back; a query alone says nothing. */
  override shouldInitiateAuthRequest(request: Request): boolean {
    const { session } = request as Request & { session?: Record<string, unknown> };
    return session?.[SESSION_KEY] === undefined;
  }
}

function messageIn(why: unknown): string {
  const { message } = (why ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : 'no';
}

function answerIn(
  tokens: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
  canSignOut: boolean,
): ProviderAnswer {
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined) throw new Error('The provider sent no ID token.');
  const { iss: issuer, sub: subject, auth_time: authTime, sid } = claims;
  return {
    issuer,
    subject,
    authenticatedAt: authTime === undefined ? null : new Date(authTime * 1000),
    providerSession: typeof sid === 'string' ? sid : null,
    idToken: canSignOut ? tokens.id_token : null,
  };
}
