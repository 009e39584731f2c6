import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request } from 'express';
import SCIMMY from 'scimmy';
import SCIMMYRouters from 'scimmy-routers';
import { DirectoryStore } from './directory-store.js';
import { declareScimResources, entityTag } from './scim-resources.js';

export interface ScimAppOptions {
  /** Folder that holds the app's data; made when it isn't there. */
  folder: string;
  /** 0 takes a free one. */
  port: number;
  /** The bearer token of the SCIM client. */
  scimToken: string;
  /** Groups that are there from the start. */
  groups?: readonly string[];
  /** `none`: a server without PATCH, as RFC 7644 section 3.5.2 allows; it says so in ServiceProviderConfig. */
  patch?: 'supported' | 'none';
}

export interface ScimApp {
  /** `http://127.0.0.1:<port>`; SCIM is at `/scim/v2` below it. */
  url: string;
  store: DirectoryStore;
  close(): Promise<void>;
}

/** The user behind the SCIM token: what an app calls its integration user. `GET /scim/v2/Me` shows it. */
export const SERVICE_USER = 'svc-provisioning';

const SCIM = '/scim/v2';
let declared = false;

/**
 * A small app as a company would buy it: people sign in and get a token (`POST /session`), use it (`GET /me`), and an
 * administrator's system provisions them over SCIM 2.0. A token dies with its user's suspension, removal or password.
 */
export async function startScimApp(options: ScimAppOptions): Promise<ScimApp> {
  const store = await DirectoryStore.open(options.folder);
  if (!store.userNamed(SERVICE_USER)) await store.saveUser(undefined, { userName: SERVICE_USER, active: true });
  for (const name of options.groups ?? []) {
    if (!store.groups().some((group) => group.displayName === name)) await store.saveGroup(undefined, name, []);
  }
  // Express would send a hash of the body as ETag; a resource’s tag here is its meta.version.
  const app = express().disable('x-powered-by').disable('etag');
  addSignIn(app, store);
  addScim(app, store, options);
  const server = app.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, store, close: () => close(server) };
}

function addSignIn(app: Express, store: DirectoryStore): void {
  app.post('/session', express.json(), async (request, response) => {
    const { userName, password } = (request.body ?? {}) as Record<string, unknown>;
    const token =
      typeof userName === 'string' && typeof password === 'string' ? await store.signIn(userName, password) : null;
    if (token) response.status(201).json({ token });
    else response.status(401).json({ error: 'wrong user name or password, or suspended' });
  });
  app.get('/me', (request, response) => {
    const user = store.holderOf(bearerOf(request));
    if (user) response.json({ userName: user.attributes.userName, displayName: user.attributes.displayName });
    else response.status(401).json({ error: 'this token does not work (any more)' });
  });
}

function addScim(app: Express, store: DirectoryStore, { scimToken, patch }: ScimAppOptions): void {
  if (!declared) declareScimResources();
  declared = true;
  const authenticate = (request: Request) => {
    if (!sameSecret(bearerOf(request), scimToken)) throw new Error('The token is not accepted');
    return store.userNamed(SERVICE_USER)?.id ?? '';
  };
  app.use(`${SCIM}/:type/:id`, (request, response, next) => {
    // RFC 7644, section 3.14: a change that names an older version is refused.
    const expected = request.header('if-match');
    const resource = store.user(request.params.id) ?? store.group(request.params.id);
    if (!expected || !resource || expected === entityTag(resource)) return next();
    response.status(412).type('application/scim+json').json(scimError(412, 'The resource was changed meanwhile'));
  });
  if (patch === 'none') addStandInsForPatch(app, authenticate);
  const router = new SCIMMYRouters({ type: 'bearer', handler: authenticate, context: () => store });
  SCIMMY.Config.set({ changePassword: true, etag: true, sort: false, bulk: false });
  app.use(SCIM, router);
}

function addStandInsForPatch(app: Express, authenticate: (request: Request) => string): void {
  app.patch(`${SCIM}/*rest`, (_request, response) => {
    response.status(501).type('application/scim+json').json(scimError(501, 'PATCH is not implemented'));
  });
  app.get(`${SCIM}/ServiceProviderConfig`, (request, response, next) => {
    try {
      authenticate(request);
    } catch {
      return next();
    }
    const config = JSON.parse(JSON.stringify(SCIMMY.Config.get())) as object;
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'];
    response.type('application/scim+json').json({ ...config, schemas, patch: { supported: false } });
  });
}

function scimError(status: number, detail: string) {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: String(status), detail };
}

function bearerOf(request: Request): string {
  return /^Bearer (.+)$/.exec(request.header('authorization') ?? '')?.[1] ?? '';
}

function sameSecret(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
