import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Logger } from 'nestjs-pino';
import supertest from 'supertest';
import type { DataSource } from 'typeorm';
import type { Connector } from '../../connectors/kit/contract.js';
import { AccessPolicyModule } from '../../src/access-policy/access-policy.module.js';
import { AccountsModule } from '../../src/accounts/accounts.module.js';
import { createDataSource } from '../../src/data-source.js';
import { DevicesModule } from '../../src/devices/devices.module.js';
import { ImagesModule } from '../../src/images/images.module.js';
import { PeopleModule } from '../../src/people/people.module.js';
import { ApiDocsModule } from '../../src/platform/api-docs/api-docs.module.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { createHttpApp } from '../../src/platform/http/http-door.js';
import { HttpModule } from '../../src/platform/http/http.module.js';
import { PlatformModule, type Ground } from '../../src/platform/platform.module.js';
import { SCOPES, SYSTEM, type Scope } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { PUBLIC_ROUTES } from '../../src/platform/sign-in/public-routes.js';
import { SignInModule } from '../../src/platform/sign-in/sign-in.module.js';
import { ToolsModule } from '../../src/tools/tools.module.js';
import { createTestDatabase } from '../support/database.js';
import { anInstallation } from './installations.js';
import { aTokenOwner } from './token-owners.js';

export interface RecordsApp {
  app: NestExpressApplication;
  db: DataSource;
  /** Without a sign-in. */
  stranger: ReturnType<typeof supertest.agent>;
  /** Everything logged so far. */
  log(): string;
  /** Signed in with these scopes; with all of them when none is named. */
  caller(...scopes: Scope[]): Promise<ReturnType<typeof supertest.agent>>;
  close(): Promise<void>;
}

/** The records' features, floor 1, on the platform and a database of their own: no engine, no doors. */
export async function startRecordsApp(
  connectors: readonly Connector[] = [],
  env: Record<string, string> = {},
): Promise<RecordsApp> {
  const database = await createTestDatabase();
  const config = loadConfig({
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: 'none',
    QUARTERMASTER_ENVIRONMENT: 'test',
    LOG_LEVEL: 'trace',
    ...env,
  });
  const db = await createDataSource({ url: database.url, applicationName: 'test', poolSize: 5 }).initialize();
  const lines: string[] = [];
  const ground: Ground = {
    config,
    db,
    key: new InstallationKey(randomBytes(32)),
    log: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } },
  };
  const publicRoutes = PUBLIC_ROUTES.filter((route) =>
    /^\w+ \/(docs|openapi|sign-in|sign-out|(credential|acknowledgement)-links)/.test(route),
  );

  @Module({
    imports: [
      PlatformModule.of(ground),
      HttpModule,
      SignInModule.of(publicRoutes),
      ApiDocsModule,
      ToolsModule.of(connectors),
      PeopleModule,
      AccountsModule,
      DevicesModule,
      ImagesModule,
      AccessPolicyModule,
    ],
  })
  class RecordsRoot {}

  const app = await createHttpApp({ module: RecordsRoot });
  app.useLogger(app.get(Logger));
  await app.init();
  await anInstallation(db.manager);
  return {
    app,
    db,
    stranger: supertest.agent(app.getHttpServer()),
    log: () => lines.join(''),
    async caller(...scopes) {
      const wanted = scopes.length === 0 ? SCOPES : scopes;
      const { token } = await db.transaction(async (tx) =>
        app.get(ApiTokens).create(tx, SYSTEM, { name: 'test', scopes: [...wanted], ...(await aTokenOwner(tx)) }),
      );
      return supertest.agent(app.getHttpServer()).set('Authorization', `Bearer ${token}`);
    },
    async close() {
      await app.close();
      await db.destroy();
      await database.drop();
    },
  };
}
