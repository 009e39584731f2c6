import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { Provider, type Configuration, type JWK } from 'oidc-provider';

/** Seconds. */
const HOUR = 3_600;

export const CLIENT_ID = 'quartermaster';
export const CLIENT_SECRET = 'canary-client-secret-0123456789abcdef';

export interface TestProvider {
  issuer: string;
  /** Requests that it saw, as in `POST /request`. */
  requests: string[];
  /** What the last sign-in was asked for with. */
  lastNonce(): string | undefined;
  /** The nonce of the next ID token, in the place of the one that was sent. */
  forgeNonce(nonce: string): void;
  /** A new key takes the old one's place, as after a leak. */
  rotateKey(): void;
  /** A logout token as it sends them; `claims` in the place of the right ones, `undefined` leaves one out. */
  logoutToken(claims: Record<string, unknown>, header?: Record<string, string>): Promise<string>;
  stop(): Promise<void>;
}

/** `oidc-provider`, certified, on a loopback port, with a page that signs in whoever says who they are. */
export async function startOidcProvider(publicUrl: string): Promise<TestProvider> {
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let forged: string | null = null;
  let lastNonce: string | undefined;
  let key = newKey();

  const begin = (): void => {
    const provider = new Provider(issuer, configuration(publicUrl, key));
    const callback = provider.callback();
    handle = (request, response) =>
      void (request.url?.startsWith('/login/') ? signIn(provider, request, response) : callback(request, response));
    const code = provider.AuthorizationCode.prototype;
    // oxlint-disable-next-line typescript/unbound-method -- it is applied to each code below
    const { save } = code;
    code.save = function (...rest) {
      lastNonce = this.nonce;
      if (forged !== null) this.nonce = forged;
      forged = null;
      return save.apply(this, rest);
    };
  };
  begin();
  return {
    issuer,
    requests,
    lastNonce: () => lastNonce,
    forgeNonce: (nonce) => (forged = nonce),
    rotateKey: () => {
      key = newKey();
      begin();
    },
    async logoutToken(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const right = {
        iss: issuer,
        aud: CLIENT_ID,
        iat: now,
        exp: now + 120,
        jti: randomUUID(),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      };
      return new SignJWT({ ...right, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'logout+jwt', ...header })
        .sign(key.privateKey);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function configuration(publicUrl: string, { jwk }: SigningKey): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
        redirect_uris: [`${publicUrl}/sign-in/oidc/callback`],
        post_logout_redirect_uris: [`${publicUrl}/sign-in`],
        backchannel_logout_uri: `${publicUrl}/sign-in/oidc/back-channel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    jwks: { keys: [jwk] },
    ttl: { AccessToken: HOUR, AuthorizationCode: 60, Grant: HOUR, IdToken: HOUR, Interaction: HOUR, Session: HOUR },
    cookies: { keys: ['only-in-tests'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: 'ada@acme.example', email_verified: true }),
    }),
    claims: { openid: ['sub', 'email', 'email_verified'] },
    conformIdTokenClaims: false,
    // Its own would call no loopback address, which is where we are.
    fetch: (address, options) => fetch(address, { ...options, dispatcher: undefined }),
    interactions: { url: (_context, { uid }) => `/login/${uid}` },
    // Nobody is asked whether we may know who they are.
    loadExistingGrant: async ({ oidc }) => {
      const { client, session, provider } = oidc;
      if (!client || !session?.accountId) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = page(
            `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
          );
        },
      },
    },
  };
}

async function signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') {
    response.setHeader('content-type', 'text/html');
    response.end(page('<form method="post"><input name="who" autofocus><button>Sign in</button></form>'));
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get('who') ?? '';
  const result = accountId === '' ? { error: 'access_denied', error_description: 'nobody' } : { login: { accountId } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

function page(body: string): string {
  return `<!doctype html><html lang="en"><title>The provider</title><body>${body}</body></html>`;
}

interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  jwk: JWK;
}

function newKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  return {
    kid,
    privateKey,
    jwk: { ...privateKey.export({ format: 'jwk' }), kty: 'RSA', kid, use: 'sig', alg: 'RS256' },
  };
}
