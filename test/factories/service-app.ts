import { randomBytes, randomUUID } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import { Webhook } from 'standardwebhooks';
import supertest from 'supertest';
import type { DataSource } from 'typeorm';
import type { AccessPolicy } from '../../src/access-policy/access-policy-schema.js';
import { AppModule } from '../../src/app.module.js';
import { createDataSource } from '../../src/data-source.js';
import { HrSourcesService } from '../../src/hr-feeds/hr-sources.service.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import type { RecoveryRing } from '../../src/platform/crypto/recovery-ring.js';
import { createHttpApp } from '../../src/platform/http/http-door.js';
import { SCOPES, SYSTEM, type Scope } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { anAccessPolicy, anActivePolicy } from './access-policies.js';
import { anInstallation } from './installations.js';
import { aTokenOwner } from './token-owners.js';

type Agent = ReturnType<typeof supertest.agent>;

/** What of a signed request a test wants to be otherwise. */
export interface Posting {
  source?: string;
  secret?: string;
  webhookId?: string;
  /** Unix time in milliseconds. */
  sentAt?: number;
  /** The bytes that are sent; the signature is made over `signedBody`, or over these. */
  body?: string;
  signedBody?: string;
  headers?: Record<string, string>;
}

export interface ServiceApp {
  app: NestExpressApplication;
  db: DataSource;
  database: TestDatabase;
  /** Without a sign-in. */
  stranger: Agent;
  /** What the HR source `hr` signs with. */
  hrSecret: string;
  /** Posts an event as the HR source `hr`, rightly signed unless something else is said. */
  post(event: unknown, posting?: Posting): supertest.Test;
  /** Signed in by this name with these scopes; with all of them when none is named. */
  caller(name?: string, ...scopes: Scope[]): Promise<Agent>;
  /** Everything logged so far. */
  log(): string;
  close(): Promise<void>;
}

interface ServiceAppOptions {
  policy?: AccessPolicy;
  /** What the application takes for the database's address. */
  reroute?: (url: string) => string;
  env?: Record<string, string>;
  /** Its keys, around the installation's own. */
  keyring?: (installation: InstallationKey) => Keyring;
  /** Without it no recovery keys are kept. */
  recoveryRing?: RecoveryRing;
}

/** The whole service in this process, as its API server runs it, on a database of its own. No worker runs: steps stay. */
export async function startServiceApp({
  policy = anAccessPolicy(),
  reroute = (url) => url,
  env = {},
  keyring = (installation) => new Keyring(installation),
  recoveryRing,
}: ServiceAppOptions = {}): Promise<ServiceApp> {
  const database = await createTestDatabase();
  const url = reroute(database.url);
  const config = loadConfig({
    DATABASE_URL: url,
    QUARTERMASTER_KEY_FILE: 'none',
    QUARTERMASTER_ENVIRONMENT: 'test',
    ...env,
  });
  const db = await createDataSource({ url, applicationName: 'test', poolSize: 5 }).initialize();
  const lines: string[] = [];
  const key = new InstallationKey(randomBytes(32));
  const app = await createHttpApp(
    AppModule.of({
      config,
      db,
      key,
      keyring: keyring(key),
      ...(recoveryRing && { recoveryRing }),
      log: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } },
    }),
  );
  app.useLogger(app.get(Logger));
  await app.init();
  await anInstallation(db.manager);
  await anActivePolicy(db.manager, policy);
  const hrSecret = await app.get(HrSourcesService).addSecret('hr', SYSTEM);
  const agent = () => supertest.agent(app.getHttpServer());
  return {
    app,
    db,
    database,
    hrSecret,
    stranger: agent(),
    post(event, posting = {}) {
      const { source = 'hr', secret = hrSecret, webhookId = `msg_${randomUUID()}`, sentAt = Date.now() } = posting;
      const { body = JSON.stringify(event), signedBody = body, headers = {} } = posting;
      return agent()
        .post(`/hooks/hr/${source}`)
        .set({
          'content-type': 'application/json',
          'webhook-id': webhookId,
          'webhook-timestamp': String(Math.floor(sentAt / 1000)),
          'webhook-signature': new Webhook(secret).sign(webhookId, new Date(sentAt), signedBody),
          ...headers,
        })
        .send(body);
    },
    async caller(name = 'test', ...scopes) {
      const wanted = scopes.length === 0 ? SCOPES : scopes;
      const { token } = await db.transaction(async (tx) =>
        app.get(ApiTokens).create(tx, SYSTEM, { name, scopes: [...wanted], ...(await aTokenOwner(tx)) }),
      );
      return agent().set('Authorization', `Bearer ${token}`);
    },
    log: () => lines.join(''),
    async close() {
      await app.close();
      if (db.isInitialized) await db.destroy();
      await database.drop();
    },
  };
}
