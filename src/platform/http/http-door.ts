import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import cookieParser from 'cookie-parser';
import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';
import { Config } from '../config/config.js';
import { isStrictlyHttps } from '../transport/check-transport.js';
import type { KeyPair } from '../transport/tls-certificate.js';
import { ApiDescription } from '../api-docs/api-description.service.js';
import { explainBodyErrors } from './body-problem.js';
import { contentSecurityPolicy } from './content-security-policy.js';
import { PLAIN_STYLE } from './plain-page.js';
import { tellRequestId } from './request-id.js';
import { speakPlainly } from './validation-sentences.js';
import { refuseHalfCharacters } from './well-formed.js';

/** Bytes, once decompressed. */
const BODY_LIMIT = 256 * 1024;
/** Of an agent's log: a list of all packages is one line of it, and several lines come at once. */
const AGENT_BODY_LIMIT = 4 * 1024 * 1024;

const PLAIN_POLICY = contentSecurityPolicy(PLAIN_STYLE);

/** Seconds. */
const YEAR = 365 * 24 * 60 * 60;

/** Milliseconds that a caller has for sending a request: a slow one must not hold a connection for minutes. */
const REQUEST_TIMEOUT = 30_000;

/**
 * Milliseconds that an idle connection is kept: longer than load balancers and HR systems keep theirs (60 seconds mostly),
 * so that we never end one at the moment at which the next request is on its way.
 */
const IDLE_CONNECTION_TIMEOUT = 75_000;

/**
 * The HTTP application, not listening yet. Its start is quiet: only warnings and errors are told.
 * @param tls without it, plain HTTP
 */
export async function createHttpApp(root: DynamicModule, tls?: KeyPair): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(root, {
    // The parsers come from here.
    bodyParser: false,
    rawBody: true,
    abortOnError: false,
    // Node takes TLS 1.2 and newer.
    ...(tls && { httpsOptions: tls }),
    logger: ['fatal', 'error', 'warn'],
  });
  app.get(ApiDescription).describe(app);
  openDoor(app, app.get(Config));
  Object.assign(app.getHttpServer(), { requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: IDLE_CONNECTION_TIMEOUT });
  return app;
}

/** Everything in front of the routes. */
function openDoor(app: NestExpressApplication, config: Config): void {
  speakPlainly();
  app.disable('x-powered-by');
  // Express would make an ETag of its own for each body; ours stand for versions.
  app.disable('etag');
  // An array in a query must not get past a schema as an object with clever keys.
  app.set('query parser', 'simple');
  app.set('trust proxy', [...config.trustProxy]);
  app.use(tellRequestId);
  app.use(
    helmet({
      // Ours follows.
      contentSecurityPolicy: false,
      strictTransportSecurity: isStrictlyHttps(config) && { maxAge: YEAR, includeSubDomains: true },
    }),
  );
  app.use(restrictPages);
  // Answers hold personal data; no proxy and no browser keeps them.
  app.use('/v1', forbidStoring);
  app.use(cookieParser());
  // A webhook's signature is checked over its bytes, before anybody reads them: no parser may refuse them first.
  app.useBodyParser('raw', { limit: BODY_LIMIT, type: isWebhook });
  app.useBodyParser('json', {
    limit: AGENT_BODY_LIMIT,
    type: (request: IncomingMessage) => isAgentsReport(request) && isJson(request),
  });
  app.useBodyParser('json', {
    limit: BODY_LIMIT,
    type: (request: IncomingMessage) => !isWebhook(request) && !isAgentsReport(request) && isJson(request),
  });
  // The provider speaks in forms (OpenID Connect Back-Channel Logout 1.0, section 2.5), and so does a page without scripts.
  app.useBodyParser('urlencoded', { limit: BODY_LIMIT, extended: false, type: isForm });
  app.use((request: Request, response: Response, next: NextFunction) =>
    // An agent sends again for ever what is refused; its rows are cleaned one by one.
    isAgentsReport(request) ? next() : refuseHalfCharacters(request, response, next),
  );
  app.use(explainBodyErrors);
}

/** A page that has another style than the plain ones says so itself. */
function restrictPages(_request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('Content-Security-Policy', PLAIN_POLICY);
  next();
}

function forbidStoring(_request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}

function isWebhook(request: IncomingMessage): boolean {
  return request.url?.startsWith('/hooks/') ?? false;
}

function isAgentsReport(request: IncomingMessage): boolean {
  return /^\/v1\/osquery\/(log|distributed\/write)$/.test(request.url ?? '');
}

function isForm({ url, headers }: IncomingMessage): boolean {
  const takesForms = url?.startsWith('/sign-in/oidc/') || url?.startsWith('/lost/') || false;
  return takesForms && (headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false);
}

function isJson(request: IncomingMessage): boolean {
  return /^application\/([a-z.-]+\+)?json\b/i.test(request.headers['content-type'] ?? '');
}
