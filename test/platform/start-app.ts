import { randomBytes } from 'node:crypto';
import { Module, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../src/data-source.js';
import { ApiDocsModule } from '../../src/platform/api-docs/api-docs.module.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { HealthModule } from '../../src/platform/health/health.module.js';
import { createHttpApp } from '../../src/platform/http/http-door.js';
import { HttpModule } from '../../src/platform/http/http.module.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { SYSTEM, type Scope } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { PUBLIC_ROUTES } from '../../src/platform/sign-in/public-routes.js';
import { SignInModule } from '../../src/platform/sign-in/sign-in.module.js';
import { aTokenOwner } from '../factories/token-owners.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

export interface TestApp {
  app: NestExpressApplication;
  db: DataSource;
  database: TestDatabase;
  agent: ReturnType<typeof supertest>;
  /** Everything logged so far. */
  log(): string;
  /** An API token. */
  token(...scopes: Scope[]): Promise<{ id: string; token: string }>;
  close(): Promise<void>;
}

interface AppOptions {
  env?: Record<string, string>;
  publicRoutes?: readonly string[];
  /** Features on top of the platform. */
  features?: readonly Type[];
  /** What the application takes for the database's address. */
  reroute?: (url: string) => string;
}

/** The platform's routes that are public, without the features'. */
export const PLATFORM_ROUTES = PUBLIC_ROUTES.filter((route) =>
  /^\w+ \/(health|docs|openapi|sign-in|sign-out)/.test(route),
);

/** The platform with these controllers on a database of its own: what every feature stands on, and nothing else. */
export async function startApp(
  controllers: Type[],
  { env = {}, publicRoutes = PLATFORM_ROUTES, features = [], reroute = (url) => url }: AppOptions = {},
): Promise<TestApp> {
  const database = await createTestDatabase();
  const url = reroute(database.url);
  const config = loadConfig({
    DATABASE_URL: url,
    QUARTERMASTER_KEY_FILE: 'none',
    QUARTERMASTER_ENVIRONMENT: 'test',
    LOG_LEVEL: 'trace',
    ...env,
  });
  const db = await createDataSource({ url, applicationName: 'test', poolSize: 5 }).initialize();
  const lines: string[] = [];
  const ground = {
    config,
    db,
    key: new InstallationKey(randomBytes(32)),
    log: { level: 'trace' as const, stream: { write: (line: string) => void lines.push(line) } },
  };

  @Module({
    imports: [
      PlatformModule.of(ground),
      HttpModule,
      SignInModule.of(publicRoutes),
      HealthModule,
      ApiDocsModule,
      ...features,
    ],
    controllers,
  })
  class TestRoot {}

  const close = async (): Promise<void> => {
    if (db.isInitialized) await db.destroy();
    await database.drop();
  };
  try {
    const app = await createHttpApp({ module: TestRoot });
    await app.init();
    return {
      app,
      db,
      database,
      agent: supertest(app.getHttpServer()),
      log: () => lines.join(''),
      token: (...scopes) =>
        db.transaction(async (tx) =>
          app.get(ApiTokens).create(tx, SYSTEM, { name: 'test', scopes, ...(await aTokenOwner(tx)) }),
        ),
      async close() {
        await app.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
